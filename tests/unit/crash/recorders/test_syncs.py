"""Syncs, and stores into mapped files."""

from __future__ import annotations

import ctypes
import mmap
import os
import sqlite3
import subprocess
from typing import Any

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
C = ctypes.CDLL(None, use_errno=True)
MS_SYNC = 4


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


@pytest.mark.root
def test_syncfs_of_one_of_several_filesystems_is_no_sync_of_all(recorded):
    """A note says so; `sync` syncs them all."""
    below = recorded.folder / "mounted"
    below.mkdir()
    mount = ["mount", "-t", "tmpfs", "none", str(below)]
    if os.geteuid() or subprocess.run(mount, check=False).returncode:
        pytest.skip("needs root: mounts a filesystem")

    def program():
        os.write(os.open("mounted/f", os.O_WRONLY | os.O_CREAT), b"unsynced")
        assert 0 == C.syncfs(os.open(".", os.O_RDONLY))
        ack("after syncfs")
        os.sync()

    try:
        recording = recorded.call(program)
    finally:
        subprocess.run(["umount", str(below)], check=True)
    assert [Mark, SyncAll] == [type(o) for o in of(recording, Mark, *SYNCS)]
    assert ["the recorded folder spans several filesystems"] == [n[:45] for n in recording.notes]


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

    assert [SyncFile(2, data_only=True)] == of(recorded.call(program(5000)), *SYNCS)
    (recorded.folder / "f").unlink()
    recording = recorded.call(program(0, 5000))
    assert [] == of(recording, *SYNCS)
    assert "msync of a part of f" in recording.notes[0]


def test_msync_of_all_parts_counts(recorded):
    """One after the other: the last of them leaves nothing unsynced."""

    def program():
        file = opened()
        os.ftruncate(file, 8192)
        with mmap.mmap(file, 8192) as pages:
            pages[0] = pages[5000] = 1
            pages.flush(4096, 4096)
            pages.flush(0, 4096)

    assert [SyncFile(2, data_only=True)] == of(recorded.call(program), *SYNCS)


@pytest.mark.parametrize("change", ["write", "truncate"])
def test_msync_does_not_cover_writes_elsewhere(recorded, change):
    """What calls did to the rest of the file is as unsynced as stores there."""

    def program():
        file = opened()
        os.ftruncate(file, 16384)
        os.fsync(file)
        with mmap.mmap(file, 8192) as pages:
            if change == "write":
                os.pwrite(file, b"data", 12288)
            else:
                os.ftruncate(file, 12288)
            pages[0] = 1
            pages.flush()

    recording = recorded.call(program)
    assert [SyncFile(2)] == of(recording, *SYNCS)
    assert "msync of a part of f" in recording.notes[0]


def test_msync_of_what_was_open_to_be_read_is_none(recorded):
    """The kernel syncs nothing then."""

    def program():
        file = opened()
        os.ftruncate(file, 4096)
        with mmap.mmap(file, 4096) as pages:
            pages[0] = 1
            reading = os.open("f", os.O_RDONLY)
            with mmap.mmap(reading, 4096, prot=mmap.PROT_READ) as seen:
                address = ctypes.c_void_p(address_of(seen))
                assert 0 == C.msync(address, ctypes.c_size_t(4096), MS_SYNC)

    assert [] == of(recorded.call(program), *SYNCS)


def address_of(pages: mmap.mmap) -> int:
    """Where a mapping of ours is that may not be written."""
    from holdfast.crash.recorders.mappings import shared_mappings

    return next(m.start for m in shared_mappings(os.getpid()) if not m.writable and pages)


def test_stores_after_a_synchronous_write(recorded):
    """Stores elsewhere in the file are not covered by it."""

    def program():
        file = opened()
        os.ftruncate(file, 8192)
        os.fsync(file)
        with mmap.mmap(file, 8192) as pages:
            pages[5000] = 1
            os.pwritev(file, [b"head"], 0, os.RWF_DSYNC)

    assert [SyncFile(2)] == of(recorded.call(program), *SYNCS)


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


def test_read_only_mapping_made_before_the_recording(recorded):
    """It can be made writable later if the file was open for that, so it is watched as well."""
    with open(recorded.folder / "f", "w+b") as file:
        file.truncate(4096)
        with mmap.mmap(file.fileno(), 4096, prot=mmap.PROT_READ) as pages:
            address, size = address_of(pages), ctypes.c_size_t(4096)

            def program():
                assert 0 == C.mprotect(ctypes.c_void_p(address), size, mmap.PROT_WRITE)
                ctypes.memset(address, 1, 1)
                ack("stored")
                ctypes.memset(address, 2, 1)

            recording = recorded.call(program)

    assert [1, 2] == [write.data[0] for write in of(recording, Write)]


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


def test_sync_stays_on_the_filesystem_of_the_folder(recorded):
    """A machine-wide sync may take minutes: what is written elsewhere stays dirty."""
    from holdfast.crash.recorders.kernel import native_architecture
    from holdfast.crash.recorders.scene import Scene

    scene = Scene(native_architecture(), str(recorded.folder))
    scene.start()

    class Stopped:
        """A call that must not be carried out as it is."""

        name = "sync"

        def execute(self, number):
            raise AssertionError(number)

    stopped: Any = Stopped()
    assert 0 == scene.sync(stopped)
    scene.ledger.born((0, 0))  # a file of another filesystem below the folder
    with pytest.raises(AssertionError):
        scene.sync(stopped)
    scene.close()
