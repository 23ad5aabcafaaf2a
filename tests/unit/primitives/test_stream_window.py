"""The invariants of the window; as a file it is tested with the stream."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.errors import Closed, HandlePoisoned
from holdfast.primitives.stream_file import StreamFile
from holdfast.primitives.stream_window import Window
from holdfast.vfs import CLOCK, VFS
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.memory import MemoryVFS
from tests.support.streams import taken


def window(vfs: VFS, *, most: int = 100, buffer: int = 0) -> Window:
    file = StreamFile("/a", permissions=0o666, vfs=vfs)
    return Window(
        file, sync_every_s=3600, max_unsynced_bytes=most, buffer_bytes=buffer, clock=CLOCK
    )


def test_durable_is_moved_by_a_sync_alone() -> None:
    """Not by a write, not by a flush (I1)."""
    one = window(MemoryVFS())
    one.write(b"123")
    one.flush()
    assert 0 == one.durable
    one.sync()
    assert 3 == one.durable
    one.close()


def test_nothing_is_written_after_a_failed_sync() -> None:
    """The bytes of a refused write are not in the file (I2)."""
    disk = MemoryVFS()
    one = window(Faulty(disk, Fault("sync", 1, effect="EIO")))
    one.write(b"123")
    with pytest.raises(OSError, match="Input/output"):
        one.sync()
    with pytest.raises(HandlePoisoned):
        one.write(b"456")
    with pytest.raises(HandlePoisoned):
        one.close()

    assert b"123" == disk.tree()["a"]


def test_failed_write_counts_what_was_taken() -> None:
    """Position and window go on from there (I3)."""
    one = window(MemoryVFS(capacity_bytes=2))
    with pytest.raises(OSError, match="No space"):
        one.write(b"123")
    assert (2, 2) == (one.written, one.unsynced_bytes)
    one.close()


def test_failed_sync_in_a_write_says_what_is_durable() -> None:
    """Not that the rest can be written: it cannot."""
    one = window(Faulty(MemoryVFS(), Fault("sync", 1, effect="EIO")), most=3)
    one.write(b"123")
    with pytest.raises(OSError, match="Input/output") as error:
        one.write(b"4")
    with pytest.raises(HandlePoisoned):
        one.close()

    assert ["The first 0 bytes are durable"] == [
        note.partition(";")[0] for note in error.value.__notes__
    ]
    assert 0 == taken(error.value)


def test_copy_of_a_child_is_closed_without_a_sync(tmp_path: Path) -> None:
    """What it has not written is not its own (I5)."""
    del tmp_path
    one = window(MemoryVFS())
    one.write(b"123")
    one.forget_parent()  # what a fork does in the child
    assert not one.is_own
    one.close()

    assert 0 == one.durable


def test_closed_window_is_refused_and_flushed_in_vain() -> None:
    """A file object flushes itself when it is closed."""
    one = window(MemoryVFS())
    one.close()
    one.flush()
    with pytest.raises(Closed):
        one.sync()
    one.abandon()


def test_abandoned_window_passes_its_buffer_on_and_syncs_nothing() -> None:
    """The interpreter is being taken apart: no thread may be waited for."""
    disk = MemoryVFS()
    one = window(disk, buffer=10)
    one.write(b"123")
    one.abandon()
    one.close()

    assert b"123" == disk.tree()["a"]
    assert 0 == one.durable


def test_buffer_is_passed_on_before_the_program_ends() -> None:
    """And what is written after that goes to the system at once, in its order."""
    disk = MemoryVFS()
    one = window(disk, buffer=10)
    one.write(b"123")
    one.stop_buffering()
    one.write(b"45")

    assert b"12345" == disk.tree()["a"]
    one.close()


def test_buffer_that_cannot_be_passed_on_keeps_its_order() -> None:
    """It stays a buffer: nothing overtakes it."""
    disk = MemoryVFS(capacity_bytes=0)
    one = window(disk, buffer=10)
    one.write(b"123")
    one.stop_buffering()
    disk.core.capacity_bytes = None
    one.write(b"45")
    one.close()

    assert b"12345" == disk.tree()["a"]
