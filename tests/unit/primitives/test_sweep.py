"""Leftovers go, the living stay."""

from __future__ import annotations

import asyncio
import os
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from holdfast.primitives import temp
from holdfast.primitives.replace import write_bytes
from holdfast.primitives.sweep import asweep, sweep
from holdfast.primitives.write_many import write_many
from holdfast.primitives.writer import open as hold_open
from holdfast.vfs.fault import Fault, Faulty, Stopped
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace
from tests.support.mounts import mounted

TOKEN = "0123456789abcdef"
LEFT = temp.temp_name("a", TOKEN)


def test_leftover_is_removed_and_told(tmp_path) -> None:
    """What a dead writer left goes; its path is returned; other files stay."""
    (tmp_path / LEFT).touch()
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / ".a.holdfast-tmp").touch()

    assert [tmp_path / LEFT] == sweep(tmp_path)
    assert [".a.holdfast-tmp", "a"] == sorted(os.listdir(tmp_path))


@pytest.mark.parametrize("mode", ["w", "wb"])
def test_living_writer_is_left_alone(tmp_path, mode) -> None:
    """A temp whose writer lives stays, in the same process too."""
    with hold_open(tmp_path / "a", mode):
        assert [] == sweep(tmp_path)

    assert ["a"] == os.listdir(tmp_path)


def test_sweeper_at_any_call_of_a_writer_does_not_harm_it() -> None:
    """A sweep after the first call, the second, and so on: both writes succeed, nothing is left."""
    last = nth = 0
    for nth in range(1, 200):
        disk = MemoryVFS(seed=nth)
        vfs = Trace(disk)
        calls = []

        def sweep_once(call, calls=calls, disk=disk, nth=nth) -> None:
            calls.append(call)
            if len(calls) == nth:
                sweep("/", vfs=disk)

        vfs.subscribe(sweep_once)
        write_bytes("/a", b"1", vfs=vfs)
        write_bytes("/a", b"2", backup="b", vfs=vfs)
        write_many({"/a": b"3", "/c": b"4"}, vfs=vfs)
        assert {"a": b"3", "b": b"1", "c": b"4"} == disk.tree()
        last = len(calls)
        if nth > last:
            break

    assert 20 < last < nth


@pytest.mark.parametrize("kind", ["symlink", "fifo"])
def test_only_regular_files_go(tmp_path, kind) -> None:
    """A symlink or FIFO of that name is not ours."""
    if kind == "symlink":
        (tmp_path / "a").touch()
        (tmp_path / LEFT).symlink_to("a")
    else:
        os.mkfifo(tmp_path / LEFT)

    assert [] == sweep(tmp_path)
    assert (tmp_path / LEFT).is_symlink() or (tmp_path / LEFT).exists()


def test_dead_private_folder_goes_with_all_in_it(tmp_path) -> None:
    """Its lock is free, so its maker is dead; symlinks in it are not followed."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "precious").touch()
    private = tmp_path / LEFT
    (private / "deep" / "er").mkdir(parents=True)
    (private / "deep" / "file").touch()
    (private / "link").symlink_to(tmp_path / "outside")
    (private / LEFT).touch()

    assert [private] == sweep(tmp_path)
    assert ["outside"] == os.listdir(tmp_path)
    assert ["precious"] == os.listdir(tmp_path / "outside")


def test_empty_private_folder_without_lock_goes(tmp_path) -> None:
    """Its maker died between two calls, or will take another name."""
    (tmp_path / LEFT).mkdir()

    assert [tmp_path / LEFT] == sweep(tmp_path)


def test_private_folder_that_lost_its_lock_file_goes(tmp_path) -> None:
    """A power cut may take the lock file and leave the contents."""
    (tmp_path / LEFT / "deep").mkdir(parents=True)

    assert [tmp_path / LEFT] == sweep(tmp_path)
    assert [] == os.listdir(tmp_path)


def test_second_name_of_the_target_goes(tmp_path) -> None:
    """A creator that died after the link left two names of one file: the temporary one goes."""
    (tmp_path / "a").write_bytes(b"a")
    os.link(tmp_path / "a", tmp_path / LEFT)

    assert [tmp_path / LEFT] == sweep(tmp_path)
    assert b"a" == (tmp_path / "a").read_bytes()


def test_second_name_of_a_target_with_a_cut_name_goes(tmp_path) -> None:
    """The temporary name carries only the beginning of a long one."""
    name = "n" * 250
    left = temp.temp_name(name, TOKEN)
    (tmp_path / name).write_bytes(b"a")
    os.link(tmp_path / name, tmp_path / left)

    assert [tmp_path / left] == sweep(tmp_path)
    assert [name] == os.listdir(tmp_path)


def test_name_with_a_link_elsewhere_stays(tmp_path) -> None:
    """Somebody has kept the contents under another name: not ours to judge."""
    (tmp_path / LEFT).touch()
    os.link(tmp_path / LEFT, tmp_path / "kept")

    assert [] == sweep(tmp_path)


def test_locked_by_somebody_else_stays() -> None:
    """Whoever holds the lock, it is somebody who lives."""
    disk = MemoryVFS()
    disk.write_tree({LEFT: b""})
    folder = disk.folder("/")
    file = folder.open(LEFT, "write")
    file.lock(shared=True)
    assert [] == sweep("/", vfs=disk)
    file.close()
    folder.close()

    assert [Path("/", LEFT)] == sweep("/", vfs=disk)


def test_filesystem_without_locks_keeps_all() -> None:
    """Where the dead cannot be told from the living nothing is removed."""
    disk = MemoryVFS()
    disk.write_tree({LEFT: b""})

    assert [] == sweep("/", vfs=Faulty(disk, Fault("lock", 1, effect="ENOLCK")))
    assert {LEFT: b""} == disk.tree()


def test_folders_below_only_when_asked(tmp_path) -> None:
    """`recursive` goes down, and not through symlinks."""
    for name in ("x", "x/y", "z"):
        (tmp_path / name).mkdir()
        (tmp_path / name / LEFT).touch()
    (tmp_path / "x" / "loop").symlink_to(tmp_path / "z")

    assert [] == sweep(tmp_path)
    assert [tmp_path / "x" / LEFT, tmp_path / "x" / "y" / LEFT] == sorted(
        sweep(tmp_path / "x", recursive=True)
    )
    assert [tmp_path / "z" / LEFT] == sweep(tmp_path, recursive=True)


def test_current_folder_may_be_swept(tmp_path) -> None:
    """A relative path gives relative paths."""
    (tmp_path / LEFT).touch()
    before = os.getcwd()
    os.chdir(tmp_path)
    try:
        assert [Path(LEFT)] == sweep(".")
    finally:
        os.chdir(before)


def test_missing_folder_is_an_error(tmp_path) -> None:
    """FileNotFoundError, not an empty list."""
    with pytest.raises(FileNotFoundError):
        sweep(tmp_path / "missing")


@pytest.mark.parametrize("call", ["write 1", "set_attributes 1", "sync 1", "rename 1"])
def test_whatever_a_dead_writer_had_come_to_is_swept(call) -> None:
    """Sudden death at any step leaves one temp, and a sweep leaves the old file alone."""
    disk = MemoryVFS()
    disk.write_tree({"a": b"old"})
    with pytest.raises(Stopped):
        write_bytes("/a", b"new", vfs=Faulty(disk, Fault.parse(f"{call} -> stop")))

    assert 1 == len(sweep("/", vfs=disk))
    assert {"a": b"old"} == disk.tree()


def test_twin_does_the_same(tmp_path) -> None:
    """`asweep` takes the same and returns the same."""
    (tmp_path / LEFT).touch()

    assert [tmp_path / LEFT] == asyncio.run(asweep(tmp_path, recursive=True))


@pytest.fixture
def deep(tmp_path):
    """A tree deeper than Python may recurse, or a process may hold folders open."""
    before = os.getcwd()
    os.chdir(tmp_path)
    try:
        for _ in range(1200):
            os.mkdir("a")
            os.chdir("a")
        Path(LEFT).touch()
    finally:
        os.chdir(before)
    yield tmp_path.joinpath(*["a"] * 1200)
    subprocess.run(["rm", "-rf", str(tmp_path / "a")], check=True, timeout=60)


def test_deep_tree_is_swept(deep, tmp_path) -> None:
    """A leftover at the very bottom is found."""
    assert [deep / LEFT] == sweep(tmp_path, recursive=True)


@pytest.mark.root
@pytest.mark.parametrize("kind", ["bind", "tmpfs"])
@pytest.mark.parametrize("inside", ["deep/mnt", "mnt", "."])
def test_what_is_mounted_in_a_private_folder_stays(tmp_path, kind, inside) -> None:
    """A filesystem of its own, or a folder of the same one: it is not entered."""
    (tmp_path / "other").mkdir()
    place = tmp_path / LEFT / inside
    place.mkdir(parents=True)
    arguments = ["--bind", str(tmp_path / "other")] if kind == "bind" else ["-t", "tmpfs", "none"]
    with mounted(place, *arguments):
        (place / "precious").touch()
        (place / "folder").mkdir()
        assert [] == sweep(tmp_path)
        assert ["folder", "precious"] == sorted(os.listdir(place))

    assert [tmp_path / LEFT] == sweep(tmp_path)


def test_leftover_of_a_name_that_is_no_text_goes(tmp_path) -> None:
    """A name of 255 bytes, none of which begins a character, is cut and recognised."""
    left = temp.temp_name(os.fsdecode(b"\x80" * 255), TOKEN)
    (tmp_path / left).touch()

    assert [tmp_path / left] == sweep(tmp_path)


@pytest.mark.parametrize("first", ["file", "folder"])
def test_file_in_a_private_folder_and_beside_the_target_goes_at_once(first) -> None:
    """A power cut in the middle of the move leaves it in both: one sweep takes both names."""
    disk = MemoryVFS()
    private = temp.temp_name("a", "f" * 16)
    parts = {"file": {f"/{LEFT}": b"new"}, "folder": {f"/{private}/{private}": b""}}
    for part in sorted(parts, key=lambda part: part != first):
        disk.write_tree(parts[part])
    with closing(disk.folder("/")) as top, closing(disk.folder(f"/{private}")) as folder:
        with closing(top.open(LEFT, "read")) as file:
            folder.link(file, "a")
        listed = top.names()
    sweep("/", vfs=disk)

    assert [LEFT, private] == (listed if first == "file" else listed[::-1])
    assert {} == disk.tree()
