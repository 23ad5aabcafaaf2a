"""A path for tools that want one."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path

import pytest

from holdfast.errors import PromiseUnavailable
from holdfast.primitives.replacing import areplacing, replacing
from holdfast.primitives.sweep import sweep
from holdfast.vfs import SYSTEM
from holdfast.vfs.fault import Fault, Faulty
from tests.support.leftovers import temporary


def test_what_the_tool_wrote_is_put_in_place(tmp_path) -> None:
    """The path ends in the target's name, and what is there at the end replaces the target."""
    (tmp_path / "a.npz").write_bytes(b"old")
    (tmp_path / "a.npz").chmod(0o640)
    with replacing(tmp_path / "a.npz") as path:
        assert ("a.npz", True) == (path.name, path.is_absolute())
        path.write_bytes(b"new")
        assert b"old" == (tmp_path / "a.npz").read_bytes()

    assert b"new" == (tmp_path / "a.npz").read_bytes()
    assert 0o640 == stat.S_IMODE((tmp_path / "a.npz").stat().st_mode)
    assert ["a.npz"] == os.listdir(tmp_path)


def test_tool_may_replace_the_file_and_leave_others(tmp_path) -> None:
    """A tool with its own temp and rename, and a folder that it forgot: all gone at the end."""
    with replacing(tmp_path / "a") as path:
        (path.parent / "tool.tmp").write_bytes(b"new")
        (path.parent / "tool.tmp").rename(path)
        (path.parent / "forgotten" / "deep").mkdir(parents=True)
        (path.parent / "forgotten" / "deep" / "file").touch()
        (path.parent / "link").symlink_to(tmp_path)

    assert b"new" == (tmp_path / "a").read_bytes()
    assert ["a"] == os.listdir(tmp_path)


def test_exception_in_the_body_leaves_the_old_contents(tmp_path) -> None:
    """And nothing else."""
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), replacing(tmp_path / "a") as path:
        path.write_bytes(b"new")
        raise KeyboardInterrupt

    assert b"old" == (tmp_path / "a").read_bytes()
    assert ["a"] == os.listdir(tmp_path)


def test_nothing_written_is_an_error(tmp_path) -> None:
    """FileNotFoundError for the target, which stands."""
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(FileNotFoundError) as caught, replacing(tmp_path / "a"):
        pass

    assert str(tmp_path / "a") == caught.value.filename
    assert "The old contents stand." in caught.value.__notes__[0]
    assert ["a"] == os.listdir(tmp_path)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: os.symlink("/dev/null", path)])
def test_only_a_regular_file_is_put_in_place(tmp_path, make) -> None:
    """A FIFO, folder or symlink made in the body is refused."""
    (tmp_path / "a").write_bytes(b"old")
    with (
        pytest.raises(PromiseUnavailable, match="no regular file"),
        replacing(tmp_path / "a") as p,
    ):
        make(p)

    assert b"old" == (tmp_path / "a").read_bytes()
    assert ["a"] == os.listdir(tmp_path)


def test_fifo_as_the_target_is_refused_at_the_start(tmp_path) -> None:
    """Before the tool has worked for nothing."""
    os.mkfifo(tmp_path / "a")
    with pytest.raises(PromiseUnavailable), replacing(tmp_path / "a"):
        pytest.fail("the body ran")

    assert ["a"] == os.listdir(tmp_path)


def test_symlink_is_followed_and_backup_kept(tmp_path) -> None:
    """As for `write_bytes`."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a").write_bytes(b"old")
    (tmp_path / "link").symlink_to("deep/a")
    with replacing(tmp_path / "link", backup="b", permissions=0o600) as path:
        path.write_bytes(b"new")

    assert {"a": b"new", "b": b"old"} == {
        p.name: p.read_bytes() for p in (tmp_path / "deep").iterdir()
    }
    assert 0o600 == stat.S_IMODE((tmp_path / "deep" / "a").stat().st_mode)


def test_chdir_in_the_body_changes_nothing(tmp_path) -> None:
    """The path is absolute, and the folder taken at the start."""
    (tmp_path / "elsewhere").mkdir()
    before = os.getcwd()
    os.chdir(tmp_path)
    try:
        with replacing("a") as path:
            os.chdir("elsewhere")
            path.write_bytes(b"new")
            (path.parent / "inner" / "more").mkdir(parents=True)
    finally:
        os.chdir(before)

    assert ["a", "elsewhere"] == sorted(os.listdir(tmp_path))


def test_living_private_folder_is_not_swept(tmp_path) -> None:
    """A sweeper in the body removes nothing, though it is the same process."""
    with replacing(tmp_path / "a") as path:
        path.write_bytes(b"new")
        assert [] == sweep(tmp_path)
        assert [] == sweep(tmp_path, recursive=True)

    assert b"new" == (tmp_path / "a").read_bytes()


def test_private_folder_is_for_its_owner_alone(tmp_path) -> None:
    """Mode 0700."""
    with replacing(tmp_path / "a") as path:
        assert 0o700 == stat.S_IMODE(path.parent.stat().st_mode)
        path.touch()


def test_it_is_used_once(tmp_path) -> None:
    """A second `with` on the same object is refused."""
    once = replacing(tmp_path / "a")
    with once as path:
        path.touch()
    with pytest.raises(ValueError, match="once"), once:
        pytest.fail("the body ran")


def test_failed_sync_leaves_the_old_contents(tmp_path) -> None:
    """EIO at the sync of what the tool wrote: nothing changed, nothing left."""
    (tmp_path / "a").write_bytes(b"old")
    vfs = Faulty(SYSTEM, Fault("sync", 1, effect="EIO"))
    with (
        pytest.raises(OSError, match="Input/output"),
        replacing(tmp_path / "a", vfs=vfs) as path,
    ):
        path.write_bytes(b"new")

    assert b"old" == (tmp_path / "a").read_bytes()
    assert [] == temporary(tmp_path)


def test_forked_child_removes_nothing(tmp_path) -> None:
    """A child that leaves the body by an exception does not take the parent's folder away."""
    target = replacing(tmp_path / "a")
    with target as path:
        path.write_bytes(b"new")
        pid = os.fork()
        if pid == 0:
            try:
                target.__exit__(SystemExit, None, None)
            finally:
                os._exit(0)
        os.waitpid(pid, 0)
        assert path.exists()


def test_twin_does_the_same(tmp_path) -> None:
    """`areplacing` commits, and discards after an exception."""

    async def main(*, fail: bool) -> Path:
        async with areplacing(tmp_path / "a") as path:
            path.write_bytes(b"failed" if fail else b"new")
            if fail:
                raise LookupError
        return path

    asyncio.run(main(fail=False))
    with pytest.raises(LookupError):
        asyncio.run(main(fail=True))

    assert b"new" == (tmp_path / "a").read_bytes()
    assert ["a"] == os.listdir(tmp_path)
