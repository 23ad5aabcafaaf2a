"""The file of a stream: one writer, its name durable with the first sync."""

from __future__ import annotations

import errno

import pytest

from holdfast.errors import LockTimeout
from holdfast.primitives.stream_file import StreamFile
from holdfast.vfs import VFS
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace


def opened(vfs: VFS) -> StreamFile:
    return StreamFile("/a", permissions=0o666, vfs=vfs)


def syncs_of(trace: Trace) -> list[str]:
    """The syncs, in order."""
    return [line.partition("(")[0] for line in map(str, trace.calls) if line.startswith("sync")]


def test_second_writer_is_refused() -> None:
    """Until the first has closed it (I1)."""
    disk = MemoryVFS()
    first = opened(disk)
    with pytest.raises(LockTimeout, match="is being written"):
        opened(disk)
    first.close()
    opened(disk).close()


def test_without_locks_nobody_is_kept_out() -> None:
    """A filesystem that has none is no reason to refuse (I1)."""
    opened(Faulty(MemoryVFS(), Fault("lock", 1, effect="ENOLCK"))).close()


def test_first_sync_is_one_of_file_and_folder() -> None:
    """Those after it are of the data alone (I2)."""
    trace = Trace(MemoryVFS())
    file = opened(trace)
    assert not file.is_named
    file.write(b"one")
    file.sync()
    assert file.is_named
    file.write(b"two")
    file.sync()
    file.close()

    assert ["sync", "sync_folder", "sync_data"] == syncs_of(trace)


def test_what_is_there_is_let_go_of_and_synced() -> None:
    """What a failed sync has left in memory alone is no content of the disk (I3)."""
    disk = MemoryVFS()
    disk.write_tree({"a": b"old"})
    trace = Trace(disk)
    file = opened(trace)
    calls = [str(call).partition("(")[0] for call in trace.calls]

    assert 3 == file.position()
    assert file.is_named
    assert calls.index("drop_cache") < calls.index("sync") < calls.index("sync_folder")
    file.close()


def test_error_names_the_path_and_says_what_is_there() -> None:
    """As the caller wrote it."""
    with pytest.raises(OSError, match="Permission") as error:
        opened(Faulty(MemoryVFS(), Fault("open", 1, effect="EACCES")))

    assert ("/a", errno.EACCES) == (error.value.filename, error.value.errno)
    assert "Nothing was made" in error.value.__notes__[0]
