"""The rules R1 to R10 of the persistence model, one by one."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from holdfast.vfs.model import (
    Attribute,
    Block,
    Disk,
    Entry,
    Move,
    Shrink,
    Size,
    Swap,
    ZeroTail,
    micro_operations,
)
from holdfast.vfs.operations import (
    ROOT,
    Create,
    Exchange,
    Link,
    MakeFolder,
    Mark,
    Node,
    Operation,
    RemoveFolder,
    Rename,
    SetAttributes,
    SyncAll,
    SyncFailed,
    SyncFile,
    SyncFolder,
    Tree,
    Truncate,
    Unlink,
    Write,
)
from holdfast.vfs.states import crash_states

FILE, NEW, FOLDER = 2, 3, 4
OLD = b"old!"
TREE: Tree = {
    ROOT: Node("folder", 0o755, entries=(("d", FOLDER), ("f", FILE))),
    FILE: Node("file", data=OLD),
    FOLDER: Node("folder", 0o755),
}


def contents(operations: Sequence[Operation], *, tree: Tree = TREE, **options) -> set[bytes | None]:
    """What `f` may hold after a crash behind the last operation; None if it is missing."""
    found: set[bytes | None] = set()
    for state in crash_states(tree, operations, at=len(operations), **options):
        number = dict(state.tree[ROOT].entries).get("f")
        found.add(None if number is None else state.tree[number].data)
    return found


def names(operations: Sequence[Operation], folder: int = ROOT, **options) -> set[tuple[str, ...]]:
    """Which names may be in a folder after a crash behind the last operation."""
    states = crash_states(TREE, operations, at=len(operations), **options)
    return {tuple(n for n, _ in s.tree[folder].entries) for s in states if folder in s.tree}


def kinds(*operations: Operation, **options) -> list[type]:
    """The kinds of micro-operations that are not durable."""
    return [type(micro) for micro in micro_operations(TREE, operations, **options)]


def test_r1_blocks_survive_independently() -> None:
    """Of two overwritten blocks, either, both or none may be there."""
    tree = {**TREE, FILE: Node("file", data=b"a" * 8192)}
    old, new = b"a" * 4096, b"b" * 4096
    found = contents([Write(FILE, 0, b"b" * 8192)], tree=tree)
    assert {old + old, old + new, new + old, new + new} == found


def test_r1_sectors_survive_independently_when_asked() -> None:
    """With blocks of 512 bytes, a write of 1,000 bytes may be torn in the middle."""
    tree = {**TREE, FILE: Node("file", data=b"a" * 1000)}
    found = contents([Write(FILE, 0, b"b" * 1000)], tree=tree, block_bytes=512)
    assert {
        b"a" * 1000,
        b"b" * 512 + b"a" * 488,
        b"a" * 512 + b"b" * 488,
        b"b" * 1000,
    } == found


def test_r1_one_block_is_never_torn() -> None:
    """An overwrite within one block is there or not."""
    assert {OLD, b"oXX!"} == contents([Write(FILE, 1, b"XX")])


def test_r1_writes_to_one_block_survive_in_any_combination() -> None:
    """A later write may be there without an earlier one."""
    found = contents([Write(FILE, 0, b"A"), Write(FILE, 1, b"B")])
    assert {OLD, b"Ald!", b"oBd!", b"ABd!"} == found


def test_r2_size_grows_page_by_page() -> None:
    """Of 9,010 bytes, 4,096 or 8,192 may be all that is left."""
    sizes = {len(data or b"") for data in contents([Write(FILE, 0, b"b" * 9010)])}
    assert {4, 4096, 8192, 9010} == sizes
    assert [Block, Block, Block, Size, Size, Size] == kinds(Write(FILE, 0, b"b" * 9010))


def test_r3_unwritten_block_in_the_new_size_is_zeros() -> None:
    """The size without the data is a file of zeros."""
    assert {OLD, b"old!\0\0\0\0", b"old!more"} == contents([Write(FILE, 4, b"more")])


def test_r3_unwritten_block_is_garbage_when_asked() -> None:
    """With `garbage`, what is lost inside the new size is neither zeros nor the data."""
    found = contents([Write(FILE, 4, b"more")], garbage=True)
    assert 3 == len(found)
    assert {OLD, b"old!more"} < found
    assert b"old!\0\0\0\0" not in found
    assert 2 == len(contents([Write(FILE, 0, b"more")], garbage=True))


def test_r3_holes_are_zeros_even_with_garbage() -> None:
    """Nothing was ever to be in a hole."""
    assert {OLD, b"old!\0\0"} == contents([Truncate(FILE, 6)], garbage=True)


def test_r4_truncate_may_leave_the_old_size_with_a_zeroed_tail() -> None:
    """Besides old and new there is the old size with zeros behind the new end."""
    assert {OLD, b"o\0\0\0", b"o"} == contents([Truncate(FILE, 1)])
    assert [ZeroTail, Shrink] == kinds(Truncate(FILE, 1))


def test_r4_only_the_last_kept_block_is_zeroed() -> None:
    """Blocks that the truncate drops whole are still there with the old size."""
    tree = {**TREE, FILE: Node("file", data=b"a" * 10000)}
    found = contents([Truncate(FILE, 100)], tree=tree)
    assert {b"a" * 10000, b"a" * 100 + bytes(3996) + b"a" * 5904, b"a" * 100} == found


def test_r4_truncate_at_a_block_boundary_has_no_tail() -> None:
    """Cutting to nothing is old or new."""
    assert {OLD, b""} == contents([Truncate(FILE, 0)])
    assert [Shrink] == kinds(Truncate(FILE, 0))


def test_r4_growing_after_a_cut_shows_no_old_bytes() -> None:
    """If both survive, what was cut off reads as zeros."""
    assert b"o\0\0\0" in contents([Truncate(FILE, 1), Truncate(FILE, 4)])
    assert {b"o\0\0\0"} == contents([Truncate(FILE, 1), Truncate(FILE, 4), SyncFile(FILE)])


def test_r4_blocks_cut_off_whole_do_not_come_back() -> None:
    """After a cut and a growth that both survive, whole blocks read as zeros as well."""
    tree = {**TREE, FILE: Node("file", data=b"a" * 10000)}
    operations = [Truncate(FILE, 100), Truncate(FILE, 10000), SyncFile(FILE)]
    assert {b"a" * 100 + bytes(9900)} == contents(operations, tree=tree)


def test_r5_rename_in_one_folder_is_atomic() -> None:
    """Either name is there, never both and never none."""
    assert {("d", "f"), ("d", "g")} == names([Rename(ROOT, "f", ROOT, "g")])
    assert [Move] == kinds(Rename(ROOT, "f", ROOT, "g"))


def test_r5_rename_across_folders_is_two_halves() -> None:
    """Both names may be there, or neither."""
    operations = [Rename(ROOT, "f", FOLDER, "g")]
    states = list(crash_states(TREE, operations, at=1))
    found = {(len(s.tree[ROOT].entries) - 1, len(s.tree[FOLDER].entries)) for s in states}
    assert {(0, 0), (0, 1), (1, 0), (1, 1)} == found
    assert [Entry, Entry] == kinds(*operations)


def test_r5_sync_of_the_destination_may_leave_both_names() -> None:
    """The removal of the old name is not covered by a sync of the new one's folder."""
    operations = [Rename(ROOT, "f", FOLDER, "g"), SyncFolder(FOLDER)]
    assert {("d",), ("d", "f")} == names(operations)
    assert {("g",)} == names(operations, FOLDER)


def test_r5_rename_to_itself_is_nothing() -> None:
    """A name that is renamed to itself stays as it was."""
    assert [] == kinds(Rename(ROOT, "f", ROOT, "f"))


def test_r6_names_come_and_go_on_their_own() -> None:
    """A new name may be there and another not, whichever came first."""
    operations = [
        Create(NEW, Node("file")),
        Link(ROOT, "a", NEW),
        Link(ROOT, "b", NEW),
        Unlink(ROOT, "f"),
    ]
    assert 8 == len(names(operations))


def test_r6_attributes_survive_on_their_own() -> None:
    """Mode, owner and extended attributes may each be new or old."""
    operations = [SetAttributes(FILE, 0o600, (7, 8), (("user.a", b"1"),))]
    states = list(crash_states(TREE, operations, at=1))
    found = {(n.mode, n.uid, n.gid, n.xattrs) for n in (s.tree[FILE] for s in states)}
    assert 8 == len(found)
    assert (0o600, 7, 8, (("user.a", b"1"),)) in found
    assert (0o644, 7, 8, ()) in found


def test_r7_file_sync_covers_data_size_and_attributes() -> None:
    """After it nothing of them can be lost."""
    operations = [
        Write(FILE, 0, b"new" * 3000),
        SetAttributes(FILE, 0o600),
        SyncFile(FILE),
    ]
    states = list(crash_states(TREE, operations, at=3))
    assert [(b"new" * 3000, 0o600)] == [(s.tree[FILE].data, s.tree[FILE].mode) for s in states]


def test_r7_file_sync_covers_no_name() -> None:
    """A new file that was synced may still have no name."""
    operations = [Create(NEW, Node("file")), Link(ROOT, "a", NEW), SyncFile(NEW)]
    assert {("d", "f"), ("a", "d", "f")} == names(operations)


def test_r7_what_comes_after_a_sync_is_not_covered() -> None:
    """A sync is about the past."""
    assert {b"new!", b"NEW!"} == contents(
        [Write(FILE, 0, b"new!"), SyncFile(FILE), Write(FILE, 0, b"NEW!")]
    )


def test_r8_folder_sync_covers_its_names() -> None:
    """After it, new names are there and old ones are gone."""
    operations = [
        MakeFolder(ROOT, "e", NEW, Node("folder")),
        RemoveFolder(ROOT, "d"),
        SyncFolder(ROOT),
    ]
    assert {("e", "f")} == names(operations)


def test_r8_folder_sync_covers_no_contents() -> None:
    """A name that is durable may stand for a file of zeros, or a short one."""
    operations = [Write(FILE, 0, b"newer"), SyncFolder(ROOT)]
    assert {OLD, b"newer", b"newe", b"old!\0"} == contents(operations)


def test_r8_folder_sync_covers_no_other_folder() -> None:
    """A file in a durable folder whose own name is not durable can be lost."""
    operations = [
        Create(NEW, Node("file")),
        Link(FOLDER, "a", NEW),
        SyncFolder(ROOT),
        SyncFile(NEW),
    ]
    assert {(), ("a",)} == names(operations, FOLDER)


def test_r9_failed_sync_is_not_repaired_by_a_second() -> None:
    """What was dirty when a sync failed may be lost for ever, whatever later syncs say."""
    operations = [Write(FILE, 0, b"NEW!"), SyncFailed(FILE), SyncFile(FILE)]
    assert {OLD, b"NEW!"} == contents(operations)


def test_r9_later_writes_are_covered_by_later_syncs() -> None:
    """A write after the failed sync is durable after the next one."""
    operations = [
        Write(FILE, 0, b"A"),
        SyncFailed(FILE),
        Write(FILE, 3, b"B"),
        SyncFile(FILE),
    ]
    assert {b"oldB", b"AldB"} == contents(operations)


def test_r9_failed_folder_sync_covers_no_names() -> None:
    """The same is true of names."""
    operations = [Unlink(ROOT, "f"), SyncFailed(ROOT), SyncFolder(ROOT)]
    assert {("d",), ("d", "f")} == names(operations)


def test_r10_prefix_keeps_the_order() -> None:
    """A killed process leaves what it had done, and nothing out of order."""
    operations = [Write(FILE, 0, b"A"), Write(FILE, 1, b"B")]
    states = crash_states(TREE, operations, model="prefix")
    assert [OLD, b"Ald!", b"ABd!"] == [s.tree[FILE].data for s in states]


def test_r10_prefix_may_cut_a_write_at_a_page() -> None:
    """A long write that is killed ends at a page boundary."""
    states = crash_states(TREE, [Write(FILE, 100, b"x" * 8192)], model="prefix")
    assert [4, 4096, 8192, 8292] == [len(s.tree[FILE].data) for s in states]


@pytest.mark.parametrize("at", [0, 1, 2])
def test_r10_prefix_at_one_point(at: int) -> None:
    """One point of the prefix model is one state."""
    operations = [Write(FILE, 0, b"A"), Write(FILE, 1, b"B")]
    states = list(crash_states(TREE, operations, model="prefix", at=at))
    assert [(OLD, b"Ald!", b"ABd!")[at]] == [s.tree[FILE].data for s in states]


def test_marks_are_not_on_the_disk() -> None:
    """A mark changes nothing that can be lost."""
    assert [] == kinds(Mark("saved"))


def test_synced_operations_are_not_listed() -> None:
    """Only what is not durable is a micro-operation."""
    assert [] == kinds(Write(FILE, 0, b"A"), SyncFile(FILE))
    assert [Attribute] == kinds(SetAttributes(FILE, 0o600), SyncFolder(ROOT))


def test_micro_operations_know_where_they_come_from() -> None:
    """Each carries the index of its operation, which is what a report needs."""
    operations = [Mark("a"), Write(FILE, 0, b"A"), Rename(ROOT, "f", ROOT, "g")]
    assert [1, 2] == [micro.at for micro in micro_operations(TREE, operations)]


def test_disk_keeps_the_durable_tree_apart() -> None:
    """The base changes at a sync and not before."""
    disk = Disk(TREE)
    disk.apply(Write(FILE, 0, b"NEW!"), 0)
    assert OLD == disk.durable[FILE].data
    assert b"NEW!" == disk.node(FILE).data
    assert 1 == disk.loose
    disk.apply(SyncFile(FILE), 1)
    assert b"NEW!" == disk.durable[FILE].data
    assert [] == list(disk.groups())
    assert 0 == disk.loose


def test_write_of_nothing_changes_nothing() -> None:
    """Not even the size, wherever it is (pwrite(2))."""
    assert [] == kinds(Write(FILE, 100, b""))


def test_operations_that_do_not_fit_are_refused() -> None:
    """A name that is not there cannot be renamed."""
    with pytest.raises(ValueError, match="do not fit"):
        list(crash_states(TREE, [Rename(ROOT, "x", ROOT, "y")]))


def test_r3_garbage_is_never_seen_where_old_data_are() -> None:
    """If a cut is lost, the old data are there, and no new block was needed."""
    found = contents([Truncate(FILE, 0), Write(FILE, 0, b"new")], garbage=True)
    assert OLD in found
    assert not any(data and data[1:] == OLD[1:] and data != OLD for data in found)


def test_r5_exchange_in_one_folder_is_atomic() -> None:
    """Both names have changed or neither."""
    states = crash_states(TREE, [Exchange(ROOT, "d", ROOT, "f")], at=1)
    found = {state.tree[ROOT].entries for state in states}
    assert {(("d", FOLDER), ("f", FILE)), (("d", FILE), ("f", FOLDER))} == found
    assert [Swap] == kinds(Exchange(ROOT, "d", ROOT, "f"))


def test_r5_exchange_across_folders_is_two_halves() -> None:
    """Each name may have changed without the other."""
    operations = [
        Create(NEW, Node("file")),
        Link(FOLDER, "g", NEW),
        SyncFolder(FOLDER),
        Exchange(ROOT, "f", FOLDER, "g"),
    ]
    states = list(crash_states(TREE, operations, at=4))
    found = {(dict(s.tree[ROOT].entries)["f"], s.tree[FOLDER].entries[0][1]) for s in states}
    assert {(FILE, NEW), (NEW, FILE), (FILE, FILE), (NEW, NEW)} == found


def test_r5_rename_across_folders_is_atomic_when_asked() -> None:
    """Then a sync of either folder covers it."""
    operations: list[Operation] = [Rename(ROOT, "f", FOLDER, "g")]
    states = crash_states(TREE, operations, at=1, atomic_across=True)
    found = {(len(s.tree[ROOT].entries) - 1, len(s.tree[FOLDER].entries)) for s in states}
    assert {(0, 1), (1, 0)} == found
    for folder in (ROOT, FOLDER):
        after = [*operations, SyncFolder(folder)]
        assert {("d",)} == names(after, atomic_across=True)


def test_r5_two_names_of_one_file_are_not_renamed() -> None:
    """A rename from one name of a file to another one does nothing (rename(2))."""
    assert [Entry] == kinds(Link(ROOT, "g", FILE), Rename(ROOT, "f", ROOT, "g"))


def test_r6_attribute_can_be_removed() -> None:
    """The value None takes an extended attribute away, or is lost."""
    tree = {**TREE, FILE: Node("file", data=OLD, xattrs=(("user.a", b"1"),))}
    states = crash_states(tree, [SetAttributes(FILE, xattrs=(("user.a", None),))])
    assert {(("user.a", b"1"),), ()} == {state.tree[FILE].xattrs for state in states}


def test_r7_sync_of_data_alone_covers_no_attributes() -> None:
    """After fdatasync the contents are durable, and a changed mode is not."""
    operations = [Write(FILE, 0, b"NEW!"), SetAttributes(FILE, 0o600), SyncFile(FILE, True)]
    assert {b"NEW!"} == contents(operations)
    assert [Attribute] == kinds(*operations)


def test_r13_sync_of_everything_covers_all_but_overwritten_bytes() -> None:
    """Names, sizes and new bytes are durable after it; what lay within the file may be lost."""
    old = len(TREE[FILE].data)
    assert [] == kinds(Write(FILE, old, b"more"), Rename(ROOT, "f", FOLDER, "g"), SyncAll())
    assert [Block] == kinds(Write(FILE, 0, b"N"), Write(FILE, old, b"more"), SyncAll())
    assert [] == kinds(Write(FILE, 0, b"N"), SyncAll(), SyncFile(FILE))


@pytest.mark.parametrize(
    ("before", "covered"),
    [
        ([Link(ROOT, "n", NEW)], True),
        ([Link(ROOT, "t", NEW), Rename(ROOT, "t", ROOT, "n")], True),
        ([Link(ROOT, "t", NEW), Exchange(ROOT, "t", ROOT, "f")], False),
    ],
)
def test_r11_linux_sync_of_a_file_covers_the_names_it_got(before, covered) -> None:
    """By creation, link and rename, not by exchange; POSIX promises none of it."""
    operations = [Create(NEW, Node("file")), *before, SyncFile(NEW)]
    assert 1 < len(names(operations))
    states = crash_states(TREE, operations, at=len(operations), model="linux")
    assert covered == (1 == len(list(states)))


def test_r11_linux_sync_of_a_file_covers_new_folders_above() -> None:
    """A file in a new folder in a new folder can be reached when it was synced."""
    operations = [
        MakeFolder(FOLDER, "x", 10, Node("folder")),
        MakeFolder(10, "y", 11, Node("folder")),
        Create(NEW, Node("file")),
        Link(11, "n", NEW),
        Unlink(ROOT, "f"),
        SyncFile(NEW),
    ]
    (kept, lost) = crash_states(TREE, operations, at=6, model="linux")
    assert {ROOT, FOLDER, 10, 11, NEW} == set(kept.tree)
    assert {ROOT, FOLDER, 10, 11, NEW, FILE} == set(lost.tree)


def test_r11_linux_sync_of_a_file_covers_no_removed_name() -> None:
    """A rename across folders may leave the old name, and an unlink may be undone."""
    moved = [Rename(ROOT, "f", FOLDER, "g"), SyncFile(FILE)]
    assert {("g",)} == names(moved, FOLDER, model="linux")
    assert {("d",), ("d", "f")} == names(moved, model="linux")
    unlinked = [Link(FOLDER, "g", FILE), SyncFolder(FOLDER), Unlink(ROOT, "f"), SyncFile(FILE)]
    assert {("d",), ("d", "f")} == names(unlinked, model="linux")


@pytest.mark.parametrize(
    "operation", [SyncFile(NEW, True), SyncFailed(NEW), SyncFolder(NEW), SyncFile(FILE)]
)
def test_r11_linux_needs_a_whole_sync_of_that_file(operation) -> None:
    """Neither fdatasync nor a failed sync nor that of another file covers a name."""
    operations = [Create(NEW, Node("file")), Link(ROOT, "n", NEW), operation]
    if isinstance(operation, SyncFolder):
        operations = [MakeFolder(ROOT, "n", NEW, Node("folder")), operation]
    assert {("d", "f"), ("d", "f", "n")} == names(operations, model="linux")


def test_r11_linux_does_not_cover_what_a_failed_sync_lost() -> None:
    """A name that was dirty when the sync of its folder failed is lost for later syncs."""
    operations = [
        Create(NEW, Node("file")),
        Link(ROOT, "n", NEW),
        SyncFailed(ROOT),
        SyncFile(NEW),
    ]
    assert {("d", "f"), ("d", "f", "n")} == names(operations, model="linux")
