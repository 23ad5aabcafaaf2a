"""What inodes are called along a list of operations."""

from __future__ import annotations

import pytest

from holdfast.crash.explorer.names import Names, describe
from holdfast.vfs import operations as ops
from holdfast.vfs.operations import ROOT, Node

TREE = {
    ROOT: Node("folder", entries=(("a", 2), ("d", 3))),
    2: Node("file"),
    3: Node("folder", entries=(("b", 4),)),
    4: Node("file"),
}


def after(*operations: ops.Operation) -> Names:
    names = Names(TREE)
    for at, operation in enumerate(operations):
        names.apply(operation, at)
    return names


def test_paths_go_through_folders() -> None:
    """From the top, which is a dot."""
    names = after()

    assert [".", "a", "d", "d/b"] == [names.path(inode) for inode in (ROOT, 2, 3, 4)]


def test_rename_moves_what_is_below() -> None:
    """And is remembered with what it moved."""
    names = after(ops.Rename(ROOT, "d", ROOT, "e"))

    assert "e/b" == names.path(4)
    assert {0: 3} == names.moved


def test_exchange_swaps() -> None:
    """Both have the other's name."""
    names = after(ops.Exchange(ROOT, "a", 3, "b"))

    assert ["d/b", "a"] == [names.path(2), names.path(4)]


def test_removed_name_is_remembered() -> None:
    """A report still has to say which file it was."""
    assert "a" == after(ops.Unlink(ROOT, "a")).path(2)


def test_inode_without_any_name_is_told_by_number() -> None:
    """Such as a file that was never linked."""
    assert "(inode 9)" == after(ops.Create(9, Node("file"))).path(9)


@pytest.mark.parametrize(
    ("operation", "text"),
    [
        (ops.Create(9, Node("file")), "create(file)"),
        (ops.Write(4, 10, b"abc"), "write('d/b', 10..12)"),
        (ops.Truncate(2, 5), "truncate('a', 5)"),
        (ops.SetAttributes(2, mode=0o600), "set_attributes('a')"),
        (ops.Link(3, "x", 2), "link('d/x')"),
        (ops.Unlink(3, "b"), "unlink('d/b')"),
        (ops.Rename(ROOT, "a", 3, "x"), "rename('a', 'd/x')"),
        (ops.Exchange(ROOT, "a", 3, "b"), "exchange('a', 'd/b')"),
        (ops.MakeFolder(3, "n", 9, Node("folder")), "mkdir('d/n')"),
        (ops.RemoveFolder(ROOT, "d"), "rmdir('d')"),
        (ops.SyncFile(2), "sync('a')"),
        (ops.SyncFolder(ROOT), "sync('.')"),
        (ops.SyncAll(), "sync()"),
        (ops.SyncFailed(2), "sync('a') failed"),
        (ops.Mark("saved"), "mark('saved')"),
    ],
)
def test_every_operation_reads_as_a_call(operation, text) -> None:
    """With the paths before it."""
    assert text == describe(operation, Names(TREE))
