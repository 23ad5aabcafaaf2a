"""What was done to a block device, in the order in which it was completed: the log's format.

The server appends to it, the harness reads it; both hold the same memory file. Layout of a record,
little-endian, records one after the other:

    offset  size  name
    0       1     kind      1 write, 2 flush, 3 mark, 4 failed write, 5 failed flush
    1       3     zero
    4       4     size      of a write, in bytes; of a mark's text
    8       8     offset    of a write on the device
    16      8     arrived   how many records there were when the request came
    24      size  data      of a write; text of a mark in UTF-8; nothing for the others

A write is on the medium for certain once a flush is complete that came after the write's own
completion: a flush covers the records before its `arrived`, no others.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.errors import Corruption

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["HEADER", "Kind", "Record", "marks_before", "pack_record", "parse_log"]

HEADER: Final = struct.Struct("<BxxxIQQ")


class Kind:
    """What a record tells."""

    WRITE = 1
    FLUSH = 2
    MARK = 3
    FAILED_WRITE = 4
    FAILED_FLUSH = 5


class Record(NamedTuple):
    """One record; `place` is where its data lie in the log."""

    kind: int
    size: int = 0
    offset: int = 0
    arrived: int = 0
    place: int = 0
    text: str = ""


def pack_record(record: Record, data: bytes = b"") -> bytes:
    """The bytes of a record; its size is that of the data."""
    return HEADER.pack(record.kind, len(data), record.offset, record.arrived) + data


def parse_log(data: bytes | memoryview) -> list[Record]:
    """Read all records.

    Raises:
        Corruption: A record of an unknown kind, or one that is cut off.
    """
    records: list[Record] = []
    place = 0
    while place < len(data):
        if place + HEADER.size > len(data):
            raise _damage(place, "a whole header", f"{len(data) - place} bytes")
        kind, size, offset, arrived = HEADER.unpack_from(data, place)
        place += HEADER.size
        if not Kind.WRITE <= kind <= Kind.FAILED_FLUSH or place + size > len(data):
            raise _damage(place, "a whole record of a known kind", f"kind {kind}, {size} bytes")
        text = bytes(data[place : place + size]).decode() if kind == Kind.MARK else ""
        records.append(Record(kind, size, offset, arrived, place, text))
        place += size
    return records


def _damage(offset: int, expected: str, found: str) -> Corruption:
    message = (
        f"block log: damaged at byte {offset}: expected {expected}, found {found}."
        " Nothing was read from there on. Record the workload again."
    )
    return Corruption(message, path="block log", offset=offset, expected=expected, found=found)


def marks_before(records: Sequence[Record]) -> list[int]:
    """For each number of records done, how many marks are among them."""
    counts = [0]
    for record in records:
        counts.append(counts[-1] + (record.kind == Kind.MARK))
    return counts
