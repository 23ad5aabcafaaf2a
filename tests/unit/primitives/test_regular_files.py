"""What is opened is a regular file of that name, or nothing."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from holdfast.primitives.regular_files import is_same, open_regular, read_block
from holdfast.vfs import SYSTEM
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.memory import MemoryVFS


def disk_with(data: bytes) -> MemoryVFS:
    """One file."""
    disk = MemoryVFS()
    disk.write_tree({"j/file": data})
    return disk


@pytest.mark.parametrize("mode", ["read", "write"])
def test_regular_file_is_opened(mode) -> None:
    """As it is asked for."""
    disk = disk_with(b"abc")
    file = open_regular(disk.folder("/j"), "file", mode=mode)
    assert file is not None
    assert b"abc" == file.read(9)
    if mode == "write":
        assert 1 == file.write(b"x", offset=0)
    else:
        with pytest.raises(OSError, match="descriptor"):
            file.write(b"x")


@pytest.mark.parametrize("kind", ["fifo", "symlink", "dangling", "folder"])
def test_anything_else_is_nothing(kind, tmp_path: Path) -> None:
    """At once, and what a symlink points to is not touched."""
    path = tmp_path / "file"
    (tmp_path / "real").write_bytes(b"real")
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("real" if kind == "symlink" else "nowhere")
    folder = SYSTEM.folder(str(tmp_path))
    for mode in ("read", "write"):
        assert open_regular(folder, "file", mode=mode) is None
    folder.close()


def test_nothing_is_told_as_the_system_does() -> None:
    """The caller decides what that means."""
    with pytest.raises(FileNotFoundError):
        open_regular(disk_with(b"").folder("/j"), "other")


@pytest.mark.parametrize("effect", ["EACCES", "EPERM", "EROFS"])
def test_what_may_not_be_written_is_read_on_request(effect) -> None:
    """Without the request it is an error."""
    for falls_back in (True, False):
        vfs = Faulty(disk_with(b"abc"), Fault("open", 1, effect=effect))
        if falls_back:
            file = open_regular(vfs.folder("/j"), "file", mode="write", may_fall_back=True)
            assert file is not None
            assert b"abc" == file.read(9)
        else:
            with pytest.raises(OSError) as caught:
                open_regular(vfs.folder("/j"), "file", mode="write")
            assert getattr(errno, effect) == caught.value.errno


def test_other_errors_are_not_got_around() -> None:
    """Only refusals are: a disk that fails says so."""
    vfs = Faulty(disk_with(b"abc"), Fault("open", 1, effect="EIO"))
    with pytest.raises(OSError, match="Input/output"):
        open_regular(vfs.folder("/j"), "file", mode="write", may_fall_back=True)


class Swapped:
    """A folder in which the file is replaced after the first look."""

    def __init__(self, disk: MemoryVFS) -> None:
        self._folder = disk.folder("/j")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._folder, name)

    def stat(self, name: str) -> Any:
        """Look, and then another one has the name."""
        info = self._folder.stat(name)
        self._folder.open("new", "new").close()
        self._folder.rename("new", name)
        return info


def test_what_was_replaced_between_two_looks_is_not_there() -> None:
    """It could be what a symlink points to."""
    disk = disk_with(b"abc")
    folder: Any = Swapped(disk)
    with pytest.raises(FileNotFoundError, match="replaced"):
        open_regular(folder, "file")
    assert [] == disk.open_files


def test_failing_look_closes_the_file() -> None:
    """Nothing stays open."""
    disk = disk_with(b"abc")
    with pytest.raises(OSError, match="Input/output"):
        open_regular(Faulty(disk, Fault("stat_file", 1, effect="EIO")).folder("/j"), "file")
    assert [] == disk.open_files


def test_short_reads_are_gone_on_with() -> None:
    """Less comes at the end of the file alone."""
    vfs = Faulty(disk_with(b"abcdef"), Fault("read", 1, effect="short 2", repeat=True))
    file = vfs.folder("/j").open("file", "read")
    assert b"bcdef" == read_block(file, 5, offset=1)
    assert b"ef" == read_block(file, 9, offset=4)
    assert b"" == read_block(file, 9, offset=6)


def test_same_file_is_told_by_device_and_number() -> None:
    """Nothing is the same as nothing."""
    disk = disk_with(b"")
    disk.write_tree({"j/other": b""})
    one, other = disk.stat("/j/file"), disk.stat("/j/other")
    assert [True, False, False] == [is_same(one, one), is_same(one, other), is_same(None, one)]
