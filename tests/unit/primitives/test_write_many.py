"""Many files at once."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import stat
import threading
import time

import pytest

from holdfast.errors import CommittedNotDurable, PartlyCommitted, PromiseUnavailable
from holdfast.primitives.sweep import sweep
from holdfast.primitives.write_many import awrite_many, write_many
from holdfast.vfs import SYSTEM
from holdfast.vfs.fault import Fault, Faulty, Stopped
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace
from tests.support.leftovers import temporary


def test_bytes_and_text_in_several_folders(tmp_path) -> None:
    """All are there, text as UTF-8, folders made; nothing else is."""
    files = {
        tmp_path / "a": b"a",
        tmp_path / "new" / "b": "é",
        tmp_path / "new" / "c": b"",
    }
    write_many(files)

    assert [b"a", "é".encode(), b""] == [path.read_bytes() for path in files]
    assert [] == temporary(tmp_path)


def test_nothing_to_write_is_nothing_done(tmp_path) -> None:
    """An empty batch is fine."""
    write_many({})

    assert [] == os.listdir(tmp_path)


def test_replaced_files_keep_their_attributes(tmp_path) -> None:
    """Each its own; new ones get what the umask gives; an explicit mode wins."""
    (tmp_path / "old").touch(0o600)
    write_many({tmp_path / "old": b"1", tmp_path / "new": b"2"})
    (tmp_path / "plain").touch()
    modes = [stat.S_IMODE((tmp_path / n).stat().st_mode) for n in ("old", "new", "plain")]
    write_many({tmp_path / "old": b"1", tmp_path / "new": b"2"}, permissions=0o640)

    assert [0o600, modes[2]] == modes[:2]
    assert [0o640] * 2 == [stat.S_IMODE((tmp_path / n).stat().st_mode) for n in ("old", "new")]


def test_every_sync_comes_before_the_first_rename() -> None:
    """All temps are written, synced and closed, then renamed, then each folder is synced once."""
    disk = MemoryVFS()
    disk.write_tree({"x": None, "y": None})
    vfs = Trace(disk)
    write_many({f"/{where}/{n}": b"a" for where in "xy" for n in range(300)}, vfs=vfs)
    steps = [o for o in vfs.operations if o in {"write", "sync", "close", "rename", "sync_folder"}]
    first = steps.index("rename")

    assert 600 == steps[:first].count("write") == steps[:first].count("sync")
    assert 600 == steps[:first].count("close")
    assert 600 == steps.count("rename")
    assert 2 == steps.count("sync_folder") == steps[-4:].count("sync_folder")


def test_descriptors_are_bounded(tmp_path) -> None:
    """A thousand files are written with 270 descriptors more than are open already."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(name) for name in os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 270, hard))
    try:
        write_many({tmp_path / str(n): b"a" for n in range(1000)}, sync="never")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert 1000 == len(os.listdir(tmp_path))


def test_never_syncs_nothing() -> None:
    """`sync="never"`: temps and renames alone."""
    vfs = Trace(MemoryVFS())
    write_many({"/a": b"a", "/b": b"b"}, sync="never", vfs=vfs)

    assert not {"sync", "sync_folder", "start_writeback"} & set(vfs.operations)


@pytest.mark.parametrize("same", ["a", "./a", "link", "folder/../a", "loop/a"])
def test_two_paths_to_one_file_are_refused(tmp_path, same) -> None:
    """Which of the two should win? ValueError, and nothing is done."""
    (tmp_path / "link").symlink_to("a")
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to(".")
    with pytest.raises(ValueError, match="same file"):
        write_many({f"{tmp_path}/a": b"1", f"{tmp_path}//{same}": b"2"})

    assert ["folder", "link", "loop"] == sorted(os.listdir(tmp_path))


def test_one_that_cannot_be_replaced_refuses_all(tmp_path) -> None:
    """Before anything is written."""
    os.mkfifo(tmp_path / "z")
    with pytest.raises(PromiseUnavailable):
        write_many({tmp_path / "a": b"1", tmp_path / "z": b"2"})

    assert ["z"] == os.listdir(tmp_path)


@pytest.mark.parametrize("step", ["write 300", "sync 300", "close 300", "open 300", "rename 1"])
def test_failure_before_the_first_rename_changes_nothing(step) -> None:
    """An `OSError` with its errno, all old, no temp, nothing open."""
    disk = MemoryVFS()
    old = {f"{n:03}": b"old" for n in range(400)}
    disk.write_tree(old)
    with pytest.raises(OSError) as caught:
        write_many(
            {f"/{name}": b"new" for name in old},
            vfs=Faulty(disk, Fault.parse(f"{step} -> EIO")),
        )

    assert errno.EIO == caught.value.errno
    assert "The old contents stand." in caught.value.__notes__[0]
    assert old == disk.tree()
    assert [] == disk.leftovers()


def test_failure_after_the_first_rename_says_which_are_in_place() -> None:
    """PartlyCommitted: what is in place, and what stopped the others, which are old."""
    disk = MemoryVFS()
    disk.write_tree(dict.fromkeys("abcd", b"old"))
    with pytest.raises(PartlyCommitted) as caught:
        write_many(
            {f"/{name}": b"new" for name in "abcd"},
            vfs=Faulty(disk, Fault("rename", 3, effect="EACCES")),
        )

    assert ("/a", "/b") == caught.value.committed
    assert ["/c", "/d"] == list(caught.value.failed)
    assert all(isinstance(error, PermissionError) for error in caught.value.failed.values())
    assert {"a": b"new", "b": b"new", "c": b"old", "d": b"old"} == disk.tree()
    assert [] == disk.leftovers()


def test_what_is_in_place_after_a_failure_is_durable() -> None:
    """The folders are synced also when a rename has failed."""
    disk = MemoryVFS()
    disk.write_tree(dict.fromkeys("abc", b"old"))
    with pytest.raises(PartlyCommitted):
        write_many(
            {f"/{name}": b"new" for name in "abc"},
            vfs=Faulty(disk, Fault("rename", 2, effect="EIO")),
        )

    assert {"a": b"new", "b": b"old", "c": b"old"} == disk.crash().tree()


def test_folder_that_cannot_be_synced_is_told() -> None:
    """Its files are in place and not durable; those of other folders are durable."""
    disk = MemoryVFS()
    disk.write_tree({"x/a": b"old", "y/b": b"old"})
    with pytest.raises(PartlyCommitted) as caught:
        write_many(
            {"/x/a": b"new", "/y/b": b"new"},
            vfs=Faulty(disk, Fault("sync_folder", 1, effect="EIO")),
        )

    assert ("/x/a", "/y/b") == caught.value.committed
    assert ["/x/a"] == list(caught.value.failed)
    assert isinstance(caught.value.failed["/x/a"], CommittedNotDurable)
    assert b"new" == disk.crash().tree()["y/b"]


def test_batch_in_progress_is_not_swept(tmp_path) -> None:
    """A sweeper after every step removes nothing of it, though its temps are closed."""
    vfs = Trace(SYSTEM)
    swept: list[object] = []
    steps = {"write", "sync", "close", "rename"}
    vfs.subscribe(lambda call: swept.extend(sweep(tmp_path) if call.operation in steps else ()))
    write_many({tmp_path / str(n): b"a" for n in range(5)}, vfs=vfs)

    assert [] == swept
    assert 5 == len(os.listdir(tmp_path))


@pytest.mark.parametrize("call", ["write 2", "sync 1", "rename 1", "rename 3", "unlink 1"])
def test_batch_of_a_dead_writer_is_swept(call) -> None:
    """Whatever it had come to, the temps and the guard go; what was in place stays."""
    disk = MemoryVFS()
    with pytest.raises(Stopped):
        write_many(
            {f"/{n}": b"new" for n in range(3)},
            vfs=Faulty(disk, Fault.parse(f"{call} -> stop")),
        )
    before = disk.tree()
    swept = sweep("/", vfs=disk)

    assert {name for name in before if name.startswith(".")} == {path.name for path in swept}
    assert {n: b"new" for n in before if not n.startswith(".")} == disk.tree()


def test_twin_does_the_same(tmp_path) -> None:
    """`awrite_many` takes the same and leaves the same."""
    asyncio.run(awrite_many({tmp_path / "a": "a", tmp_path / "b": b"b"}))

    assert ["a", "b"] == sorted(os.listdir(tmp_path))


class TestSlowSyncs:
    """Where a sync takes long, many wait side by side."""

    @staticmethod
    def slow(inner, names: list[str]):
        def dawdle(call) -> None:
            if call.operation == "sync":
                names.append(threading.current_thread().name)
                end = time.monotonic() + 0.0001
                while time.monotonic() < end:
                    pass

        vfs = Trace(inner)
        vfs.subscribe(dawdle)
        return vfs

    def test_are_shared_by_threads(self) -> None:
        """The first sync tells that it is slow; the others are made by threads, each file once."""
        names: list[str] = []
        write_many({f"/{i}": b"new" for i in range(40)}, vfs=self.slow(MemoryVFS(), names))

        assert 40 == len(names)
        assert 39 == sum(name.startswith("holdfast-sync") for name in names)

    def test_are_over_before_a_file_is_closed_when_one_fails(self) -> None:
        """After a failed sync no thread syncs a descriptor whose number may be another's by now."""
        closed = threading.Event()
        trace = self.slow(MemoryVFS(), [])

        def linger(call) -> None:
            if call.operation == "close":
                closed.set()
            elif call.operation == "sync" and threading.current_thread() is not main:
                closed.wait(0.05)  # the time that a wrong close is given

        main = threading.current_thread()
        trace.subscribe(linger)
        with pytest.raises(OSError, match="Input/output") as caught:
            write_many(
                {f"/{i}": b"new" for i in range(40)},
                vfs=Faulty(trace, Fault.parse("sync 2 -> EIO")),
            )

        assert errno.EIO == caught.value.errno
        calls = [name for name in trace.operations if name in {"sync", "close"}]
        assert "sync" not in calls[calls.index("close") :]


def test_each_file_keeps_its_own_attributes() -> None:
    """Mode and extended attributes of one file are not those of another of the batch."""
    disk = MemoryVFS()
    disk.write_tree({"/a": b"1", "/b": b"2", "/c": b"3"})
    folder = disk.folder("/")
    for name, mode in {"a": 0o600, "b": 0o644}.items():
        file = folder.open(name, "write")
        file.set_attributes(mode=mode, owner=None, xattrs={"user.of": name.encode()})
        file.close()
    write_many({"/a": b"x", "/b": b"y", "/c": b"z"}, vfs=disk)

    assert [{"user.of": b"a"}, {"user.of": b"b"}, {}] == [folder.xattrs(n) for n in "abc"]
    assert [0o600, 0o644] == [folder.stat(name).st_mode & 0o7777 for name in "ab"]
    folder.close()
