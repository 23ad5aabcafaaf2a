"""The contents before, under a second name."""

from __future__ import annotations

import os
import stat
import struct
from pathlib import Path

import pytest

from holdfast.primitives.replace import (
    write_bytes,
)
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.memory import MemoryVFS

ACL_ACCESS, ACL_DEFAULT = "system.posix_acl_access", "system.posix_acl_default"
SYNCING = {"open", "write", "sync", "close", "rename", "sync_folder", "link", "unlink"}


def access_list(user_id: int, *, mask: int) -> bytes:
    """An access list: owner rw, one named user rw, group r, mask, others nothing."""
    none = 0xFFFFFFFF
    entries = [
        (1, 6, none),
        (2, 6, user_id),
        (4, 4, none),
        (16, mask, none),
        (32, 0, none),
    ]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def umask():
    """Set a umask and put the old one back."""
    old = os.umask(0o022)
    yield os.umask
    os.umask(old)


class TestBackup:
    def test_backup_holds_the_replaced_contents(self, tmp_path) -> None:
        """Each time the contents before, under the name that was given, with their attributes."""
        path = tmp_path / "a"
        write_bytes(path, b"1", backup="a.bak", permissions=0o640)
        assert ["a"] == os.listdir(tmp_path)
        for now in (b"2", b"3"):
            before = path.read_bytes()
            write_bytes(path, now, backup="a.bak")
            assert before == (tmp_path / "a.bak").read_bytes()

        assert 0o640 == mode_of(tmp_path / "a.bak")
        assert ["a", "a.bak"] == sorted(os.listdir(tmp_path))

    def test_backup_is_a_copy_where_links_are_refused(self) -> None:
        """EPERM at the link: the contents are copied and synced."""
        disk = MemoryVFS()
        disk.write_tree({"a": b"old", "b": b"older"})
        vfs = Faulty(disk, Fault("link", 1, effect="EPERM"))
        write_bytes("/a", b"new", backup="b", vfs=vfs)

        assert {"a": b"new", "b": b"old"} == disk.tree()

    def test_backup_that_is_the_same_file_already_is_left(self, tmp_path) -> None:
        """As a crash between the two renames leaves it: no name too many afterwards."""
        (tmp_path / "a").write_bytes(b"old")
        os.link(tmp_path / "a", tmp_path / "b")
        write_bytes(tmp_path / "a", b"new", backup="b")

        assert [b"new", b"old"] == [(tmp_path / n).read_bytes() for n in ("a", "b")]
        assert ["a", "b"] == sorted(os.listdir(tmp_path))

    def test_swept_link_is_made_again(self) -> None:
        """A sweeper that takes the link in between does not make the write fail."""
        disk = MemoryVFS()
        disk.write_tree({"a": b"old"})
        vfs = Faulty(disk, Fault("rename", 1, effect="ENOENT"))
        write_bytes("/a", b"new", backup="b", vfs=vfs)

        assert {"a": b"new", "b": b"old"} == disk.tree()
