"""A check of a file of records: what it finds, and what it calls it."""

from __future__ import annotations

from zlib import crc32

import pytest

from holdfast.errors import UnknownFormat
from holdfast.primitives.record_check import (
    check_place,
    check_records,
    half_damaged,
    locks_of_reader,
)
from holdfast.primitives.record_place import RecordPlace
from holdfast.vfs import CLOCK
from holdfast.vfs.memory import MemoryVFS
from tests.support.record_bytes import LONG, RecordBytes, a_head, put_file


def place_of(made: RecordBytes, tail: bytes = b"") -> RecordPlace:
    """An open file."""
    disk = MemoryVFS()
    return RecordPlace(put_file(disk, made.whole + tail), None, new=None, vfs=disk)


def found(made: RecordBytes, tail: bytes = b"") -> list[tuple[str, str]]:
    """The kinds of what is found, and the messages."""
    report = check_place(place_of(made, tail), None)
    return [(one.kind, one.message) for one in report.findings]


def test_whole_file_has_no_findings() -> None:
    """Every record is counted."""
    report = check_place(place_of(RecordBytes(5, 6, 7, 8)), None)
    assert (True, 4, ()) == (report.ok, report.records, report.findings)
    assert "record file" == report.kind


@pytest.mark.parametrize("array", [0, 1])
def test_damaged_copy_is_named_with_its_record(array) -> None:
    """The record counts all the same."""
    [(kind, message)] = found(RecordBytes(5, 6, 7).over(1, array, b"x"))
    assert "damage" == kind
    assert "one copy of record 1 is damaged" in message
    assert "heal" in message


def test_copy_that_a_crash_can_leave_is_torn() -> None:
    """Zeros, or anything in a slot of several sectors."""
    zeros = RecordBytes(5, 6).over(1, 0, bytes(512))
    large = RecordBytes(5, 6, head=a_head(layout=LONG)).over(1, 0, b"x")
    assert ["torn", "torn"] == [found(made)[0][0] for made in (zeros, large)]


def test_both_copies_are_damage_and_the_others_are_counted() -> None:
    """A file without its last records is damaged if one says so."""
    made = RecordBytes(5, 6, 7, 8).over(0, 0, b"x").over(0, 1, b"y")
    assert [("damage", True)] == [(kind, "both copies" in text) for kind, text in found(made)]
    assert 3 == check_place(place_of(made), None).records
    assert "damage" in {kind for kind, _ in found(RecordBytes(5, 6).put(0, 4, 1, durable=9))}


def test_what_a_crash_has_left_behind_the_end_is_no_damage() -> None:
    """Whole records there, parts of them, a part of a chunk."""
    made = RecordBytes(5, 0, 9).over(1, 0, bytes(512)).over(1, 1, bytes(512)).over(2, 0, b"x")
    assert [("torn"), ("hole")] == [kind for kind, _ in found(made)]
    assert ["torn"] == [kind for kind, _ in found(RecordBytes(5), b"x" * 99)]


def test_something_in_the_padding_is_told() -> None:
    """The record is whole, and healing it writes zeros there."""
    made = RecordBytes(5)
    made.data[made.head.place(0, 0) + 511] = 1
    [(kind, message)] = found(made)
    assert ("damage", True) == (kind, "The record is whole" in message)


def test_many_findings_are_counted_and_not_listed() -> None:
    """A file full of damage makes no list without end."""
    made = RecordBytes(*range(700))
    for number in range(600):
        made.over(number, 0, b"x").over(number, 1, b"y")
    report = check_place(place_of(made.put(699, 4, 1)), None)
    assert len(report.findings) <= 1001
    many = RecordBytes(*range(1100))
    for number in range(1050):
        many.over(number, 0, b"x")
    assert "50 more findings" in check_place(place_of(many), None).findings[-1].message


def test_half_damaged_records_are_those_with_one_copy() -> None:
    """Below the count."""
    made = RecordBytes(5, 6, 7, 8).over(1, 0, b"x").over(3, 1, b"x").over(0, 0, b"x")
    assert [0, 1] == [*half_damaged(place_of(made.over(0, 1, b"")), 3)]


def test_reader_gets_locks_where_there_is_a_sidecar() -> None:
    """None is made."""
    disk = MemoryVFS()
    assert locks_of_reader("/r.rec.lock", vfs=disk, clock=CLOCK) is None
    put_file(disk, b"", "/r.rec.lock")
    assert locks_of_reader("/r.rec.lock", vfs=disk, clock=CLOCK) is not None


def test_file_that_cannot_be_opened_is_checked() -> None:
    """A damaged head is a finding, as records that are gone are; a later format is refused."""
    disk = MemoryVFS()
    put_file(disk, RecordBytes(5, 6).whole, "/whole")
    put_file(disk, RecordBytes(5, 6).put(0, 3, 5, durable=9).whole, "/gone")
    put_file(disk, RecordBytes(5).whole[:100], "/cut")
    whole, gone, cut = (check_records(path, vfs=disk) for path in ("/whole", "/gone", "/cut"))
    assert (True, 2) == (whole.ok, whole.records)
    assert (False, 2, 1) == (gone.ok, gone.records, len(gone.findings))
    assert (False, 0, 100) == (cut.ok, cut.records, cut.size_bytes)
    assert "only 100 of the 4096 bytes" in cut.findings[0].message

    block = bytearray(RecordBytes().whole)
    block[8] = 2
    block[-4:] = crc32(block[:-4]).to_bytes(4, "little")
    with pytest.raises(UnknownFormat):
        check_records(put_file(disk, bytes(block), "/later"), vfs=disk)
