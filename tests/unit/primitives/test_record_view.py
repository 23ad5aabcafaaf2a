"""Reading a file of records, also while it is written, and what a check says then."""

from __future__ import annotations

import threading

import pytest

from holdfast.errors import Corruption
from holdfast.formats.record_format import Slot, encode_slot
from holdfast.primitives.record_file import RecordFile
from holdfast.vfs.memory import MemoryVFS
from tests.support.record_bytes import FIELDS, LAYOUT, RecordBytes, put_file, record


def test_check_beside_a_writer_finds_nothing(tmp_path) -> None:
    """What is half written for a moment is no finding."""
    with (
        RecordFile(tmp_path / "r.rec", FIELDS, sync="never") as records,
        RecordFile(tmp_path / "r.rec", read_only=True) as reader,
    ):
        records.append_many([record(number) for number in range(50)])
        stop = threading.Event()

        def write() -> None:
            for value in range(100_000):
                if stop.is_set():
                    return
                records.update(value % 50, {"value": value})

        thread = threading.Thread(target=write)
        thread.start()
        try:
            reports = [reader.check() for _ in range(20)]
        finally:
            stop.set()
            thread.join()
    assert [()] * 20 == [report.findings for report in reports]
    assert {50} == {report.records for report in reports}


def test_record_that_is_whole_and_no_text_is_corruption() -> None:
    """Another program has written it; the record is named, and may be written anew."""
    made = RecordBytes(5)
    wrong = LAYOUT.pack(record(0, 5)).replace(b"0: 5", b"\xff\xfe\xfd\xfc")
    made.over(0, 0, encode_slot(made.head, 0, Slot(3, 0, wrong)))
    disk = MemoryVFS()
    with RecordFile(put_file(disk, made.whole), vfs=disk) as records:
        with pytest.raises(Corruption, match="record 0 is whole, and 'name' holds what is no UTF"):
            records.read(0)
        records.write(0, record(0, 7))
        assert 7 == records[0]["value"]


def test_properties_tell_what_it_is() -> None:
    """Where, and of which fields."""
    disk = MemoryVFS()
    with RecordFile(put_file(disk, RecordBytes(5).whole), vfs=disk) as records:
        assert ("/r.rec", FIELDS, 1) == (records.path, records.layout, len(records))
