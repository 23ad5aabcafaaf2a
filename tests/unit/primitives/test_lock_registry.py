from __future__ import annotations

import gc

from holdfast.primitives.lock import FileLock
from holdfast.primitives.lock_grants import Grants
from holdfast.primitives.lock_registry import join, leave, members_of
from holdfast.vfs import CLOCK, SYSTEM
from holdfast.vfs.memory import MemoryVFS


def joined(path, grants, vfs=SYSTEM):
    return join(str(path), grants, permissions=0o666, vfs=vfs, clock=CLOCK)


def test_one_path_has_one_gate(tmp_path) -> None:
    """All lock objects of a path share one queue, and each is a member."""
    one, other = Grants(), Grants()
    gate = joined(tmp_path / "a", one)

    assert joined(tmp_path / "a", other) is gate
    assert {one, other} == set(members_of(gate))


def test_other_paths_and_filesystems_have_their_own(tmp_path) -> None:
    """A memory filesystem is not the disk, and one file is not the other."""
    grants = Grants()
    gate = joined(tmp_path / "a", grants)

    assert joined(tmp_path / "b", grants) is not gate
    assert joined(tmp_path / "a", grants, MemoryVFS()) is not gate


def test_last_member_closes_what_is_idle() -> None:
    """Descriptors stay open for the next user, until the last one leaves."""
    disk = MemoryVFS()
    one, other = Grants(), Grants()
    gate = joined("/a", one, disk)
    joined("/a", other, disk)
    description = gate.take_now(shared=False)
    assert description is not None
    gate.give_back(description)
    leave(gate, one)

    assert ["/a"] == disk.open_files

    leave(gate, other)

    assert [] == disk.leftovers()


def test_gate_of_dropped_objects_goes_with_its_descriptors(tmp_path) -> None:
    """Lock objects that are merely dropped leave no descriptor open."""
    lock = FileLock(tmp_path / "a")
    with lock:
        pass
    del lock
    gc.collect()

    assert [] == [m for m in members_of(joined(tmp_path / "a", Grants())) if m.held]
