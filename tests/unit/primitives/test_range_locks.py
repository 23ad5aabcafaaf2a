"""What the locks of records and of blocks share: the open file, blocks that are cut off, forks."""

from __future__ import annotations

import os

import pytest

from holdfast.primitives.block_locks import BlockLocks
from holdfast.primitives.range_locks import LockBytes
from holdfast.primitives.record_locks import RecordLocks
from holdfast.vfs import CLOCK
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.memory import MemoryVFS


def lock_bytes(vfs):
    return LockBytes("/a.lock", permissions=0o600, vfs=vfs, clock=CLOCK)


def test_file_is_made_when_it_is_needed() -> None:
    """Not before, with the permissions that were asked for, and it stays."""
    disk = MemoryVFS()
    made = lock_bytes(disk)
    assert {} == disk.tree()
    file = made.open(lambda: True)
    assert 0o600 == file.stat().st_mode & 0o777
    made.close()

    assert {"a.lock": b""} == disk.tree()
    assert [] == disk.leftovers()


def test_file_that_was_replaced_is_left_when_nothing_is_held() -> None:
    """While something is, the locks stay where they are."""
    disk = MemoryVFS()
    made = lock_bytes(disk)
    first = made.open(lambda: True)
    disk.folder("/").unlink("a.lock")

    assert made.open(lambda: False) is first
    assert made.open(lambda: True) is not first
    made.close()


def test_closing_gives_back_while_a_child_has_a_copy() -> None:
    """The bytes are unlocked, since a close alone leaves them to who has the other descriptor."""
    disk = MemoryVFS()
    made = lock_bytes(disk)
    file = made.open(lambda: True)
    file.lock_range(3, 1)
    copy = file.duplicate()
    made.close()

    assert [] == disk.held_locks
    copy.close()


def test_closing_never_fails() -> None:
    """There is nothing that anybody could do."""
    disk = MemoryVFS()
    for operation in ("unlock_range", "close"):
        made = lock_bytes(Faulty(disk, Fault(operation, 1, effect="EIO")))
        made.open(lambda: True)
        made.close()
        made.close()
    assert [] == disk.open_files


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("kind", [RecordLocks, BlockLocks])
def test_forked_child_holds_nothing_and_frees_nothing(kind, tmp_path) -> None:
    """The end of the block in the child leaves the lock to the parent, for which it waits."""
    locks, other = kind(str(tmp_path / "a.lock")), kind(str(tmp_path / "a.lock"))
    wanted = (3,) if kind is RecordLocks else ([(3, 1)],)
    code = None
    with locks.hold(*wanted):
        child = os.fork()
        if child:
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            with pytest.raises(TimeoutError):
                other.hold(*wanted, timeout_s=0).__enter__()
    if not child:  # past the end of its parent's block
        try:
            locks.hold(*wanted, timeout_s=0).__enter__()
        except TimeoutError:
            os._exit(7)
        os._exit(1)

    assert 7 == code
    with other.hold(*wanted, timeout_s=0):
        pass
    locks.close()
    other.close()


def test_block_that_is_ended_twice_leaves_the_next_one_alone(tmp_path) -> None:
    """An interrupt may have the end of a block repeated later, when its thread holds more."""
    locks, other = RecordLocks(str(tmp_path / "a.lock")), RecordLocks(str(tmp_path / "a.lock"))
    first = locks.hold(3)
    first.__enter__()
    table, owner, number = first._table, first._owner, first._number
    assert owner is not None
    first.__exit__(None, None, None)
    with locks.hold(4):
        table.dropped.append((owner, number))
        table.end_dropped()
        with pytest.raises(TimeoutError):
            other.hold(4, timeout_s=0).__enter__()
    locks.close()
    other.close()
