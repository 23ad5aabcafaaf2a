"""Private folders: made, locked, and removed with all that is in them."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from holdfast.primitives.private_folder import PrivateFolder, remove_dead
from holdfast.vfs import SYSTEM
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace


@pytest.fixture
def top(tmp_path):
    """The folder of the target, open."""
    folder = SYSTEM.folder(str(tmp_path))
    yield folder
    folder.close()


def test_living_one_is_not_removed(top, tmp_path) -> None:
    """I1: its lock is held; once it is over, nothing is there."""
    private = PrivateFolder(top, "a", vfs=SYSTEM)
    private.make()
    assert not remove_dead(top, private.name, path=private.path, vfs=SYSTEM)
    assert [private.name] == os.listdir(tmp_path)

    assert private.remove()
    assert [] == os.listdir(tmp_path)


def test_deep_contents_are_removed_and_symlinks_not_followed(top, tmp_path) -> None:
    """I2: what a tool has left in it goes, what it points to stays."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "precious").touch()
    private = PrivateFolder(top, "a", vfs=SYSTEM)
    private.make()
    inside = Path(private.path)
    (inside / "x" / "y").mkdir(parents=True)
    (inside / "x" / "y" / "file").touch()
    (inside / "x" / "link").symlink_to(tmp_path / "outside")
    os.mkfifo(inside / "fifo")

    assert private.remove()
    assert ["outside"] == os.listdir(tmp_path)
    assert ["precious"] == os.listdir(tmp_path / "outside")


def test_one_that_nobody_removed_goes_with_its_object(top, tmp_path) -> None:
    """An interrupt may keep its owner from it; before it is made it is closed."""
    private = PrivateFolder(top, "a", vfs=SYSTEM)
    with pytest.raises(OSError, match="descriptor"):
        private.folder.names()
    private.make()
    Path(private.path, "inside").touch()
    del private

    assert [] == os.listdir(tmp_path)


@pytest.mark.parametrize("operation", ["mkdir", "folder", "open"])
def test_one_that_is_swept_while_it_is_made_is_made_again(operation: str) -> None:
    """A sweeper between any two steps: another name is taken."""
    disk = MemoryVFS()
    vfs = Trace(disk)
    swept = []

    def sweep_once(call) -> None:
        names = [name for name in disk.tree() if "/" not in name]
        if call.operation == operation and names and not swept:
            swept.append(names[0])
            here = disk.folder("/")
            inner = disk.folder("/" + names[0])
            for name in inner.names():
                inner.unlink(name)
            inner.close()
            here.rmdir(names[0])
            here.close()

    vfs.subscribe(sweep_once)
    folder = vfs.folder("/")
    private = PrivateFolder(folder, "a", vfs=vfs)
    private.make()

    assert 1 == len(swept)
    assert swept != [private.name]
    assert private.remove()
    folder.close()
    assert {} == disk.tree()
    assert [] == disk.leftovers()


@pytest.mark.parametrize("step", ["mkdir", "folder", "open", "lock", "stat_file", "resolve"])
def test_failed_making_leaves_nothing(step: str) -> None:
    """The error comes as it is; no folder, no lock, no descriptor is left."""
    disk = MemoryVFS()
    top = disk.folder("/")
    vfs = Faulty(disk, Fault(step, 2 if step == "folder" else 1, effect="EIO"))
    folder = vfs.folder("/")
    with pytest.raises(OSError) as caught:
        PrivateFolder(folder, "a", vfs=vfs).make()
    folder.close()
    top.close()

    assert errno.EIO == caught.value.errno
    assert {} == disk.tree()
    assert [] == disk.leftovers()


def test_making_ends_when_all_is_swept_away() -> None:
    """A hundred folders swept in a row is an error, not a loop without end."""
    disk = MemoryVFS()
    vfs = Faulty(disk, Fault("open", 1, effect="ENOENT", repeat=True))
    folder = vfs.folder("/")
    with pytest.raises(OSError) as caught:
        PrivateFolder(folder, "a", vfs=vfs).make()
    folder.close()

    assert errno.EAGAIN == caught.value.errno
    assert {} == disk.tree()


def test_what_cannot_be_removed_is_told() -> None:
    """False, and the rest is gone."""
    disk = MemoryVFS()
    vfs = Faulty(disk, Fault("rmdir", 1, effect="EIO"))
    folder = vfs.folder("/")
    private = PrivateFolder(folder, "a", vfs=vfs)
    private.make()

    assert not private.remove()
    folder.close()
    assert [private.name] == list(disk.tree())
