"""The lock, the write and the sync of a line log."""

from __future__ import annotations

import threading

import pytest

from holdfast.errors import Closed, HandlePoisoned
from holdfast.primitives.line_log_file import Options
from holdfast.primitives.line_log_records import whole_text
from holdfast.primitives.line_log_rotation import SizeRotation
from holdfast.primitives.line_log_writer import LineWriter
from holdfast.vfs import VFS
from holdfast.vfs.fault import Fault, Faulty, Without
from holdfast.vfs.interpose import Interposed
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace

PATIENCE_S = 20.0


def writer_on(vfs: VFS, *, syncs: bool = True) -> LineWriter:
    options = Options(
        SizeRotation(None, None), whole_text("utf-8"), lambda torn: None, vfs, syncs=syncs
    )
    return LineWriter("/a", options)


def test_lock_is_held_for_the_write_and_not_for_the_sync() -> None:
    """I2: others may write while this one waits for the disk."""
    trace = Trace(MemoryVFS())
    writer = writer_on(trace)
    writer.append([b"one\n"], "always")
    writer.append([b"two\n"], "always")
    writer.close()
    found = [call.operation for call in trace.calls]
    second = found[len(found) - found[::-1].index("lock") - 1 :]
    order = [name for name in second if name in {"lock", "write", "unlock", "sync_data"}]

    assert ["lock", "write", "unlock", "sync_data"] == order


class Meeting(Interposed):
    """Lets another writer append between the look at the end of the log and the write."""

    def __init__(self, inner: VFS) -> None:
        super().__init__(inner)
        self.other: threading.Thread | None = None

    def around(self, call, do):
        if call.operation == "write" and call.name == "a" and self.other is None:
            writer = writer_on(self.inner)
            self.other = threading.Thread(target=writer.append, args=[[b"other\n"], "never"])
            self.other.start()
            self.other.join(0.2)  # it waits for the lock, or it has appended
        return do()


@pytest.mark.parametrize("locks", [True, False])
def test_lock_keeps_two_writers_from_one_place(locks: bool) -> None:
    """Teeth: with the lock both lines stand; without it one is overwritten."""
    disk = MemoryVFS()
    disk.write_tree({"a": b"one\n"})
    meeting = Meeting(disk if locks else Without(disk, "lock"))
    writer = writer_on(meeting)
    writer.append([b"two\n"], "never")
    assert meeting.other is not None
    meeting.other.join(PATIENCE_S)
    writer.close()

    assert locks is (b"one\ntwo\nother\n" == disk.tree()["a"])


def test_barrier_makes_the_name_durable_where_nothing_else_does() -> None:
    """`sync="never"`: the file and its folder are synced when it is asked for."""
    trace = Trace(MemoryVFS())
    writer = writer_on(trace, syncs=False)
    writer.append([b"one\n"], "never")
    before = {call.operation for call in trace.calls}
    writer.barrier()
    found = [call.operation for call in trace.calls]
    writer.close()

    assert not {"sync_data", "sync_folder"} & before
    assert (1, 1) == (found.count("sync_data"), found.count("sync_folder"))


class Slow(Interposed):
    """Holds every sync of data up until it is let go."""

    def __init__(self, inner: VFS) -> None:
        super().__init__(inner)
        self.begun, self.go = threading.Event(), threading.Event()

    def around(self, call, do):
        if call.operation == "sync_data":
            self.begun.set()
            assert self.go.wait(PATIENCE_S)
        return do()


def test_sync_in_the_background_holds_up_nobody(no_thread_left) -> None:
    """I1: lines are appended while it waits for the disk; who wants a sync waits for it."""
    disk = MemoryVFS()
    slow = Slow(disk)
    writer = writer_on(slow)
    writer.append([b"one\n"], 0.001)
    assert slow.begun.wait(PATIENCE_S)
    writer.append([b"two\n"], 60.0)
    assert b"one\ntwo\n" == disk.tree()["a"]
    barrier = threading.Thread(target=writer.barrier)
    barrier.start()
    barrier.join(0.05)
    assert barrier.is_alive()
    slow.go.set()
    barrier.join(PATIENCE_S)

    assert not barrier.is_alive()
    writer.close()
    assert [] == disk.open_files


def test_failure_in_the_background_is_told_to_who_waits_for_a_sync() -> None:
    """I3: a sync that comes after it is not taken for a good one."""
    vfs = Faulty(MemoryVFS(), Fault("sync_data", 1, effect="EIO"))
    writer = writer_on(vfs)
    writer.append([b"one\n"], 60.0)
    writer._sync_in_background()

    assert writer.is_poisoned
    with pytest.raises(HandlePoisoned):
        writer.append([b"two\n"], "always")
    writer.close()


def test_failed_sync_of_a_folder_sticks_as_well() -> None:
    """I3: that of a rotation, or of a new file."""
    writer = writer_on(Faulty(MemoryVFS(), Fault("sync_folder", 1, effect="EIO")))
    with pytest.raises(OSError):
        writer.append([b"one\n"], "always")
    with pytest.raises(HandlePoisoned):
        writer.append([b"two\n"], "always")
    writer.close()


def test_failed_write_does_not_stick() -> None:
    """Only a sync does: with more room the next one goes."""
    disk = MemoryVFS()
    writer = writer_on(Faulty(disk, Fault("write", 1, effect="ENOSPC")))
    with pytest.raises(OSError):
        writer.append([b"one\n"], "always")
    writer.append([b"two\n"], "always")
    writer.close()

    assert b"two\n" == disk.tree()["a"]


def test_child_begins_anew() -> None:
    """I4: nothing pending, nothing open, no lock of a thread that does not exist there."""
    disk = MemoryVFS()
    writer = writer_on(disk)
    writer.append([b"one\n"], 60.0)
    writer._batches.turn.acquire()  # another thread was writing at the moment of the fork
    writer._syncing.acquire()
    writer.forget_parent()
    assert [] == [path for path in disk.open_files if path == "/a"]
    writer.append([b"two\n"], "always")
    writer.close()

    assert b"one\ntwo\n" == disk.tree()["a"]


def test_end_of_the_interpreter_syncs_what_is_pending() -> None:
    """And never fails, whatever has happened before."""
    trace = Trace(MemoryVFS())
    writer = writer_on(trace)
    writer.append([b"one\n"], 60.0)
    writer.finish()
    assert 1 == [call.operation for call in trace.calls].count("sync_data")
    writer.close()
    writer.finish()
    with pytest.raises(Closed):
        writer.prepare()


def test_nothing_to_append_does_nothing() -> None:
    """Not even the file is made."""
    disk = MemoryVFS()
    writer = writer_on(disk)
    writer.append([], "always")
    writer.close()

    assert {} == disk.tree()
