"""Micro-operations: which names they change, and the groups that hold them."""

from __future__ import annotations

from holdfast.vfs.micro import Block, Entry, Group, Item, Move, Swap, changes_of, places_of


def test_changes_of_names() -> None:
    """Each says what the names that it changes stand for afterwards."""
    assert (((1, "a"), 5),) == changes_of(Entry(0, 1, "a", 5))
    assert (((1, "a"), None), ((2, "b"), 5)) == changes_of(Move(0, 1, "a", 2, "b", 5))
    assert (((1, "a"), 6), ((2, "b"), 5)) == changes_of(Swap(0, 1, "a", 2, "b", 5, 6))
    assert [(1, "a"), (2, "b")] == places_of(Move(0, 1, "a", 2, "b", 5))
    assert () == changes_of(Block(0, 5, 0, b"x", 0))


def test_group_knows_what_is_loose_and_new() -> None:
    """Loose items by number, names sorted, and how many belong to the last operation."""
    group = Group("entries", 0, 1)
    micros = [Entry(0, 1, "b", 5), Entry(3, 1, "a", None), Entry(3, 1, "b", None)]
    group.items = [Item(micro, order) for order, micro in enumerate(micros)]
    group.items[1].loose = False
    assert [0, 2] == group.loose()
    assert [(1, "a"), (1, "b")] == group.places()
    assert [2, 0] == [group.newest(3), group.newest(4)]
