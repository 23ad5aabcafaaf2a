"""The self-check."""

from __future__ import annotations

import pytest

from holdfast.crash.recorders import RecordingRefused
from holdfast.crash.recorders.check import check_replay, first_difference, replayed
from holdfast.vfs.operations import Create, Link, Node, Rename, Truncate, Write

FILE = Node("file", 0o644)


def tree(data: bytes = b"", mode: int = 0o644, **names: int):
    """Return a tree with some names for one file."""
    return {
        1: Node("folder", 0o755, entries=tuple(sorted(names.items()))),
        2: Node("file", mode, data=data),
    }


def test_replay_gives_the_tree_with_nothing_lost():
    """All operations count, synced or not."""
    operations = [Create(2, FILE), Link(1, "a", 2), Write(2, 0, b"abc"), Truncate(2, 2)]
    after = replayed({1: Node("folder", 0o755)}, [*operations, Rename(1, "a", 1, "b")])
    assert tree(b"ab", b=2) == {inode: after[inode] for inode in (1, 2)}


@pytest.mark.parametrize(
    ("found", "word"),
    [
        (tree(b"ab", a=2), None),
        (tree(b"ab", b=2), "a: was recorded, and is not there"),
        (tree(b"ab", a=2, b=2), "b: is there, and was not recorded"),
        (tree(b"abc", a=2), "a: 2 bytes recorded, 3 found"),
        (tree(b"aX", a=2), "a: contents differ from byte 1 on"),
        (tree(b"ab", 0o600, a=2), "a: mode 644 recorded, 600 found"),
    ],
)
def test_first_difference_by_path(found, word):
    """The message names the path and what is different."""
    assert word == first_difference(tree(b"ab", a=2), found)


def test_numbers_may_differ_but_hard_links_may_not():
    """Which names share a file is part of the tree."""
    linked = tree(a=2, b=2)
    renumbered = {1: Node("folder", 0o755, entries=(("a", 7), ("b", 7))), 7: FILE}
    apart = {1: Node("folder", 0o755, entries=(("a", 7), ("b", 8))), 7: FILE, 8: FILE}

    assert None is first_difference(linked, renumbered)
    assert None is not first_difference(linked, apart)
    assert None is not first_difference(apart, linked)


@pytest.mark.parametrize("operations", [[Write(9, 0, b"x")], [Rename(1, "gone", 1, "b")]])
def test_operations_that_do_not_fit_together_are_refused(operations):
    """A recorder with a fault gives no recording."""
    with pytest.raises(RecordingRefused, match="do not fit together"):
        check_replay(tree(a=2), operations, tree(a=2))


def test_difference_is_refused():
    """What the recorder did not see must not be missed."""
    with pytest.raises(RecordingRefused, match="a: 1 bytes recorded, 0 found"):
        check_replay(tree(a=2), [Write(2, 0, b"x")], tree(a=2))
    check_replay(tree(a=2), [Write(2, 0, b"x")], tree(b"x", a=2))
