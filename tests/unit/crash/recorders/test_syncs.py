"""Syncs, and stores into mapped files."""

from __future__ import annotations

import mmap
import os
import sqlite3

import pytest

from holdfast.crash import ack
from holdfast.crash.recorders import CallFault
from holdfast.vfs.operations import (
    Mark,
    SyncAll,
    SyncFailed,
    SyncFile,
    SyncFolder,
    Truncate,
    Write,
)

SYNCS = (SyncAll, SyncFailed, SyncFile, SyncFolder)


def opened() -> int:
    """Open the one file of these tests."""
    return os.open("f", os.O_RDWR | os.O_CREAT, 0o644)


def of(recording, *kinds):
    """Return the operations of some kinds."""
    return [o for o in recording.operations if isinstance(o, kinds)]


def test_each_kind_of_sync(recorded):
    """Files, folders, data alone, and everything."""

    def program():
        file = opened()
        os.fsync(file)
        os.fdatasync(file)
        os.fsync(os.open(".", os.O_RDONLY))
        os.sync()

    expected = [SyncFile(2), SyncFile(2, data_only=True), SyncFolder(1), SyncAll()]
    assert expected == of(recorded.call(program), *SYNCS)


def test_failed_sync_is_an_operation(recorded):
    """After it, the kernel takes dirty pages for clean."""

    def program():
        file = opened()
        with pytest.raises(OSError, match="Input/output error"):
            os.fsync(file)
        os.fsync(file)

    recording = recorded.call(program, faults=[CallFault("fsync", 1, "EIO")])
    assert [SyncFailed(2), SyncFile(2)] == of(recording, *SYNCS)
    assert ["EIO", None] == [call.error for call in recording.calls if "fsync" in call.text]


def test_stores_are_seen_before_the_next_call(recorded):
    """A store stands before the call that came after it, page by page."""

    def program():
        file = opened()
        os.ftruncate(file, 10000)
        with mmap.mmap(file, 10000) as pages:
            pages[0] = 1
            pages[9999] = 2
            os.rename("f", "g")
            pages[4096] = 3

    writes = of(recorded.call(program), Write)
    assert [0, 8192, 4096] == [write.offset for write in writes]
    assert [4096, 1808, 4096] == [len(write.data) for write in writes]


def test_stores_and_acknowledgements_are_in_order(recorded):
    """A store before an acknowledgement is recorded before it."""

    def program():
        file = opened()
        os.ftruncate(file, 4096)
        with mmap.mmap(file, 4096) as pages:
            pages[0] = 1
            ack("stored")
            pages[0] = 2

    recording = recorded.call(program)
    assert [Truncate, Write, Mark, Write] == [type(o) for o in recording.operations[2:]]


def test_msync_makes_stores_durable(recorded):
    """msync of the whole mapping is a sync of the file."""

    def program():
        file = opened()
        os.ftruncate(file, 8192)
        with mmap.mmap(file, 8192) as pages:
            pages[5000] = 1
            pages.flush()

    assert [Write, SyncFile] == [type(o) for o in of(recorded.call(program), Write, *SYNCS)]


def test_msync_of_a_part_counts_if_all_stores_lie_in_it(recorded):
    """Stores elsewhere leave the file unsynced, and a note says so."""

    def program(*stores):
        def run():
            file = opened()
            os.ftruncate(file, 8192)
            with mmap.mmap(file, 8192) as pages:
                for at in stores:
                    pages[at] = 1
                pages.flush(4096, 4096)

        return run

    assert [SyncFile(2)] == of(recorded.call(program(5000)), *SYNCS)
    (recorded.folder / "f").unlink()
    recording = recorded.call(program(0, 5000))
    assert [] == of(recording, *SYNCS)
    assert "msync of a part of f" in recording.notes[0]


def test_writes_and_stores_mix(recorded):
    """A write into a mapped file is not taken for a store as well."""

    def program():
        file = opened()
        os.ftruncate(file, 4096)
        with mmap.mmap(file, 4096) as pages:
            os.write(file, b"abc")
            pages[10] = 1
            os.ftruncate(file, 5000)

    offsets = [len(write.data) for write in of(recorded.call(program), Write)]
    assert [3, 4096] == offsets


def test_mapping_made_before_the_recording(recorded):
    """A function sees the mappings of its parent: they are watched from the start."""
    with open(recorded.folder / "f", "w+b") as file:
        file.write(bytes(4096))
        file.flush()
        with mmap.mmap(file.fileno(), 4096) as pages:
            recording = recorded.call(lambda: pages.__setitem__(7, 1))

    assert [bytes(7) + b"\1" + bytes(4088)] == [write.data for write in of(recording, Write)]


@pytest.mark.parametrize("mode", ["delete", "truncate", "persist", "wal"])
def test_sqlite(recorded, mode):
    """Every journal mode of SQLite is recorded faithfully, shared memory of WAL included."""

    def program():
        database = sqlite3.connect("db", isolation_level=None)
        database.execute(f"pragma journal_mode={mode}")
        database.execute("pragma synchronous=full")
        database.execute("create table t(x)")
        for _ in range(5):
            database.execute("insert into t values (?)", ("x" * 3000,))
            ack("saved")
        database.close()

    recording = recorded.call(program)
    assert 5 == len(of(recording, Mark))
    assert len(of(recording, SyncFile)) >= 5
