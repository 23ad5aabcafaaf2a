"""What a sync of a part of a file leaves behind."""

from __future__ import annotations

import pytest

from holdfast.crash.recorders.ledger import Ledger
from holdfast.crash.recorders.unsynced import Part, Synced, Unsynced
from holdfast.vfs.operations import (
    Create,
    Node,
    Operation,
    SyncAll,
    SyncFailed,
    SyncFile,
    Truncate,
    Write,
)

PAGE = 4096
HEAD = Part(2, 0, 6)


def after(*operations: Operation, size: int = 0) -> Unsynced:
    """What is unsynced of inode 2, which had some bytes, after operations."""
    unsynced = Unsynced()
    unsynced.start({2: Node("file", data=bytes(size))})
    for operation in operations:
        unsynced.follow(operation)
    return unsynced


def test_pages_count_whole():
    """The kernel writes a page with all that is in it, so a neighbour in the page is synced too."""
    assert after(Write(2, PAGE - 1, b"x")).sync(HEAD)
    assert not after(Write(2, PAGE - 1, b"xy")).sync(HEAD)


def test_other_files_do_not_matter():
    """Each file has its own."""
    assert after(Write(3, PAGE, b"x")).sync(HEAD)


def test_parts_add_up():
    """The last part that was missing leaves nothing; what was written again is missing again."""
    unsynced = after(Write(2, 0, bytes(3 * PAGE)))
    assert not unsynced.sync(Part(2, 0, PAGE))
    assert not unsynced.sync(Part(2, 2 * PAGE, 3 * PAGE))
    unsynced.follow(Write(2, 0, b"again"))
    assert not unsynced.sync(Part(2, PAGE, 2 * PAGE))
    assert unsynced.sync(Part(2, 0, 1))


@pytest.mark.parametrize(
    "operation", [SyncFile(2), SyncFile(2, data_only=True), SyncAll(), SyncFailed(2)]
)
def test_syncs_of_the_file_leave_nothing(operation):
    """After a failed one the kernel takes what was dirty for clean."""
    before = (Truncate(2, 9), Write(2, PAGE, b"x"))
    assert not after(*before, size=99).sync(HEAD)
    assert after(*before, operation, size=99).sync(HEAD)


@pytest.mark.parametrize(
    ("was", "now", "stop", "left"),
    [
        (0, 8192, 1, False),
        (100, 8192, 100, True),
        (100, 8192, 101, False),
        (8192, 100, 100, True),
        (8192, 100, 101, False),
        (100, 100, 50, False),
    ],
)
def test_size_is_synced_with_a_byte_that_needs_it(was, now, stop, left):
    """A byte beyond the smaller of both sizes cannot be read without the new one."""
    assert left is not after(Truncate(2, now), size=was).sync(Part(2, 0, stop))


def test_smallest_size_since_the_sync_counts():
    """A file that was cut and grew again."""
    operations = (Truncate(2, 10), Truncate(2, 8192))
    assert not after(*operations, size=8192).sync(Part(2, 0, 10))
    assert after(*operations, size=8192).sync(Part(2, 0, 11))


def test_what_was_cut_off_need_not_be_synced():
    """The page that the new end lies in stays."""
    write = Write(2, 0, bytes(3 * PAGE))
    assert after(write, Truncate(2, 0)).sync(HEAD)
    assert not after(write, Truncate(2, PAGE + 1)).sync(Part(2, 0, PAGE))


def test_new_file_is_as_long_as_it_came():
    """A file that moved in with its contents is no new size."""
    arrived = Create(2, Node("file", data=bytes(100)))
    assert after(arrived, Truncate(2, 100)).sync(HEAD)
    assert not after(arrived, Truncate(2, 101)).sync(HEAD)


def test_note_where_it_does_not_count():
    """Nothing is written down then; else the sync is, with or without names."""
    ledger, notes = Ledger(), dict[str, None]()
    ledger.emit(Write(2, PAGE, b"x"))
    ledger.emit_synced(Synced(HEAD, "a synchronous write into", data_only=True), notes)
    assert [Write(2, PAGE, b"x")] == ledger.operations
    assert ["a synchronous write into (no name), which holds other unsynced"] == [
        note[:62] for note in notes
    ]
    ledger.emit_synced(Synced(Part(2, PAGE, PAGE + 1), "", data_only=False), notes)
    assert [SyncFile(2)] == ledger.operations[1:]
