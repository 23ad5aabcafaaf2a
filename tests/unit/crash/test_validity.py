"""Which operations can be, one after the other."""

from __future__ import annotations

import pytest

from holdfast.crash.sizes import SIZE_MAX_BYTES, UNWRITTEN_MAX_BYTES
from holdfast.crash.validity import Validity, tree_complaint
from holdfast.vfs import operations as ops
from holdfast.vfs.operations import ROOT, Node

TREE = {
    ROOT: Node("folder", entries=(("a", 2), ("d", 3))),
    2: Node("file"),
    3: Node("folder", entries=(("e", 4),)),
    4: Node("folder"),
}
GOOD: list[ops.Operation] = [
    ops.Create(9, Node("file")),
    ops.Write(2, 0, b"x"),
    ops.Truncate(2, UNWRITTEN_MAX_BYTES),
    ops.SetAttributes(3, mode=0o700),
    ops.Link(4, "b", 2),
    ops.Unlink(ROOT, "a"),
    ops.RemoveFolder(3, "e"),
    ops.Rename(ROOT, "a", 4, "a"),
    ops.Rename(ROOT, "a", ROOT, "a"),
    ops.Exchange(ROOT, "a", 3, "e"),
    ops.MakeFolder(4, "f", 9, Node("folder")),
    ops.SyncFile(3),
    ops.SyncFolder(3),
    ops.SyncAll(),
    ops.SyncFailed(2),
    ops.Mark("x"),
]
BAD: list[ops.Operation] = [
    ops.Create(2, Node("file")),
    ops.Create(9, Node("folder")),
    ops.Write(3, 0, b"x"),
    ops.Write(2, SIZE_MAX_BYTES, b"x"),
    ops.Truncate(9, 0),
    ops.Truncate(2, UNWRITTEN_MAX_BYTES + 1),
    ops.SetAttributes(9),
    ops.Link(2, "b", 2),
    ops.Link(ROOT, "..", 2),
    ops.Link(ROOT, "b", 4),
    ops.Link(ROOT, "b", 9),
    ops.Unlink(ROOT, "b"),
    ops.Unlink(9, "b"),
    ops.Rename(ROOT, "b", ROOT, "c"),
    ops.Rename(ROOT, "a", 2, "c"),
    ops.Rename(ROOT, "a", ROOT, "c/d"),
    ops.Rename(ROOT, "d", 4, "loop"),
    ops.Exchange(ROOT, "a", ROOT, "b"),
    ops.Exchange(3, "e", ROOT, "d"),
    ops.MakeFolder(ROOT, "f", 2, Node("folder")),
    ops.MakeFolder(ROOT, "f", 9, Node("file")),
    ops.MakeFolder(ROOT, "", 9, Node("folder")),
    ops.SyncFile(9),
    ops.SyncFolder(2),
    ops.SyncFailed(9),
]


@pytest.mark.parametrize("operation", GOOD, ids=str)
def test_possible_operation_is_taken(operation) -> None:
    """There is nothing to complain of."""
    assert Validity(TREE).complaint(operation) is None


@pytest.mark.parametrize("operation", BAD, ids=str)
def test_impossible_operation_is_refused(operation) -> None:
    """With a reason."""
    assert Validity(TREE).complaint(operation)


def test_operations_are_followed() -> None:
    """What one does, the next can build on."""
    validity = Validity(TREE)
    steps = [
        ops.MakeFolder(ROOT, "f", 9, Node("folder")),
        ops.Rename(ROOT, "d", 9, "d"),
        ops.Create(10, Node("file")),
        ops.Link(9, "x", 10),
        ops.Exchange(9, "x", ROOT, "a"),
        ops.Unlink(ROOT, "a"),
    ]
    assert [None] * 6 == [validity.complaint(step) for step in steps]
    assert validity.complaint(ops.Unlink(ROOT, "d"))
    assert validity.complaint(ops.Rename(ROOT, "f", 4, "loop"))


def test_new_files_count_too() -> None:
    """A recording that makes many is as large as one that extends a single one."""
    validity = Validity(TREE)
    half = UNWRITTEN_MAX_BYTES // 2
    made = [ops.Create(inode, Node("file")) for inode in (10, 11, 12)]
    assert [None] * 3 == [validity.complaint(step) for step in made]
    assert [None] * 2 == [validity.complaint(ops.Truncate(inode, half)) for inode in (10, 11)]
    assert validity.complaint(ops.Write(12, 0, b"x")) is None
    assert "512 MiB at one time" in (validity.complaint(ops.Truncate(12, 2)) or "")


@pytest.mark.parametrize(
    "tree",
    [
        {},
        {ROOT: Node("file")},
        {ROOT: Node("folder", entries=(("a", 2), ("b", 2))), 2: Node("folder")},
        {ROOT: Node("folder", entries=(("a", 2),)), 2: Node("file", entries=(("b", 3),))},
        {ROOT: Node("folder"), 2: Node("folder", entries=(("x", 3),)),
         3: Node("folder", entries=(("y", 2),))},
    ],
)  # fmt: skip
def test_impossible_tree_is_refused(tree) -> None:
    """No top, a folder with two names, names in a file, a loop beside the tree."""
    assert tree_complaint(tree)


def test_possible_tree_is_taken() -> None:
    """Inodes without a name, too."""
    assert tree_complaint({**TREE, 77: Node("file")}) is None
