"""The name of a folder is made durable by who finds it, also after a sync that failed."""

from __future__ import annotations

import os

import pytest

from holdfast.primitives.settling import name_anew, sync_name
from holdfast.vfs.fault import Fault, Faulty, each_fault
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace


def young() -> MemoryVFS:
    """A folder whose maker was killed before its sync."""
    disk = MemoryVFS()
    disk.write_tree({"top": None})
    above = disk.folder("/top")
    above.mkdir("new", permissions=0o2751)
    above.close()
    return disk


@pytest.mark.parametrize("path", ["/top/new", "/top/new/"])
def test_synced_name_is_durable(path: str) -> None:
    """Whoever has made it."""
    disk = young()
    assert {"top": None} == disk.crash().tree()
    sync_name(path, vfs=disk)
    assert {"top": None, "top/new": None} == disk.crash().tree()
    assert [] == disk.leftovers()


def test_folder_above_that_may_not_be_read_is_no_hindrance() -> None:
    """Who makes a name there is told so."""
    for operation in ("folder", "sync_folder"):
        fault = Fault(operation, 1, effect="EACCES")
        sync_name("/top/new", vfs=Faulty(young(), fault))
        assert fault.fired


def test_sync_after_a_failed_one_covers_the_name_that_was_given_anew() -> None:
    """And without that it covers nothing. What the folder is like stays."""
    for is_anew in (False, True):
        disk = young()
        folder = disk.folder("/top/new")
        with pytest.raises(OSError, match="error"):
            sync_name("/top/new", vfs=Faulty(disk, Fault("sync_folder", 1, effect="EIO")))
        if is_anew:
            name_anew(folder, "/top/new", vfs=disk)
        folder.close()
        sync_name("/top/new", vfs=disk)
        assert is_anew == ("top/new" in disk.crash().tree())
        assert 0o2751 == disk.stat("/top/new").st_mode & 0o7777
        assert [] == disk.leftovers()


@pytest.mark.parametrize("path", ["/top/other", "/top/gone", "/", "/top/new/..", "/top/new/."])
def test_path_that_does_not_name_the_folder_is_left_alone(path: str) -> None:
    """It was replaced meanwhile, or has no name there."""
    disk = young()
    disk.write_tree({"top/other": None})
    traced = Trace(disk)
    folder = disk.folder("/top/new")
    name_anew(folder, path, vfs=traced)
    folder.close()

    assert "rename" not in traced.operations
    assert {"top": None, "top/new": None, "top/other": None} == disk.tree()


def test_failure_leaves_the_name_or_nothing() -> None:
    """No folder under a temporary name, and nothing open; what failed is not told."""
    seen = set()
    for fault in each_fault("EIO", "ENOSPC"):
        disk = young()
        folder = disk.folder("/top/new")
        name_anew(folder, "/top/new", vfs=Faulty(disk, fault))
        folder.close()
        seen.add(tuple(os.path.basename(name) for name in disk.tree()))
        assert [] == disk.leftovers(), str(fault)

    assert {("top",), ("top", "new")} == seen


class Meddling(Faulty):
    """Somebody makes the folder, and something in it, while it has no name."""

    def around(self, call, do):
        done = super().around(call, do)
        if call.operation == "rename" and call.name == "new":
            above = self.inner.folder("/top")
            above.mkdir("new")
            self.inner.folder("/top/new").open("lock", "create").close()
            above.close()
        return done


def test_folder_that_somebody_makes_meanwhile_stays() -> None:
    """The one that has no name goes: it is empty."""
    disk = young()
    folder = disk.folder("/top/new")
    name_anew(folder, "/top/new", vfs=Meddling(disk))
    folder.close()

    assert {"top": None, "top/new": None, "top/new/lock": b""} == disk.tree()
