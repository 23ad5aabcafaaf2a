"""Folders on the way are made, and durable."""

from __future__ import annotations

import errno
import os
from contextlib import suppress

import pytest

from holdfast.primitives.folders import (
    absolute_path,
    close_quietly,
    forget,
    open_folder,
    open_subfolder,
)
from holdfast.primitives.line_log import LineLog
from holdfast.primitives.lock import FileLock
from holdfast.primitives.log import Log
from holdfast.primitives.replace import write_bytes
from holdfast.state.store import Store
from holdfast.vfs import SYSTEM, Sync
from holdfast.vfs.fault import Fault, Faulty, each_fault
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace
from tests.support.users import as_user, shared_folder


def make(path: str, vfs, sync: Sync = "always") -> None:
    open_folder(path, sync=sync, vfs=vfs).close()


@pytest.mark.parametrize("path", ["/a/b/c", "a/b/c", "/a//b/c/", "/a/b/../b/c"])
def test_missing_folders_are_made_and_survive_a_power_cut(path: str) -> None:
    """Each is there after a crash right after the return, in every state that is legal."""
    disk = MemoryVFS()
    make(path, disk)
    states = disk.crash_states(at=len(disk.core.operations))
    for state in states:
        assert {"a": None, "a/b": None, "a/b/c": None} == state.tree()

    assert 1 <= states.states
    assert [] == disk.leftovers()


def test_every_new_folder_and_the_topmost_parent_are_synced() -> None:
    """I1: the ones that were made, and the one that holds the topmost."""
    disk = MemoryVFS()
    disk.write_tree({"old": None})
    vfs = Trace(disk)
    make("/old/a/b", vfs)
    synced = {line.split("(")[1].split(")")[0] for line in vfs.lines if "sync_folder" in line}

    assert {"/old", "/old/a", "/old/a/b"} == synced


def test_folder_that_another_made_at_the_same_moment_is_synced() -> None:
    """I1: EEXIST does not say that the other one has synced it."""
    disk = MemoryVFS()
    vfs = Trace(disk)

    def other(call) -> None:
        if call.operation == "folder" and call.name == "/":
            top = disk.folder("/")
            top.mkdir("a")
            top.close()

    vfs.subscribe(other)
    make("/a/b", vfs)

    assert "mkdir" in vfs.operations
    assert {"a": None, "a/b": None} == disk.crash().tree()


def test_existing_folder_is_opened_and_nothing_synced() -> None:
    """No cost where nothing is made."""
    disk = MemoryVFS()
    disk.write_tree({"a": None})
    vfs = Trace(disk)
    make("/a", vfs)

    assert ["folder", "close_folder"] == vfs.operations


def test_never_makes_without_a_sync() -> None:
    """`sync="never"` reaches the folders as well."""
    vfs = Trace(MemoryVFS())
    make("/a/b", vfs, sync="never")

    assert "sync_folder" not in vfs.operations


@pytest.mark.parametrize("path", ["/file/a", "/file", "/link/a"])
def test_what_is_no_folder_is_an_error(path: str) -> None:
    """A file or a dangling symlink on the way is left alone."""
    disk = MemoryVFS()
    tree = {"file": b"", "link": "-> nowhere"}
    disk.write_tree(tree)
    with pytest.raises(OSError) as caught:
        make(path, disk)

    assert caught.value.errno in {errno.ENOTDIR, errno.ENOENT}
    assert tree == disk.tree()
    assert [] == disk.leftovers()


@pytest.mark.parametrize("step", ["mkdir", "sync_folder", "folder"])
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_failure_leaves_nothing_open(step: str, nth: int) -> None:
    """The error comes as it is; folders made before stay."""
    disk = MemoryVFS()
    with pytest.raises(OSError) as caught:
        make("/a/b/c", Faulty(disk, Fault(step, nth, effect="EIO")))

    assert errno.EIO == caught.value.errno
    assert [] == disk.leftovers()


def test_current_folder_is_the_empty_path(tmp_path) -> None:
    """A file name alone is in the current folder."""
    before = os.getcwd()
    os.chdir(tmp_path)
    try:
        folder = open_folder("", sync="always", vfs=SYSTEM)
        assert os.stat(tmp_path).st_ino == folder.stat(".").st_ino
        folder.close()
    finally:
        os.chdir(before)


def test_subfolder_is_never_what_a_symlink_points_to(tmp_path) -> None:
    """I2: a symlink, and a path that leads elsewhere by now, are refused."""
    for name in ("real", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / "link").symlink_to("other")
    parent = SYSTEM.folder(str(tmp_path))
    try:
        child = open_subfolder(parent, "real", path=str(tmp_path / "real"), vfs=SYSTEM)
        child.close()
        for name, path in (("link", "link"), ("real", "other")):
            with pytest.raises(NotADirectoryError):
                open_subfolder(parent, name, path=str(tmp_path / path), vfs=SYSTEM)
    finally:
        parent.close()


def test_forget_says_whether_the_name_is_gone() -> None:
    """Gone, gone already, or not removable."""
    disk = MemoryVFS()
    disk.write_tree({"a": b"", "b": b""})
    folder = Faulty(disk, Fault("unlink", 3, effect="EIO")).folder("/")

    assert [True, True, False] == [forget(folder, name) for name in ("a", "a", "b")]
    folder.close()


def test_close_quietly_closes_and_is_quiet() -> None:
    """An error of a close that decides nothing is not raised; the descriptor is gone."""
    disk = MemoryVFS()
    folder = Faulty(disk, Fault("close_folder", 1, effect="EIO")).folder("/")
    close_quietly(folder)
    close_quietly(None)

    assert [] == disk.leftovers()


def in_it(folder):
    return (
        ("always", lambda: write_bytes(folder / "a", b"1")),
        ("never", lambda: write_bytes(folder / "b", b"1", sync="never")),
        ("lock", lambda: FileLock(folder / "l").acquire(timeout_s=0)),
    )


@pytest.mark.root
@pytest.mark.parametrize("mode", [0o300, 0o1733])
def test_folder_that_may_not_be_read_can_be_written_without_a_sync(mode) -> None:
    """A drop box: a durable write is refused before anything is made, and says what works."""
    with shared_folder() as above:
        folder = above / "drop"
        folder.mkdir()
        os.chown(folder, 1001, 100)
        folder.chmod(mode)
        user = 1001 if mode == 0o300 else 1002
        told = {name: as_user(user, 100, do) for name, do in in_it(folder)}

        assert ["b", "l"] == sorted(os.listdir(folder))

    assert told["always"].startswith("PermissionError")
    assert 'write with sync="never"' in told["always"]
    assert ("None", "None") == (told["never"], told["lock"])


@pytest.mark.root
def test_folder_that_may_not_be_entered_gets_no_advice() -> None:
    """Then `sync="never"` would not help."""
    with shared_folder() as above:
        (above / "private").mkdir(mode=0o700)
        told = as_user(1001, 100, lambda: write_bytes(above / "private" / "a", b"1"))

    assert "PermissionError" in told
    assert "never" not in told


@pytest.mark.parametrize("effect", ["EIO", "ENOSPC", "EMFILE"])
def test_folder_that_a_failed_call_has_left_is_not_believed(effect) -> None:
    """I3: a sync that was repeated would cover nothing, so the next attempt makes it anew."""
    for fault in each_fault(effect):
        disk = MemoryVFS()
        with suppress(OSError):
            make("/a/b/c", Faulty(disk, fault))
        make("/a/b/c", disk)
        assert {"a": None, "a/b": None, "a/b/c": None} == disk.crash().tree(), str(fault)
        assert [] == disk.leftovers()


class Meddling(Faulty):
    """Somebody makes /a just before it is made, and a file in it, if that has a name."""

    def __init__(self, disk: MemoryVFS, *faults: Fault, name: str) -> None:
        super().__init__(disk, *faults)
        self.disk = disk
        self.name = name

    def around(self, call, do):
        if call.operation == "mkdir":
            self.disk.folder("/").mkdir("a")
        elif call.operation == "sync_folder" and self.name:
            self.disk.folder("/a").open(self.name, "create").close()
        return super().around(call, do)


@pytest.mark.parametrize("name", ["", "of another"])
def test_folder_of_another_whose_sync_failed_goes_if_it_is_empty(name) -> None:
    """I3: what somebody has put there stays."""
    disk = MemoryVFS()
    with pytest.raises(OSError, match="error"):
        make("/a", Meddling(disk, Fault("sync_folder", 1, effect="EIO"), name=name))

    assert ({"a": None, "a/of another": b""} if name else {}) == disk.tree()


def test_folder_that_is_not_to_be_durable_stays_after_a_failure() -> None:
    """Nobody syncs it, so nothing can be believed."""
    disk = MemoryVFS()
    with pytest.raises(OSError, match="error"):
        make("/a", Faulty(disk, Fault("folder", 3, effect="EIO")), sync="never")

    assert {"a": None} == disk.tree()


@pytest.mark.parametrize("make", [Store, Log, LineLog, FileLock])
@pytest.mark.parametrize("empty", ["", b""])
def test_empty_path_is_refused(make, empty) -> None:
    """It is a setting that nobody has set, and not the current folder."""
    with pytest.raises(ValueError, match=r"the path is empty\. Nothing was done"):
        make(empty)


def test_path_is_made_absolute(monkeypatch, tmp_path) -> None:
    """A program may change its folder."""
    monkeypatch.chdir(tmp_path)
    assert (f"{tmp_path}/a", str(tmp_path)) == (absolute_path(b"x/../a"), absolute_path("."))
