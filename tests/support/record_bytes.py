"""Files of records, made byte by byte as the format's page says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

from holdfast.formats.record_format import (
    RecordHead,
    Slot,
    encode_record_head,
    encode_slot,
    head_for,
)
from holdfast.formats.record_layout import RecordLayout
from holdfast.primitives.record_marks import MARKS_AT
from holdfast.vfs import VFS

FIELDS = {"id": "I", "value": "q", "name": "24s"}
LAYOUT = RecordLayout(FIELDS)
LONG = RecordLayout({**FIELDS, "name": "900s"})
"""Of two sectors, both of which change with the value: a crash may leave one of them."""
ID = 0x1122334455667788
NAME = "r.rec"
LOCK = "r.rec.lock"
CHUNK_RECORDS = 3
CLEAR = bytes(MARKS_AT - 8) + ID.to_bytes(8, "little")
"""A sidecar that says of every lock byte that nothing awaits a sync."""


def record(number: int, value: int = 0, *, long: bool = False) -> dict[str, Any]:
    """A record that knows its number."""
    return {"id": number, "value": value, "name": f"{number}: {value}; " * (120 if long else 1)}


def a_head(chunk_records: int = CHUNK_RECORDS, *, layout: RecordLayout = LAYOUT) -> RecordHead:
    """The head of a file with small chunks."""
    one = head_for(
        layout, number=ID, created_ns=1_700_000_000_000_000_000, sector_bytes=512, chunk_bytes=1
    )
    return one._replace(chunk_records=chunk_records)


class RecordBytes:
    """A file that grows as a writer would have it."""

    def __init__(self, *values: int, head: RecordHead | None = None, durable: int = 0) -> None:
        self.head = head or a_head()
        self.data = bytearray(encode_record_head(self.head))
        self.count = 0
        for value in values:
            self.append(value, durable=durable)

    def append(self, value: int, durable: int = 0) -> RecordBytes:
        """Append a record with two copies."""
        number, self.count = self.count, self.count + 1
        if number % self.head.chunk_records == 0:
            self.data += bytes(self.head.chunk_bytes)
        for generation in (1, 2):
            self.put(number, generation, value, durable=durable)
        return self

    def put(self, number: int, generation: int, value: int, durable: int = 0) -> RecordBytes:
        """Write one slot, where its generation belongs."""
        layout = RecordLayout.parse(self.head.layout)
        data = layout.pack(record(number, value, long=self.head.layout == LONG.text))
        slot = Slot(generation, durable, data)
        return self.over(number, slot.array, encode_slot(self.head, number, slot))

    def over(self, number: int, array: int, data: bytes) -> RecordBytes:
        """Overwrite the beginning of a slot."""
        at = self.head.place(number, array)
        self.data[at : at + len(data)] = data
        return self

    @property
    def whole(self) -> bytes:
        """The bytes."""
        return bytes(self.data)


def put_file(vfs: VFS, data: bytes, path: str = "/r.rec") -> str:
    """Put a file there, durably, and return its path."""
    above, _, name = path.rpartition("/")
    with closing(vfs.folder(above or "/")) as folder:
        with closing(folder.open(name, "create")) as file:
            file.truncate(0)
            file.write(data, offset=0)
            file.sync()
        folder.sync()
    return path


def values(records: Sequence[Mapping[str, object]]) -> list[object]:
    """Their values alone."""
    return [one["value"] for one in records]
