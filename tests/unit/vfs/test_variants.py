"""How what is pending is factored into groups that vary on their own."""

from __future__ import annotations

from holdfast.vfs.model import PAGE_BYTES
from holdfast.vfs.operations import (
    ROOT,
    Create,
    Link,
    Mark,
    Node,
    Operation,
    Rename,
    SetAttributes,
    SyncFile,
    Tree,
    Write,
)
from holdfast.vfs.variants import Point, Points, prefixes

TREE: Tree = {ROOT: Node("folder", entries=(("f", 2),)), 2: Node("file", data=b"old")}


def last(*operations: Operation) -> Point:
    """The point behind all operations."""
    points = Points(TREE, block_bytes=PAGE_BYTES, garbage=False, seed=0)
    return list(points.along(operations, None))[-1]


def test_data_and_attributes_are_groups_of_their_own() -> None:
    """Contents and mode of one file vary independently."""
    point = last(Write(2, 0, b"n"), SetAttributes(2, 0o600))
    assert ["data", "attributes"] == [group.part for group in point.files]
    assert [2, 2] == [len(group.variants) for group in point.files]


def test_names_are_tied_by_renames_alone() -> None:
    """Two new names are two groups; a rename makes one of its two names."""
    one = last(Create(3, Node("file")), Link(ROOT, "a", 3), Link(ROOT, "b", 3))
    two = last(Create(3, Node("file")), Link(ROOT, "a", 3), Rename(ROOT, "a", ROOT, "b"))
    three = last(
        Create(3, Node("file")),
        Link(ROOT, "a", 3),
        Link(ROOT, "b", 3),
        Rename(ROOT, "a", ROOT, "c"),
        Rename(ROOT, "b", ROOT, "d"),
        Rename(ROOT, "d", ROOT, "c"),
    )
    assert [2, 1, 1] == [len(point.folders) for point in (one, two, three)]


def test_first_variant_keeps_all_and_nothing_keeps_none() -> None:
    """Variants come by what they lose, and equal ones are one."""
    (group,) = last(Write(2, 0, b"new!")).files
    assert (b"new!", ()) == group.variants[0]
    assert [0, 1, 1, 2] == [len(variant.dropped) for variant in group.variants]
    assert b"old" == group.nothing.value
    (same,) = last(Write(2, 0, b"new"), Write(2, 0, b"new")).files
    assert {b"old", b"new"} == {variant.value for variant in same.variants}
    assert 2 == len(same.variants)


def test_what_cannot_be_lost_is_no_group() -> None:
    """After a sync nothing varies, and a write of what was there varies nothing."""
    assert () == last(Write(2, 0, b"new"), SyncFile(2)).files
    assert () == last(Write(2, 0, b"old")).files


def test_points_are_all_or_one() -> None:
    """There is a point before the first operation, and one behind each."""
    operations = [Write(2, 0, b"a"), Mark("x"), Write(2, 0, b"b")]
    points = Points(TREE, block_bytes=PAGE_BYTES, garbage=False, seed=0)
    assert [0, 1, 2, 3] == [point.at for point in points.along(operations, None)]
    points = Points(TREE, block_bytes=PAGE_BYTES, garbage=False, seed=0)
    assert [(2, ("x",))] == [(p.at, p.marks) for p in points.along(operations, 2)]


def test_full_tree_has_everything() -> None:
    """At each point, the tree if all survives is what a reader sees then."""
    operations = [Write(2, 0, b"a"), Mark("x"), Write(2, 0, b"b")]
    points = Points(TREE, block_bytes=PAGE_BYTES, garbage=False, seed=0)
    full = [point.full[2].data for point in points.along(operations, None)]
    assert [b"old", b"ald", b"ald", b"bld"] == full
    assert full == [point.full[2].data for point in prefixes(TREE, operations, None)]
