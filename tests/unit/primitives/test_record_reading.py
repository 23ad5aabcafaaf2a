"""Reading beside writers: what is half written is looked at again, and under the lock."""

from __future__ import annotations

import pytest

from holdfast.errors import Corruption
from holdfast.primitives.record_locks import RecordLocks
from holdfast.primitives.record_place import RecordPlace
from holdfast.primitives.record_reading import RecordReading
from holdfast.primitives.record_tally import Tally
from holdfast.vfs.interpose import Call, Interposed
from holdfast.vfs.memory import MemoryVFS
from tests.support.record_bytes import LAYOUT, RecordBytes, put_file


class Meanwhile(Interposed):
    """Does something before the nth read."""

    def __init__(self, inner, nth, do) -> None:
        super().__init__(inner)
        self.nth, self.do, self.reads, self.locks = nth, do, 0, 0

    def around(self, call: Call, do):
        """Carry the call out."""
        self.reads += call.operation == "read"
        self.locks += call.operation == "lock_range"
        if call.operation == "read" and self.reads == self.nth:
            self.do()
        return do()


def reading_of(vfs, *, with_locks: bool = True) -> RecordReading:
    """A reader of the file."""
    place = RecordPlace("/r.rec", None, new=None, vfs=vfs)
    tally = Tally(place)
    tally.survey()
    locks = RecordLocks("/r.rec.lock", vfs=vfs) if with_locks else None
    return RecordReading(place, tally, lambda: locks)


def value(payload: bytes) -> object:
    """The value of a record."""
    return LAYOUT.unpack(payload)["value"]


def test_whole_record_takes_two_reads_and_no_lock() -> None:
    """One of each copy."""
    disk = MemoryVFS()
    put_file(disk, RecordBytes(5, 6).put(1, 3, 9).whole)
    seen = Meanwhile(disk, 0, lambda: None)
    reading = reading_of(seen)
    before = seen.reads
    assert 9 == value(reading.read(1).payload)
    assert (2, 0) == (seen.reads - before, seen.locks)


@pytest.mark.parametrize("nth", range(1, 9))
def test_change_in_the_middle_of_a_read_gives_old_or_new(nth) -> None:
    """Never a value before the one that was there when the read began."""
    disk = MemoryVFS()
    made = RecordBytes(5, 6).put(1, 3, 9).put(1, 4, 10)
    put_file(disk, made.whole)

    def change() -> None:
        put_file(disk, made.put(1, 5, 11).put(1, 6, 12).over(1, 0, b"half").whole)

    reading = reading_of(disk)
    seen = Meanwhile(disk, nth, change)
    reading._place._file = seen.folder("/").open("r.rec", "read")
    assert value(reading.read(1).payload) in {10, 12}


@pytest.mark.parametrize("with_locks", [True, False])
def test_record_with_one_copy_is_read_under_its_lock_or_after_equal_looks(with_locks) -> None:
    """The lock is given back."""
    disk = MemoryVFS()
    put_file(disk, RecordBytes(5, 6).over(1, 0, b"torn").whole)
    seen = Meanwhile(disk, 0, lambda: None)
    reading = reading_of(seen, with_locks=with_locks)
    assert 6 == value(reading.read(1).payload)
    assert with_locks is (seen.locks == 1)


def test_record_that_went_is_an_index_error_and_a_durable_one_corruption() -> None:
    """An append that failed was never acknowledged."""
    disk = MemoryVFS()
    made = RecordBytes(5, 6)
    put_file(disk, made.whole)
    reading = reading_of(disk)
    put_file(disk, made.over(1, 0, bytes(512)).over(1, 1, bytes(512)).whole)
    with pytest.raises(IndexError, match="its append has failed"):
        reading.read(1)
    reading._tally.durable = 2
    with pytest.raises(Corruption, match="record 1"):
        reading.read(1)


def test_all_are_yielded_with_those_of_one_copy() -> None:
    """In turn, over chunks."""
    disk = MemoryVFS()
    put_file(disk, RecordBytes(5, 6, 7, 8).over(1, 1, b"x").whole)
    assert [5, 6, 7, 8] == [value(payload) for payload in reading_of(disk).all()]
