"""docs/reference/log-format.md against the code: layouts, bounds, verdicts."""

from __future__ import annotations

import re
from pathlib import Path
from zlib import crc32

import pytest

from holdfast.formats import log_format
from holdfast.formats.log_format import (
    SegmentHeader,
    decode_head,
    encode_close_mark,
    encode_frame,
    encode_segment,
    seed_of,
    segment_name,
)
from holdfast.primitives.log_copying import GUARD_NAME
from tests.support.log_bytes import Segment

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "reference/log-format.md").read_text("utf-8")
ROW = re.compile(r"^\| (\d+) \| (\d+) \| (\w+) \|", re.MULTILINE)
SALT = 0x1122334455667788


def section(title: str) -> str:
    """The text of a section."""
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def layout(title: str) -> dict[str, slice]:
    """Where the table of a section says that its fields lie."""
    rows = ROW.findall(section(title))
    return {name: slice(int(at), int(at) + int(size)) for at, size, name in rows}


def number(block: bytes, place: slice) -> int:
    """A field as a number."""
    return int.from_bytes(block[place], "little")


def test_header_is_laid_out_as_the_page_says() -> None:
    """Each field stands at its place, and together they are the whole header."""
    fields = layout("Layout of the header")
    header = SegmentHeader(9, SALT, 1234, 7, 3, 4096)
    block = encode_segment(header)

    magic = bytes.fromhex(re.search(r"`(89(?: [0-9A-F]{2}){7})`", PAGE)[1])  # type: ignore[index]
    assert magic == block[fields["magic"]]
    assert (1, 1, 0) == tuple(number(block, fields[n]) for n in ("version", "checksum", "flags"))
    for name, value in header._asdict().items():
        assert value == number(block, fields[name]), name
    assert not any(block[fields["reserved"]])
    assert crc32(block[:508]) == number(block, fields["header_crc"])
    edges = [(place.start, place.stop) for place in fields.values()]
    assert [0, *(end for _, end in edges)] == [*(start for start, _ in edges), len(block)]


@pytest.mark.parametrize("kind", ["one", "batch", "mark"])
def test_frame_is_laid_out_as_the_page_says(kind) -> None:
    """Each field of the head stands at its place; table, payloads and padding follow."""
    fields = layout("Layout of a frame")
    seed = seed_of(SALT)
    assert crc32(SALT.to_bytes(8, "little")) == seed
    records = {"one": [b"abc"], "batch": [b"abc", b"", b"defgh"], "mark": []}[kind]
    options = dict(first=5, offset=1024, synced=600, seed=seed)
    data = encode_frame(records, **options) if records else encode_close_mark(**options)
    table = b"".join(len(r).to_bytes(4, "little") for r in records) if len(records) > 1 else b""
    body = table + b"".join(records)
    expected = dict(
        flags=int(not records), reserved=0, body_bytes=len(body), count=len(records), first=5,
        offset=1024, synced=600, head_crc=crc32(data[:32], seed),
        body_crc=crc32(data[40:], crc32(data[:32], seed)),
    )  # fmt: skip

    magic = bytes.fromhex(re.search(r"`(46(?: [0-9A-F]{2}){3})`", PAGE)[1])  # type: ignore[index]
    assert magic == data[fields["magic"]] == log_format.FRAME_MAGIC
    assert expected == {n: number(data, place) for n, place in fields.items() if n != "magic"}
    assert body.ljust(-(-len(body) // 8) * 8, b"\0") == data[40:]
    assert log_format.FRAME_BYTES == max(place.stop for place in fields.values())


def test_bounds_are_the_true_ones() -> None:
    """The page's limits are those of the code."""
    limits = section("Limits")

    assert f"{log_format.MAX_SEGMENT_BYTES:,} bytes" in limits
    assert f"| {log_format.MAX_RECORDS:,} |" in limits
    assert f"{log_format.MAX_BODY_BYTES >> 20} MiB" in limits
    assert f"at most {log_format.MAX_BODY_BYTES:,}" in section("Layout of a frame")
    assert f"at most {log_format.MAX_RECORDS:,}" in section("Layout of a frame")
    assert f"   {segment_name(4712)}" in section("Files and names").replace("  0", "   0")


STATES = {
    "a header and zeros": Segment().fill(4096).data,
    "part of a frame, then zeros or the end": Segment().append(b"a" * 999).data[:900],
    "zeros, then a whole frame": Segment().data
    + bytes(640)
    + Segment().append(b"a" * 600, synced=512).append(b"b", synced=512).data[1152:],
    "part of a frame, then a whole one": Segment().append(b"a" * 960, synced=512).data[:1024]
    + bytes(488)
    + Segment().append(b"a" * 960, synced=512).append(b"b", synced=512).data[1512:],
    "part of a frame, then one with `synced` behind it": Segment().append(b"a" * 960).data[:1024]
    + bytes(488)
    + Segment().append(b"a" * 960).append(b"b").data[1512:],
    "whole frames, the last without close mark": Segment().append(b"a").append(b"b").data,
}


@pytest.mark.parametrize("state", STATES)
def test_state_after_a_crash_has_the_verdict_of_the_page(state) -> None:
    """Each row of the table of states is what the scanner says of such a segment."""
    row = re.search(rf"^\| {re.escape(state)} \|[^|]+\| (\w+) \|$", PAGE, re.MULTILINE)

    assert row, state
    assert row[1] == Segment().examined(bytes(STATES[state])).verdict


def test_every_verdict_is_explained() -> None:
    """The table of verdicts has all that the scanner gives, in its order of deciding."""
    rows = re.findall(r"^\| (\d) \| (\w+) \|", section("After a crash"), re.MULTILINE)

    assert [str(n) for n in range(1, 10)] == [number for number, _ in rows]
    assert {"sealed", "clean", "damaged", "torn", "hole"} == {name for _, name in rows}


def test_stale_frames_are_kept_out_as_the_page_says() -> None:
    """Offset and salt bind a frame to its place: the protection that the table names is there."""
    segment = Segment().append(b"a")

    assert decode_head(segment.data, 512, offset=512, seed=segment.seed) is not None
    assert decode_head(segment.data, 512, offset=520, seed=segment.seed) is None
    assert decode_head(segment.data, 512, offset=512, seed=seed_of(SALT)) is None


def test_guard_of_a_repair_has_the_name_of_the_page() -> None:
    """The file that makes readers refuse a log that is not done."""
    assert f"`{GUARD_NAME}`" in section("Repair")


def test_other_pages_lead_here() -> None:
    """The start page and the page of files have a link."""
    assert "reference/log-format.md" in (DOCS / "index.md").read_text("utf-8")
    assert "log-format.md" in (DOCS / "reference/files.md").read_text("utf-8")
