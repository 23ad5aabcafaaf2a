"""What killed writers have left is removed where something is made."""

from __future__ import annotations

import pytest

from holdfast.primitives.sweeping import sweep_leftovers
from holdfast.primitives.temp import Made, create
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace

LEFT = ".state.0123456789abcdef.holdfast-tmp"


def test_only_what_nobody_holds_goes() -> None:
    """Not what a living writer has, and no other file."""
    disk = MemoryVFS()
    disk.write_tree({f"top/{LEFT}": b"x", "top/letter.txt": b""})
    folder, living = disk.folder("/top"), Made()
    create(living, folder, "state", permissions=0o600, vfs=disk)
    sweep_leftovers(folder, vfs=disk)

    assert {"letter.txt", str(living.temp)} == {*folder.names()}
    living.end(folder)
    folder.close()
    assert [] == disk.leftovers()


def test_folder_without_leftovers_costs_one_look() -> None:
    """It is done with each segment and checkpoint."""
    traced = Trace(MemoryVFS())
    sweep_leftovers(traced.folder("/"), vfs=traced)

    assert ["folder", "names"] == traced.operations


@pytest.mark.parametrize("operation", ["names", "folder", "open", "lock", "unlink"])
def test_what_cannot_be_removed_stays_without_a_word(operation: str) -> None:
    """It only takes room."""
    disk = MemoryVFS()
    disk.write_tree({LEFT: b"x"})
    fault = Fault(operation, 2 if operation == "folder" else 1, effect="EIO")
    faulty = Faulty(disk, fault)
    sweep_leftovers(faulty.folder("/"), vfs=faulty)

    assert fault.fired
    assert {LEFT: b"x"} == disk.tree()
