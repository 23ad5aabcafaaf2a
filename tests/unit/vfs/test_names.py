"""Names: now, durable, and tied together."""

from __future__ import annotations

from itertools import count

from holdfast.vfs.micro import Entry, Item, Micro, Move
from holdfast.vfs.names import Names
from holdfast.vfs.operations import ROOT, Node, Tree

TREE: Tree = {
    ROOT: Node("folder", entries=(("d", 3), ("f", 2))),
    2: Node("file"),
    3: Node("folder"),
}


def names_after(*micros: Micro) -> tuple[Names, list[Item]]:
    """The names after some changes, and these."""
    names = Names(TREE, count())
    items = [Item(micro, order) for order, micro in enumerate(micros)]
    for item in items:
        names.show(item.micro)
        names.add(item)
    return names, items


def test_changes_are_seen_now_and_durable_after_the_sync() -> None:
    """Until then they are loose."""
    names, _ = names_after(Move(0, ROOT, "f", ROOT, "g", 2))
    assert {"d": 3, "g": 2} == names.now[ROOT]
    assert {"d": 3, "f": 2} == names.durable[ROOT]
    assert (1, 1) == (names.loose, len(names.groups))
    names.sync_folder(ROOT)
    assert names.now == names.durable
    assert (0, 0) == (names.loose, len(names.groups))
    assert {(ROOT, "g"): None} == names.homes[2]


def test_moves_tie_groups_and_a_sync_unties_them() -> None:
    """What shares a name is one group, and is no more when the tie is durable."""
    names, items = names_after(
        Entry(0, ROOT, "a", 5), Entry(1, ROOT, "b", 6), Move(2, ROOT, "a", 3, "b", 5)
    )
    assert [[0, 2], [1]] == [[item.order for item in group.items] for group in names.groups]
    names.sync_folder(3)
    assert [[1]] == [[item.order for item in group.items] for group in names.groups]
    assert not items[2].loose
    names.sync_folder(ROOT)
    assert {} == names.groups


def test_what_a_durable_change_hides_is_forgotten() -> None:
    """A removal before a durable new name cannot be seen any more."""
    names, _ = names_after(
        Entry(0, ROOT, "f", None), Entry(1, ROOT, "t", 5), Move(2, ROOT, "t", ROOT, "f", 5)
    )
    names.sync_names_of(5, {})
    assert {} == names.groups
    assert 0 == names.loose
    assert {"d": 3, "f": 5} == names.durable[ROOT]


def test_failed_sync_keeps_its_items_for_ever() -> None:
    """No later sync covers them; what comes later is covered."""
    names, items = names_after(Entry(0, ROOT, "f", None))
    names.fail(ROOT)
    names.sync_folder(ROOT)
    names.sync_all()
    assert [True] == [item.loose for item in items]
    assert 1 == names.loose


def test_mentions_tell_what_may_have_a_name() -> None:
    """An inode that was unlinked durably is mentioned nowhere."""
    names, _ = names_after(Entry(0, ROOT, "f", None))
    assert 1 == names.mentions[2]
    names.sync_folder(ROOT)
    assert 0 == names.mentions[2]
