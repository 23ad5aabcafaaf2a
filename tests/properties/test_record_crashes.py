"""Files of records, exhaustively: torn sectors, flipped bits, cuts; and what is said of them."""

from __future__ import annotations

from contextlib import suppress
from itertools import product

import pytest

from holdfast.errors import Corruption, HandlePoisoned
from holdfast.formats.record_format import HEAD_BYTES, SLOT_HEAD_BYTES
from holdfast.primitives.record_file import RecordFile
from holdfast.vfs.fault import Fault, Faulty, Stopped
from holdfast.vfs.memory import MemoryVFS
from tests.support.record_bytes import (
    CLEAR,
    LOCK,
    LONG,
    NAME,
    RecordBytes,
    a_head,
    record,
    values,
)

PATH = f"/{NAME}"
STEPS = ("strict", "loose", "barrier", "killed", "half", "failed")
OLD = (5, 6)
LENGTH = 3


def disk_with(data: bytes) -> MemoryVFS:
    """A disk with a file of records, durably."""
    disk = MemoryVFS()
    disk.write_tree({NAME: data, LOCK: CLEAR})
    disk.settle()
    return disk


def add_one(one: dict[str, object]) -> dict[str, object]:
    """What a step does to the record."""
    number, value = one["id"], one["value"]
    assert isinstance(number, int)
    assert isinstance(value, int)
    return record(number, value + 1, long=True)


class World:
    """Two handles that stay open, and others that fail; and what must be there after a crash."""

    def __init__(self) -> None:
        self.disk = disk_with(RecordBytes(*OLD, head=a_head(layout=LONG)).whole)
        self.strict = RecordFile(PATH, vfs=self.disk)
        self.loose = RecordFile(PATH, vfs=self.disk, sync="never")
        self.floor = OLD[1]
        self.unsynced = self.floor
        self.failures = 0

    def step(self, name: str) -> None:
        """Do one thing to record 1; a handle that has failed is opened anew."""
        try:
            self._do(name)
        except (OSError, HandlePoisoned):
            self.failures += 1
            if name == "strict":
                self.strict = RecordFile(PATH, vfs=self.disk)
            else:
                self.loose = RecordFile(PATH, vfs=self.disk, sync="never")
                self.unsynced = self.floor
        self.disk.mark(str(self.floor))

    def _do(self, name: str) -> None:
        if name == "strict":
            self.floor = self.value(self.strict.update(1, add_one))
        elif name == "loose":
            self.unsynced = self.value(self.loose.update(1, add_one))
        elif name == "barrier":
            self.loose.barrier()
            self.floor = max(self.floor, self.unsynced)
        else:
            self.failures += 1
            self.fail(name)

    def fail(self, name: str) -> None:
        """Somebody else is killed before his sync or in his write, or his sync fails."""
        faults = {
            "killed": [Fault("sync", 1, effect="stop"), Fault("sync_data", 1, effect="stop")],
            "half": [
                Fault("write", 2, on=NAME, effect="stop"),
                Fault("write", 1, on=NAME, effect="short 600"),
            ],
            "failed": [Fault("sync", 1, effect="EIO")],
        }[name]
        with (
            suppress(Stopped, OSError),
            RecordFile(PATH, vfs=Faulty(self.disk, *faults)) as records,
        ):
            records.update(1, add_one)

    @staticmethod
    def value(one: dict[str, object]) -> int:
        """The value of a record."""
        value = one["value"]
        assert isinstance(value, int)
        return value


@pytest.mark.parametrize("first", STEPS)
def test_no_torn_sector_takes_what_was_durable(first) -> None:
    """Whoever writes, is killed or fails, in any order of three: any subset of unsynced sectors."""
    states = 0
    for rest in product(STEPS, repeat=LENGTH - 1):
        world = World()
        try:
            for name in (first, *rest):
                world.step(name)
        except Exception as error:
            raise AssertionError(f"{first}, {rest}: {error}") from error
        newest = world.value(world.strict[1])
        assert newest >= world.floor
        newest += world.failures  # what was taken back may be on the disk
        for crashed in world.disk.crash_states(block_bytes=512, limit=512):
            state = crashed.crash_state
            floor = max([OLD[1], *(int(mark) for mark in (state.marks if state else ()))])
            with RecordFile(PATH, vfs=crashed, read_only=True) as records:
                found = values([*records])
            states += 1
            assert OLD[0] == found[0], f"{first}, {rest}: a neighbour has changed"
            assert floor <= int(str(found[1])) <= newest, f"{first}, {rest}: {found}"
    assert states > 1000


SMALL = RecordBytes(5, 6, 7, 8).put(1, 3, 16).put(2, 3, 17).put(2, 4, 27, durable=4)
NOW = [5, 16, 27, 8]
BEFORE = [5, 6, 17, 8]
SLOT_BYTES = SLOT_HEAD_BYTES + SMALL.head.record_bytes


@pytest.mark.parametrize("part", range(8))
def test_flipped_bit_anywhere_is_told_and_never_read(part) -> None:
    """A record has its value, or the one before it if that copy is hit; a check always tells."""
    size = len(SMALL.data)
    for at in range(part, size, 8):
        damaged = bytearray(SMALL.data)
        damaged[at] ^= 1 << at % 7
        disk = disk_with(bytes(damaged))
        try:
            with RecordFile(PATH, vfs=disk, read_only=True) as records:
                found, report = values([*records]), records.check()
        except Corruption:
            assert at < HEAD_BYTES
            continue
        hit = [n for n in range(4) if found[n] != NOW[n]]
        assert len(hit) <= 1
        assert all(found[n] == BEFORE[n] for n in hit)
        assert report.findings, f"byte {at}: nothing is told"


def test_file_cut_anywhere_is_refused_or_has_its_first_records() -> None:
    """At every byte: no record has another value, and a cut within records is damage."""
    start, whole = SMALL.head.chunk_start(1), RecordBytes(5, 6, 7, 8).whole
    for size in range(0, len(whole), 7):
        slots = size - (start if size >= start else HEAD_BYTES)
        try:
            with RecordFile(PATH, vfs=disk_with(whole[:size]), read_only=True) as records:
                found = values([*records])
        except Corruption:
            assert size < HEAD_BYTES or slots >= SLOT_BYTES
            continue
        assert size >= HEAD_BYTES
        assert slots < SLOT_BYTES
        assert [5, 6, 7][: 3 if size >= start else 0] == found


def test_file_without_its_last_chunk_is_damaged_if_a_record_says_so() -> None:
    """One that was changed when there were more says how many were durable."""
    disk = disk_with(SMALL.whole[: SMALL.head.chunk_start(1)])

    with pytest.raises(Corruption, match="although 4 records were durable"):
        RecordFile(PATH, vfs=disk)


def test_both_copies_damaged_is_corruption_of_that_record_alone() -> None:
    """The others are read, whichever of them it is."""
    for number in range(3):
        made = RecordBytes(5, 6, 7, 8)
        made.over(number, 0, b"x").over(number, 1, b"y")
        with RecordFile(PATH, vfs=disk_with(made.whole), read_only=True) as records:
            others = [records[n]["value"] for n in range(4) if n != number]
            assert [v for n, v in enumerate((5, 6, 7, 8)) if n != number] == others
            with pytest.raises(Corruption, match=f"record {number} are damaged"):
                records.read(number)
            assert not records.check().ok
