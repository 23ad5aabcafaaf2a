"""The format of the block log."""

from __future__ import annotations

import pytest

from holdfast.crash.disks.block_log import (
    HEADER,
    Kind,
    Record,
    marks_before,
    pack_record,
    parse_log,
)
from holdfast.errors import Corruption

LOG = (
    pack_record(Record(Kind.WRITE, offset=8192, arrived=0), b"d" * 4096)
    + pack_record(Record(Kind.MARK, arrived=1), "gespült".encode())
    + pack_record(Record(Kind.FLUSH, arrived=1))
    + pack_record(Record(Kind.FAILED_FLUSH, arrived=3))
)


def test_what_was_packed_is_read() -> None:
    """Every field of every kind comes back, with the place of the data."""
    write, mark, flush, failed = parse_log(LOG)

    assert Record(Kind.WRITE, 4096, 8192, 0, HEADER.size) == write
    assert LOG[write.place : write.place + write.size] == b"d" * 4096
    assert ("gespült", 1) == (mark.text, mark.arrived)
    assert (Kind.FLUSH, 1, Kind.FAILED_FLUSH, 3) == (
        flush.kind,
        flush.arrived,
        failed.kind,
        failed.arrived,
    )


def test_empty_log_has_no_records() -> None:
    """Nothing was done, nothing is read."""
    assert [] == parse_log(b"")


@pytest.mark.parametrize("cut", [1, 23, 24, 100, len(LOG) - 1])
def test_log_that_is_cut_off_is_refused(cut) -> None:
    """A record without its end is an error that says where."""
    with pytest.raises(Corruption, match="block log: damaged at byte"):
        parse_log(LOG[:cut])


@pytest.mark.parametrize("kind", [0, 6, 255])
def test_unknown_kind_is_refused(kind) -> None:
    """A kind that this version does not know is never skipped."""
    with pytest.raises(Corruption, match=f"kind {kind}"):
        parse_log(bytes([kind]) + LOG[1:])


def test_marks_are_counted_for_each_moment() -> None:
    """At moment n the first n records are done."""
    assert [0, 0, 1, 1, 1] == marks_before(parse_log(LOG))
