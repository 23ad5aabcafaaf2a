"""Choices of what is lost."""

from __future__ import annotations

from itertools import chain
from random import Random

from holdfast.vfs.model import Disk
from holdfast.vfs.operations import ROOT, Node, Operation, SetAttributes, Tree, Write
from holdfast.vfs.picks import Library, Picker

TREE: Tree = {ROOT: Node("folder", entries=(("f", 2),)), 2: Node("file", data=b"old")}


def after(*operations: Operation) -> tuple[Disk, Library]:
    """The disk after some operations."""
    disk = Disk(TREE)
    for at, operation in enumerate(operations):
        disk.apply(operation, at)
    return disk, Library(garbage=False)


def test_choices_are_complete_and_of_their_cost() -> None:
    """Of three changes, each subset comes once."""
    disk, library = after(Write(2, 0, b"new"), SetAttributes(2, 0o600, (1, 1)))
    picker, groups = Picker(library, disk), list(disk.groups())
    counts = [len(list(picker.picks(groups, cost))) for cost in range(5)]
    assert [1, 3, 3, 1, 0] == counts
    assert 8 == library.count(disk, 8)
    assert library.count(disk, 7) is None


def test_new_choices_keep_a_part_of_the_last_operation() -> None:
    """Those that lose all of it were possible before."""
    disk, library = after(Write(2, 0, b"new"), SetAttributes(2, 0o600, (1, 1)))
    picker, groups = Picker(library, disk), list(disk.groups())
    new = list(chain.from_iterable(picker.new_picks(groups, cost, at=1) for cost in range(4)))
    assert 6 == len(new)


def test_samples_are_some_or_all() -> None:
    """With the chance 1 nothing is left, with 0 everything."""
    disk, library = after(Write(2, 0, b"new"), SetAttributes(2, 0o600))
    picker, groups = Picker(library, disk), list(disk.groups())
    assert 2 == len(picker.sample(groups, 1.0, Random(1)))
    assert () == picker.sample(groups, 0.0, Random(1))


def test_variants_are_made_once_for_each_version() -> None:
    """A second replay finds those of the first."""
    disk, library = after(Write(2, 0, b"new"))
    (group,) = disk.groups()
    again, _ = after(Write(2, 0, b"new"))
    (same,) = again.groups()
    assert library.of(disk, group) is library.of(again, same)
    again.apply(Write(2, 1, b"x"), 1)
    assert library.of(disk, group) is not library.of(again, same)


def test_latest_large_variants_are_found_again() -> None:
    """They are not made for each sample, and only one of them is kept."""
    disk, library = after(*(Write(2, n, b"x") for n in range(20)))
    (group,) = disk.groups()
    large = library.of(disk, group)
    assert library.of(disk, group) is large
    disk.apply(Write(2, 0, b"y"), 20)
    assert library.of(disk, group) is not large
