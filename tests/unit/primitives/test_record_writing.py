"""Writing records: what goes where, and what is taken back."""

from __future__ import annotations

import pytest

from holdfast.primitives.record_file import RecordFile
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.memory import MemoryVFS
from tests.support.record_bytes import (
    CLEAR,
    FIELDS,
    ID,
    LOCK,
    RecordBytes,
    put_file,
    record,
    values,
)

PATH = "/r.rec"


def generations(records: RecordFile, number: int) -> list[int | None]:
    """Those of the copies of a record."""
    return [slot and slot.generation for slot in records._place.pair(number)]


@pytest.fixture
def disk():
    """A disk with a file of three records, a whole chunk."""
    disk = MemoryVFS()
    put_file(disk, RecordBytes(5, 6, 7).whole)
    put_file(disk, CLEAR, f"/{LOCK}")
    return disk


def test_changes_go_to_the_copies_in_turn(disk) -> None:
    """Each over the older one."""
    with RecordFile(PATH, vfs=disk) as records:
        found = []
        for _ in range(3):
            records.update(1, {"value": 9})
            found.append(generations(records, 1))
    assert [[3, 2], [3, 4], [5, 4]] == found


def test_changes_without_sync_go_over_the_own_copy(disk) -> None:
    """The durable one stays, until a barrier."""
    with RecordFile(PATH, vfs=disk, sync="never") as records:
        records.update(1, {"value": 9})
        records.update(1, {"value": 9})
        assert [5, 2] == generations(records, 1)
        records.barrier()
        records.update(1, {"value": 9})
        assert [5, 6] == generations(records, 1)


def test_slots_say_how_many_records_were_durable(disk) -> None:
    """What the handle has synced, and not what it has only written."""
    with RecordFile(PATH, vfs=disk) as records:
        records.append(record(3))
        records.append(record(4))
        records.update(0, {})
        pairs = [records._place.pair(number) for number in (3, 4, 0)]
    assert [(3, 3), (4, 4), (5, 0)] == [tuple(s.durable for s in p if s) for p in pairs]


def test_chunk_is_zeros_before_a_record_is_written(disk) -> None:
    """Whatever a stopped writer has left there."""
    put_file(disk, RecordBytes(5, 6, 7).whole + b"garbage" * 99)
    with RecordFile(PATH, vfs=disk) as records:
        records.append(record(3))
        assert records.check().ok
        assert 4 == len(records)
        assert 0 == records._place.size_bytes % 1024


def test_growing_that_fails_leaves_the_file_as_it_was(disk) -> None:
    """It is cut back where that is possible."""
    before = disk.tree()["r.rec"]
    for fault in (Fault("write", 1, on="r.rec", effect="ENOSPC"), Fault("sync", 1, effect="EIO")):
        with RecordFile(PATH, vfs=Faulty(disk, fault)) as records:
            with pytest.raises(OSError, match=r"\w") as caught:
                records.append(record(3))
            assert "has 3 records" in "".join(caught.value.__notes__)
        assert before == disk.tree()["r.rec"]


def test_append_over_chunks_that_fails_keeps_whole_chunks(disk) -> None:
    """What the next chunk counts on cannot be taken back; the note says how many there are."""
    faulty = Faulty(disk, Fault("sync_data", 4, effect="EIO"))
    with RecordFile(PATH, vfs=faulty) as records:
        with pytest.raises(OSError, match="Input/output") as caught:
            records.append_many([record(number) for number in range(3, 8)])
        assert "has 6 records" in "".join(caught.value.__notes__)
    with RecordFile(PATH, vfs=disk) as records:
        assert [5, 6, 7, 0, 0, 0] == values([*records])


def test_failed_barrier_takes_back_what_waited_for_it(disk) -> None:
    """But not what somebody has built on."""
    with RecordFile(PATH, vfs=Faulty(disk, Fault("sync", 1, effect="EIO")), sync="never") as loose:
        loose.update(0, {"value": 1})
        loose.update(1, {"value": 1})
        with RecordFile(PATH, vfs=disk) as other:
            other.update(1, {"value": 2})
        with pytest.raises(OSError, match="Input/output"):
            loose.barrier()
        assert [5, 2, 7] == values([*loose])


def test_after_a_failed_sync_the_last_chunk_is_written_anew(disk) -> None:
    """By the next who opens the file to write, once."""
    with (
        RecordFile(PATH, vfs=Faulty(disk, Fault("sync", 1, effect="EIO"))) as records,
        pytest.raises(OSError, match="Input/output"),
    ):
        records.update(0, {"value": 9})
    from holdfast.vfs.trace import Trace

    counts = []
    for _ in range(2):
        traced = Trace(disk)
        RecordFile(PATH, vfs=traced).close()
        counts.append(sum(name in {"sync", "sync_data"} for name in traced.operations))
    assert [1, 0] == counts


def test_sidecar_of_another_file_costs_a_sync_and_no_record(disk) -> None:
    """Its marks are of another id."""
    other = bytes(4088) + (ID + 1).to_bytes(8, "little")
    put_file(disk, other, f"/{LOCK}")
    with RecordFile(PATH, FIELDS, vfs=disk) as records:
        assert 9 == records.update(0, {"value": 9})["value"]
        assert 8 == records.update(0, {"value": 8})["value"]
        assert [3, 4] == generations(records, 0)
