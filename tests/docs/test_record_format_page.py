"""docs/reference/record-format.md against the code: layouts, bounds, names, writing."""

from __future__ import annotations

import re
from pathlib import Path
from zlib import crc32

import pytest

from holdfast.formats import record_format, record_layout
from holdfast.formats.record_format import Slot, encode_record_head, encode_slot
from holdfast.primitives import record_marks
from holdfast.primitives.record_file import RecordFile
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace
from tests.support.record_bytes import (
    CLEAR,
    FIELDS,
    ID,
    LAYOUT,
    LOCK,
    NAME,
    a_head,
    put_file,
    record,
)

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "reference/record-format.md").read_text("utf-8")
ROW = re.compile(r"^\| (\d+) \| (\d+) \| (\w+) \|", re.MULTILINE)


def section(title: str) -> str:
    """The text of a section."""
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def fields(title: str, block: bytes) -> dict[str, bytes]:
    """What a block holds at the places that the table of a section names."""
    rows = ROW.findall(section(title))
    edges = [(int(at), int(at) + int(size)) for at, size, _ in rows]
    assert [0, *(end for _, end in edges[:-1])] == [start for start, _ in edges]
    return {name: block[int(at) : int(at) + int(size)] for at, size, name in rows}


def numbers(found: dict[str, bytes], *names: str) -> list[int]:
    """Fields as numbers."""
    return [int.from_bytes(found[name], "little") for name in names]


def test_head_is_laid_out_as_the_page_says() -> None:
    """Each field stands at its place, and together they are the whole head."""
    head = a_head()
    block = encode_record_head(head)
    title = "Layout of the head"
    found = fields(title, block)
    magic = re.search(r"`(89(?: [0-9A-F]{2}){7})`", section(title))

    assert magic
    assert bytes.fromhex(magic[1]) == found["magic"]
    assert [1, 1, 0] == numbers(found, "version", "checksum", "flags")
    names = ("id", "created_ns", "slot_bytes", "record_bytes", "chunk_records")
    assert [getattr(head, name) for name in names] == numbers(found, *names)
    assert LAYOUT.text.encode().ljust(4044, b"\0") == found["layout"]
    assert [len(LAYOUT.text)] == numbers(found, "layout_bytes")
    assert [crc32(block[:4092])] == numbers(found, "crc")


def test_slot_is_laid_out_as_the_page_says() -> None:
    """And its checksum is over what the page says."""
    payload = LAYOUT.pack(record(5, 9))
    block = encode_slot(a_head(), 5, Slot(3, 7, payload))
    found = fields("Layout of a slot", block)
    seal = b"".join(number.to_bytes(8, "little") for number in (ID, 5, 3, 7))

    assert [3, 7, 0] == numbers(found, "generation", "durable", "zero")
    assert [crc32(seal + payload)] == numbers(found, "crc")
    assert payload == block[24 : 24 + len(payload)]
    assert not any(block[24 + len(payload) :])


def test_bounds_are_the_true_ones() -> None:
    """The page's limits are those of the code."""
    head = section("Layout of the head")

    assert f"to {record_layout.MAX_RECORD_BYTES:,} " in head
    assert f"at most {record_format.MAX_CHUNK_BYTES:,} bytes" in head
    assert f"to {record_layout.MAX_TEXT_BYTES:,} " in head
    assert f"| {record_format.MAX_CHUNK_BYTES:,} bytes; {record_format.CHUNK_BYTES:,} unless" in (
        section("Limits")
    )
    assert f"{record_marks.MARKS_AT:,} + {record_marks.MARK_BYTES} \u00d7" in section("Writing")


def steps(start: str) -> int:
    """How many syncs a part of "Writing" has."""
    return section("Writing").split(f"**{start}")[1].split("\n**")[0].lower().count("**sync**")


def syncs(traced: Trace) -> int:
    """How many there were."""
    return sum(name in {"sync", "sync_data"} for name in traced.operations)


def test_writing_costs_the_syncs_of_the_page() -> None:
    """A change that is sure costs one, and one more where nobody knows."""
    traced = Trace(MemoryVFS())
    with RecordFile(f"/{NAME}", FIELDS, vfs=traced, chunk_bytes=1024) as records:
        records.append(record(0))
        traced.clear()
        records.append(record(1))
        chunk = syncs(traced) - 1
        traced.clear()
        records.update(0, {"value": 1})
        assert 1 == syncs(traced)

    assert (2, 1) == (steps("Records are appended,") + steps("A chunk is made,") - 1, chunk)
    assert 2 == steps("A record is changed,")


@pytest.mark.parametrize("sure", [True, False])
def test_mark_decides_whether_a_sync_comes_first(sure) -> None:
    """At the place that the page says."""
    disk = MemoryVFS()
    with RecordFile(f"/{NAME}", FIELDS, vfs=disk) as records:
        records.append_many([record(0), record(1)])
        number = records._place.head.id
    mark = (number if sure else 99).to_bytes(8, "little")
    put_file(disk, CLEAR + bytes(8) + mark, f"/{LOCK}")
    traced = Trace(disk)
    with RecordFile(f"/{NAME}", vfs=traced) as records:
        traced.clear()
        records.update(1, {"value": 1})
    assert 2 - sure == syncs(traced)


def test_other_pages_lead_here() -> None:
    """The page of files has a link."""
    assert "record-format.md" in (DOCS / "reference/files.md").read_text("utf-8")
