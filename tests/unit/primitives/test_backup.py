"""The contents before, under a second name."""

from __future__ import annotations

import os

from holdfast.primitives.replace import (
    write_bytes,
)
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.memory import MemoryVFS
from tests.support.attributes import mode_of


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
