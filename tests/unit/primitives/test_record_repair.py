"""Saving what is whole of a file of records."""

from __future__ import annotations

import pytest

from holdfast.errors import Corruption
from holdfast.primitives.record_file import RecordFile
from holdfast.primitives.record_place import RecordPlace
from holdfast.primitives.record_repair import copy_records, repair_records
from holdfast.vfs.memory import MemoryVFS
from tests.support.record_bytes import RecordBytes, put_file, values


def repaired(made: RecordBytes, cut: int | None = None):
    """The report, and the values of the new file, where each record is writable."""
    disk = MemoryVFS()
    place = RecordPlace(put_file(disk, made.whole[:cut]), None, new=None, vfs=disk)
    before = disk.tree()["r.rec"]
    report = copy_records(place, "/new.rec", vfs=disk)
    assert before == disk.tree()["r.rec"]
    with RecordFile("/new.rec", vfs=disk) as records:
        assert records.check().ok
        assert place.head.id != records._place.head.id
        for number in range(len(records)):
            records.update(number, {})
        return report, values([*records])


@pytest.mark.parametrize("count", [0, 1, 3, 7])
def test_whole_file_is_copied_as_it_is(count) -> None:
    """Nothing is lost."""
    report, found = repaired(RecordBytes(*range(count)))
    assert (count, ()) == (report.records, report.lost)
    assert [*range(count)] == found


def test_lost_record_has_zeros_and_is_told() -> None:
    """The others keep their numbers; a copy that is whole is enough."""
    made = RecordBytes(5, 6, 7, 8).over(1, 0, b"x").over(1, 1, b"y").over(2, 0, b"z")
    report, found = repaired(made)
    assert [5, 0, 7, 8] == found
    assert (3, 1) == (report.records, len(report.lost))
    assert "record 1" in str(report)


def test_file_that_cannot_be_opened_is_saved_as_far_as_it_goes() -> None:
    """Cut in the middle of its last chunk: what is there, and what was durable."""
    made = RecordBytes(5, 6, 7, 8).append(9)
    cut = made.head.chunk_start(1) + 1000
    report, found = repaired(made, cut)
    assert [5, 6, 7, 8, 9][: len(found)] == found
    assert ([5, 6, 7, 8], ()) == (found[:4], report.lost)
    claimed, values_found = repaired(RecordBytes(5, 6).put(0, 4, 1, durable=3))
    assert ([1, 6, 0], 1) == (values_found, len(claimed.lost))


def test_target_that_is_there_is_refused() -> None:
    """It is untouched."""
    disk = MemoryVFS()
    path = put_file(disk, RecordBytes(5).whole)
    put_file(disk, b"mine", "/new.rec")
    with RecordFile(path, vfs=disk) as records, pytest.raises(FileExistsError):
        records.repair("/new.rec")
    assert b"mine" == disk.tree()["new.rec"]


def test_damaged_head_cannot_be_repaired() -> None:
    """It has one copy; a backup has the same."""
    disk = MemoryVFS()
    path = put_file(disk, b"\x89HFREC\r\n" + bytes(9000))
    with pytest.raises(Corruption, match="backup"):
        RecordFile(path, vfs=disk)


def test_file_that_cannot_be_opened_is_repaired() -> None:
    """Where records are gone; not without a head."""
    disk = MemoryVFS()
    gone = put_file(disk, RecordBytes(5, 6).put(0, 3, 5, durable=3).whole, "/gone")
    report = repair_records(gone, "/new", vfs=disk)
    assert (2, 1) == (report.records, len(report.lost))
    with pytest.raises(Corruption, match="of its head"):
        repair_records(put_file(disk, RecordBytes(5).whole[:9], "/cut"), "/other", vfs=disk)
    assert "other" not in disk.tree()
