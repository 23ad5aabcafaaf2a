"""What is aimed at, and what is refused."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
from pathlib import Path

import pytest

from holdfast.errors import PromiseUnavailable
from holdfast.primitives.replace import replace_bytes, write_bytes, write_text
from holdfast.primitives.replacing import replacing
from holdfast.primitives.write_many import write_many
from holdfast.primitives.writer import open as hold_open
from holdfast.vfs import SYSTEM
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace
from tests.support.leftovers import temporary


class TestPlaces:
    def test_symlinks_are_followed_to_the_end(self, tmp_path) -> None:
        """Relative and chained: the links stay, the target is replaced in its own folder."""
        (tmp_path / "deep").mkdir()
        (tmp_path / "deep" / "file").write_bytes(b"old")
        (tmp_path / "deep" / "second").symlink_to("file")
        (tmp_path / "first").symlink_to("deep/second")
        vfs = Trace(SYSTEM)
        write_bytes(tmp_path / "first", b"new", vfs=vfs)

        assert b"new" == (tmp_path / "deep" / "file").read_bytes()
        assert (tmp_path / "first").is_symlink()
        assert (tmp_path / "deep" / "second").is_symlink()
        synced = [call for call in vfs.lines if call.startswith("sync_folder")]
        assert 1 == len(synced)
        assert "deep" in synced[0]

    def test_dangling_symlink_creates_its_target(self, tmp_path) -> None:
        """As the built-in `open` does, folders included."""
        (tmp_path / "link").symlink_to("missing/file")
        write_bytes(tmp_path / "link", b"new")

        assert b"new" == (tmp_path / "missing" / "file").read_bytes()
        assert (tmp_path / "link").is_symlink()

    def test_loop_of_symlinks_is_refused(self, tmp_path) -> None:
        """ELOOP, and the links are as they were."""
        (tmp_path / "a").symlink_to("b")
        (tmp_path / "b").symlink_to("a")
        with pytest.raises(OSError) as caught:
            write_bytes(tmp_path / "a", b"new")

        assert errno.ELOOP == caught.value.errno
        assert ["a", "b"] == sorted(os.listdir(tmp_path))

    @pytest.mark.parametrize("name", ["n" * 255, "é" * 127, "\U0001f600" * 63, "日" * 85])
    def test_names_may_fill_the_255_bytes(self, tmp_path, name) -> None:
        """The temp's name fits, whatever the target's."""
        write_bytes(tmp_path / name, b"a")

        assert [name] == os.listdir(tmp_path)

    def test_undecodable_names_and_bytes_work(self, tmp_path) -> None:
        """A name that is no UTF-8, given as text or as bytes."""
        raw = os.fsencode(tmp_path) + b"/\xff\xfe"
        write_bytes(os.fsdecode(raw), b"text")
        write_bytes(raw, b"bytes")  # type: ignore[arg-type]

        assert [b"\xff\xfe"] == os.listdir(os.fsencode(tmp_path))

    @pytest.mark.parametrize("path", ["", "missing/", ".", ".."])
    def test_path_without_a_name_is_refused(self, tmp_path, path) -> None:
        """An empty path does not exist, and one that ends in a slash or dots is a folder."""
        with pytest.raises(OSError) as caught:
            write_bytes(path if not path else f"{tmp_path}/{path}", b"a")

        assert caught.value.errno in {errno.ENOENT, errno.EISDIR}
        assert [] == os.listdir(tmp_path)

    @pytest.mark.parametrize("kind", ["fifo", "socket", "folder", "device"])
    def test_special_files_are_refused_and_untouched(self, tmp_path, kind) -> None:
        """`PromiseUnavailable` before anything is made; through a symlink too."""
        path = tmp_path / "a"
        if kind == "fifo":
            os.mkfifo(path)
        elif kind == "socket":
            with socket.socket(socket.AF_UNIX) as opened:
                opened.bind(os.path.relpath(path))
        elif kind == "folder":
            path.mkdir()
        else:
            path = Path("/dev/null")
        (tmp_path / "link").symlink_to(path)
        before = path.lstat()
        for place in (path, tmp_path / "link"):
            with pytest.raises(PromiseUnavailable, match="is a") as caught:
                write_bytes(place, b"a")
            assert (errno.EISDIR if kind == "folder" else errno.ENOTSUP) == caught.value.errno

        assert before.st_ino == path.lstat().st_ino
        assert [] == temporary(tmp_path)

    @pytest.mark.root
    def test_bind_mounted_file_is_refused_and_untouched(self, tmp_path) -> None:
        """EBUSY at the rename is `PromiseUnavailable`: the file as it was, and no temp."""
        for name in ("a", "outside"):
            (tmp_path / name).write_bytes(b"old")
        mount = ["mount", "--bind", str(tmp_path / "outside"), str(tmp_path / "a")]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("this root may not mount")
        try:
            with pytest.raises(PromiseUnavailable) as caught:
                write_bytes(tmp_path / "a", b"new")
            assert errno.EBUSY == caught.value.errno
            assert b"old" == (tmp_path / "a").read_bytes()
            assert [] == temporary(tmp_path)
        finally:
            subprocess.run(["umount", str(tmp_path / "a")], check=True)

    @pytest.mark.root
    def test_immutable_file_is_untouched(self, tmp_path) -> None:
        """EPERM comes as it is, with a note; the old contents stand."""
        path = tmp_path / "a"
        path.write_bytes(b"old")
        if subprocess.run(["chattr", "+i", path], capture_output=True, check=False).returncode:
            pytest.skip("this filesystem has no immutable files")
        try:
            with pytest.raises(PermissionError) as caught:
                write_bytes(path, b"new")
        finally:
            subprocess.run(["chattr", "-i", path], check=True)

        assert "The old contents stand." in caught.value.__notes__[0]
        assert b"old" == path.read_bytes()
        assert [] == temporary(tmp_path)

    def test_read_only_folder_says_so(self) -> None:
        """EACCES at the making of the temp comes as it is, with a note."""
        disk = MemoryVFS()
        disk.write_tree({"a": b"old"})
        with pytest.raises(PermissionError) as caught:
            write_bytes("/a", b"new", vfs=Faulty(disk, Fault("open", 1, effect="EACCES")))

        assert "permissions of the folder" in caught.value.__notes__[0]
        assert {"a": b"old"} == disk.tree()

    def test_moved_folder_is_still_the_one_that_is_written(self, tmp_path) -> None:
        """The folder taken at the start decides, though it has another path at the rename."""
        (tmp_path / "before").mkdir()
        vfs = Trace(SYSTEM)
        vfs.subscribe(
            lambda call: (
                os.rename(tmp_path / "before", tmp_path / "after")
                if call.operation == "write"
                else None
            )
        )
        write_bytes(tmp_path / "before" / "a", b"a", vfs=vfs)

        assert b"a" == (tmp_path / "after" / "a").read_bytes()
        assert ["after"] == os.listdir(tmp_path)


TEMPORARY = ".notes.0123456789abcdef.holdfast-tmp"


def replace_by_tool(path, **options):
    with replacing(path, **options) as inner:
        inner.write_bytes(b"new")


def write_stream(path, **options):
    with hold_open(path, "wb", **options) as file:
        file.write(b"new")


@pytest.mark.parametrize(
    "write",
    [
        lambda path, **options: write_bytes(path, b"new", **options),
        lambda path, **options: write_text(path, "new", **options),
        write_stream,
        replace_by_tool,
    ],
)
@pytest.mark.parametrize("as_backup", [False, True])
def test_name_that_would_be_swept_is_refused(tmp_path, write, as_backup) -> None:
    """As target, behind a symlink, or as backup: nothing is done."""
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "link").symlink_to(TEMPORARY)
    for name in ["a"] if as_backup else [TEMPORARY, "link"]:
        options = {"backup": TEMPORARY} if as_backup else {}
        with pytest.raises(ValueError, match="temporary file"):
            write(tmp_path / name, **options)

    assert ["a", "link"] == sorted(os.listdir(tmp_path))
    assert b"old" == (tmp_path / "a").read_bytes()


def test_name_that_would_be_swept_is_refused_in_a_batch_and_in_an_open_folder(tmp_path) -> None:
    """Also for the second file of a folder."""
    with pytest.raises(ValueError, match="temporary file"):
        write_many({tmp_path / "a": b"1", tmp_path / TEMPORARY: b"2"})
    folder = SYSTEM.folder(str(tmp_path))
    with pytest.raises(ValueError, match="temporary file"):
        replace_bytes(folder, TEMPORARY, b"new", old=None)
    folder.close()

    assert [] == os.listdir(tmp_path)
