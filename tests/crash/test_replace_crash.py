"""Crashes of single operations, by name; `test_seam.py` and `test_teeth.py` take all of them."""

from __future__ import annotations

import pytest

from holdfast.primitives.folders import open_folder
from holdfast.primitives.replace import write_bytes
from holdfast.primitives.sweep import sweep
from holdfast.primitives.writer import open as hold_open
from holdfast.vfs.fault import Without
from holdfast.vfs.memory import MemoryVFS

OLD, NEW = b"old contents", b"the new contents, which are longer"


def test_file_that_is_created_never_shows_a_part() -> None:
    """I6: in no state of a crash has the name an incomplete file."""
    disk = MemoryVFS()
    disk.write_tree({"a": OLD})
    with hold_open("/c", "xb", vfs=disk) as file:
        file.write(NEW)
    seen = {state.tree().get("c") for state in disk.crash_states()}

    assert {None, NEW} == seen


def test_without_the_lock_a_sweeper_takes_the_temp_of_the_living() -> None:
    """Teeth: the lock of the temp is what keeps a sweeper away."""
    disk = MemoryVFS()
    disk.write_tree({"a": OLD})
    with (
        pytest.raises(FileNotFoundError),
        hold_open("/a", "wb", vfs=Without(disk, "lock")) as file,
    ):
        file.write(NEW)
        assert 1 == len(sweep("/", vfs=disk))

    assert {"a": OLD} == disk.tree()


def test_without_the_sync_of_new_folders_the_file_is_lost() -> None:
    """Teeth: a folder made on the way that is not synced takes the file with it."""
    disk = MemoryVFS()
    open_folder("/x/y", sync="never", vfs=disk).close()
    write_bytes("/x/y/c", NEW, vfs=disk)

    assert {} in [state.tree() for state in disk.crash_states(at=len(disk.core.operations))]
