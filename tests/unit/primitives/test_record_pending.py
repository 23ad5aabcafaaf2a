"""What awaits a sync: which copy of a record may be written over."""

from __future__ import annotations

import pytest

from holdfast.formats.record_format import Slot
from holdfast.primitives.record_marks import Marks
from holdfast.primitives.record_pending import Pending
from holdfast.primitives.record_syncing import SharedSync
from holdfast.vfs.memory import MemoryVFS

LOCK = "/r.rec.lock"


class Handle:
    """A handle on a sidecar, and what it has synced and rewritten."""

    def __init__(self, disk: MemoryVFS) -> None:
        self.done: list[object] = []
        self.marks = Marks(LOCK, 7, permissions=0o666, vfs=disk)
        sync = SharedSync("/r.rec", lambda: self.done.append("sync"))
        self.pending = Pending(self.marks, sync, lambda number, _: self.done.append(number))

    def write(self, number: int, newest: int) -> int:
        """Write a record; return the generation."""
        generation = self.pending.begin(number, Slot(newest, 0, b""))
        self.pending.written(number)
        return generation


@pytest.fixture
def disk():
    """An empty disk."""
    return MemoryVFS()


def test_unsure_record_is_rewritten_and_synced_first(disk) -> None:
    """Nobody knows whether the newest copy is durable; then the other one may be written over."""
    handle = Handle(disk)
    assert 3 == handle.write(5, 2)
    assert [5, "sync"] == handle.done


def test_own_unsynced_copy_is_written_over_again(disk) -> None:
    """So that the durable one stays; after a barrier it is the other's turn."""
    handle = Handle(disk)
    assert [3, 5, 7] == [handle.write(5, newest) for newest in (2, 3, 5)]
    assert {5: 7} == handle.pending.waiting()
    handle.pending.barrier()
    assert {} == handle.pending.waiting()
    assert 8 == handle.write(5, 7)


def test_durable_record_needs_no_sync_of_the_next_writer(disk) -> None:
    """Its mark says so, also for other records of the same byte."""
    one, other = Handle(disk), Handle(disk)
    one.write(5, 2)
    one.pending.durable(5)
    assert 4 == other.write(5, 3)
    other.pending.durable(5)
    one.write(5 + 1024, 2)
    assert [] == other.done


def test_mark_stays_while_another_record_of_its_byte_waits(disk) -> None:
    """It is cleared with the last of them."""
    handle = Handle(disk)
    handle.write(5, 2)
    handle.write(5 + 1024, 2)
    handle.pending.durable(5)
    assert handle.marks.look(5) is True
    handle.pending.durable(5 + 1024)
    assert handle.marks.look(5) is False


def test_barrier_forgets_nothing_that_is_in_flight(disk) -> None:
    """A write that was begun before it and ends after it is not covered."""
    handle = Handle(disk)
    handle.pending.begin(5, Slot(2, 0, b""))
    handle.pending.barrier()
    handle.pending.written(5)
    assert {5: 3} == handle.pending.waiting()


def test_copy_is_own_until_somebody_else_writes_under_its_byte(disk) -> None:
    """What others may have built on is not taken back."""
    one, other = Handle(disk), Handle(disk)
    one.write(5, 2)
    assert one.pending.is_own(5, Slot(3, 0, b""))
    assert not one.pending.is_own(5, Slot(4, 0, b""))
    other.write(5, 3)
    assert not one.pending.is_own(5, Slot(3, 0, b""))


def test_forked_child_knows_of_nothing(disk) -> None:
    """What its parent has written is somebody else's."""
    handle = Handle(disk)
    handle.write(5, 2)
    handle.pending.renew()
    assert {} == handle.pending.waiting()
