"""Files of the memory filesystem: full disks, failed syncs, privileges, special files."""

from __future__ import annotations

import errno
import stat

import pytest

from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.memory_file import MemoryFile


def new(vfs: MemoryVFS, name: str = "a") -> MemoryFile:
    """A new file at the top."""
    folder = vfs.folder("/")
    file = folder.open(name, "new")
    folder.close()
    return file


def test_write_on_a_filling_disk_is_short() -> None:
    """What fits is written and counted, and only the next write is ENOSPC."""
    vfs = MemoryVFS(capacity_bytes=10)
    file = new(vfs)
    assert 7 == file.write(b"1234567")
    assert 3 == file.write(b"1234567")
    with pytest.raises(OSError, check=lambda error: error.errno == errno.ENOSPC):
        file.write(b"1")
    assert b"1234567123" == file.read(99, offset=0)
    assert 10 == file.seek(0, 1)
    file.close()


def test_full_disk_can_be_overwritten_and_freed() -> None:
    """Bytes that are there already take no room, and a truncate gives room back."""
    vfs = MemoryVFS(capacity_bytes=10)
    file = new(vfs)
    file.write(b"1234567890")
    assert 5 == file.write(b"abcde", offset=5)
    assert 5 == file.write(b"ABCDEFG", offset=5)
    file.truncate(4)
    assert 6 == file.write(b"xxxxxxxx", offset=4)
    assert 10 == vfs.core.used_bytes
    file.close()


def test_empty_write_on_a_full_disk_is_well() -> None:
    """No bytes always fit."""
    vfs = MemoryVFS(capacity_bytes=0)
    file = new(vfs)
    assert 0 == file.write(b"")
    file.close()


def test_short_write_is_what_a_crash_sees() -> None:
    """The history has the bytes that were written, not those that were offered."""
    vfs = MemoryVFS(capacity_bytes=3)
    file = new(vfs)
    file.write(b"12345")
    file.sync()
    file.close()
    folder = vfs.folder("/")
    folder.sync()
    folder.close()
    assert {"a": b"123"} == vfs.crash().tree()


def test_sync_of_data_keeps_contents_and_size_alone() -> None:
    """Mode and attributes may be lost in a crash, and the bytes may not."""
    vfs = MemoryVFS()
    vfs.write_tree({"a": b"old"})
    folder = vfs.folder("/")
    file = folder.open("a", "write")
    file.write(b"contents")
    file.set_attributes(mode=0o600, owner=None, xattrs={})
    file.sync_data()
    file.close()
    folder.close()
    crashed = vfs.crash()

    assert {"a": b"contents"} == crashed.tree()
    assert 0o644 == stat.S_IMODE(crashed.stat("/a").st_mode)


def test_sync_of_the_data_of_a_folder_covers_its_names() -> None:
    """What has no data but names is synced as what it is."""
    vfs = MemoryVFS()
    new(vfs, "b").close()
    folder = vfs.folder("/")
    file = folder.open(".", "read")
    file.sync_data()
    file.close()
    folder.close()

    assert {"b": b""} == vfs.crash().tree()


def test_failed_sync_is_not_repaired_by_a_second() -> None:
    """What was dirty at the failure may be gone, though a later sync returned well."""
    vfs = MemoryVFS()
    vfs.write_tree({"a": b"old"})
    folder = vfs.folder("/")
    file = folder.open("a", "write")
    file.write(b"new")
    file.fail_sync()
    file.sync()
    assert b"new" == file.read(9, offset=0)
    file.close()
    folder.close()
    assert {"a": b"old"} == vfs.crash().tree()


def test_sync_of_a_folder_as_a_file_covers_its_names() -> None:
    """A folder that is opened as a file is synced as what it is."""
    vfs = MemoryVFS()
    vfs.write_tree({"d": None})
    top, inside = vfs.folder("/"), vfs.folder("/d")
    inside.open("a", "new").close()
    file = top.open("d", "read")
    file.sync()
    for opened in (file, top, inside):
        opened.close()
    assert {"d": None, "d/a": b""} == vfs.crash().tree()


def test_privileged_caller_sets_any_owner() -> None:
    """As root, owner, set-ID bits and attributes are all kept."""
    file = new(MemoryVFS())
    xattrs = {"user.a": b"1", "security.b": b"2"}
    file.set_attributes(mode=0o4755, owner=(7, 8), xattrs=xattrs)
    info = file.stat()
    assert (7, 8, 0o4755) == (info.st_uid, info.st_gid, stat.S_IMODE(info.st_mode))
    assert xattrs == file.description.inode.xattrs
    file.close()


def test_plain_caller_leaves_out_what_it_may_not_set() -> None:
    """Without privilege another owner is left out, and the set-ID bits with it."""
    vfs = MemoryVFS()
    vfs.core.privileged = False
    file = new(vfs)
    file.set_attributes(mode=0o4755, owner=(7, 8), xattrs={"user.a": b"1", "trusted.b": b"2"})
    info = file.stat()
    assert (1000, 1000, 0o755) == (info.st_uid, info.st_gid, stat.S_IMODE(info.st_mode))
    assert {"user.a": b"1"} == file.description.inode.xattrs
    file.set_attributes(mode=0o4755, owner=(1000, 1000), xattrs={})
    assert 0o4755 == stat.S_IMODE(file.stat().st_mode)
    file.close()


def test_special_files_take_no_data() -> None:
    """A FIFO or device opens, is at its end, and refuses writes."""
    vfs = MemoryVFS()
    vfs.make_node("/fifo", "fifo")
    folder = vfs.folder("/")
    file = folder.open("fifo", "write")
    assert b"" == file.read(1)
    with pytest.raises(OSError, check=lambda error: error.errno == errno.EINVAL):
        file.write(b"a")
    file.close()
    folder.close()


def test_there_is_no_descriptor() -> None:
    """A memory file cannot be handed to the system."""
    file = new(MemoryVFS())
    with pytest.raises(OSError, check=lambda error: error.errno == errno.EBADF):
        file.fileno()
    file.close()


def test_read_of_a_negative_size_is_refused() -> None:
    """As the system has it."""
    file = new(MemoryVFS())
    with pytest.raises(OSError, check=lambda error: error.errno == errno.EINVAL):
        file.read(-1)
    file.close()
