"""Heads and slots as bytes: what is encoded is decoded, and nothing else is."""

from __future__ import annotations

from itertools import pairwise
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import BadFrame, ChecksumMismatch, UnknownFormat
from holdfast.formats.record_format import (
    HEAD_BYTES,
    MAX_NUMBER,
    SLOT_HEAD_BYTES,
    RecordHead,
    Slot,
    decode_record_head,
    decode_slot,
    encode_record_head,
    encode_slot,
    head_for,
    is_record_file,
    newest,
)
from holdfast.formats.record_layout import RecordLayout

LAYOUT = RecordLayout({"id": "I", "owner": "20s"})
HEAD = RecordHead(0x1122334455667788, 1234, 512, 24, 3, LAYOUT.text)
BLOCK = encode_record_head(HEAD)
PAYLOAD = LAYOUT.pack({"id": 7, "owner": "ada"})


def changed(at: int, value: bytes) -> bytes:
    """A head with other bytes at some place, and the right checksum."""
    block = BLOCK[:at] + value + BLOCK[at + len(value) : -4]
    return block + crc32(block).to_bytes(4, "little")


def test_head_is_read_as_written() -> None:
    """Every field comes back, and it has its size."""
    assert HEAD == decode_record_head(BLOCK, path="x")
    assert HEAD_BYTES == len(BLOCK)
    assert is_record_file(BLOCK[:8])


@pytest.mark.parametrize("at", [*range(64), 100, 4000, *range(4088, 4096)])
def test_damaged_head_is_refused(at) -> None:
    """A changed bit anywhere, and the file is named."""
    damaged = bytearray(BLOCK)
    damaged[at] ^= 1
    kind = BadFrame if at < 8 else ChecksumMismatch

    with pytest.raises(kind, match="accounts"):
        decode_record_head(bytes(damaged), path="accounts.rec")


@pytest.mark.parametrize("size", [0, 7, 8, 511, 4095])
def test_short_head_is_refused(size) -> None:
    """However much of it is missing."""
    with pytest.raises(BadFrame):
        decode_record_head(BLOCK[:size], path="x")


@pytest.mark.parametrize("at", [8, 10, 12])
def test_later_format_is_told(at) -> None:
    """Version, checksum and flags that are not known."""
    with pytest.raises(UnknownFormat, match="newer"):
        decode_record_head(changed(at, b"\2"), path="x")


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (16, bytes(8)),
        (32, (513).to_bytes(4, "little")),
        (32, (1536).to_bytes(4, "little")),
        (32, b"\xff" * 4),
        (36, bytes(4)),
        (36, (25).to_bytes(4, "little")),
        (36, b"\xff" * 4),
        (40, bytes(4)),
        (40, b"\xff" * 4),
        (44, b"\xff" * 4),
        (44, bytes(4)),
        (48, b"\xff"),
        (48, b"Q"),
        (4091, b"x"),
    ],
)
def test_head_that_says_what_cannot_be_is_refused(at, value) -> None:
    """Sizes that are hostile or do not fit each other, also with the right checksum."""
    with pytest.raises(BadFrame, match="cannot be"):
        decode_record_head(changed(at, value), path="x")


def test_impossible_head_is_not_written() -> None:
    """Nothing is encoded that would not be decoded."""
    for wrong in (HEAD._replace(id=0), HEAD._replace(slot_bytes=600)):
        with pytest.raises(ValueError, match="cannot say"):
            encode_record_head(wrong)


@pytest.mark.parametrize(
    ("sector", "chunk", "slot", "records"),
    [(512, 1, 512, 1), (512, 4096, 512, 4), (4096, 1 << 18, 4096, 32)],
)
def test_slots_are_whole_sectors_and_chunks_about_as_large_as_asked(
    sector, chunk, slot, records
) -> None:
    """A record shares no sector, and a chunk has one at least."""
    head = head_for(LAYOUT, number=1, created_ns=0, sector_bytes=sector, chunk_bytes=chunk)

    assert (slot, records) == (head.slot_bytes, head.chunk_records)
    assert head == decode_record_head(encode_record_head(head), path="x")


@pytest.mark.parametrize("sizes", [(0, 1), (1024, 1), (512, 0), (512, 1 << 27)])
def test_sizes_that_cannot_be_are_refused(sizes) -> None:
    """Of sectors and chunks."""
    sector, chunk = sizes
    with pytest.raises(ValueError, match="_bytes is"):
        head_for(LAYOUT, number=1, created_ns=0, sector_bytes=sector, chunk_bytes=chunk)


def test_places_do_not_overlap_and_fill_the_chunks() -> None:
    """Each slot of each record has its own."""
    places = sorted(HEAD.place(number, array) for number in range(7) for array in (0, 1))

    assert HEAD_BYTES == places[0] == HEAD.place(0, 0)
    assert len(places) == len({*places})
    assert all(HEAD.slot_bytes <= b - a for a, b in pairwise(places))
    assert HEAD.chunk_start(2) == HEAD.place(6, 0) == HEAD_BYTES + 2 * HEAD.chunk_bytes
    assert [0, 0, 1] == [HEAD.chunks_in(HEAD_BYTES + size) for size in (-9, 3071, 3072)]


@given(st.integers(1, MAX_NUMBER), st.integers(0, MAX_NUMBER), st.integers(0, 2**40))
def test_slot_is_read_as_written(generation, durable, number) -> None:
    """Every possible one comes back, from its own array."""
    slot = Slot(generation, durable, PAYLOAD)
    block = encode_slot(HEAD, number, slot)

    assert 512 == len(block)
    assert slot == decode_slot(block, head=HEAD, number=number, array=slot.array)
    assert decode_slot(block, head=HEAD, number=number, array=1 - slot.array) is None


def test_slot_of_elsewhere_is_not_valid() -> None:
    """Of another record, another file, or cut short."""
    block = encode_slot(HEAD, 5, Slot(1, 0, PAYLOAD))
    other = HEAD._replace(id=9)

    assert decode_slot(block, head=HEAD, number=6, array=0) is None
    assert decode_slot(block, head=other, number=5, array=0) is None
    assert decode_slot(block[: SLOT_HEAD_BYTES + 23], head=HEAD, number=5, array=0) is None
    assert decode_slot(bytes(512), head=HEAD, number=5, array=0) is None


@pytest.mark.parametrize("at", range(SLOT_HEAD_BYTES + 24))
def test_changed_bit_makes_a_slot_invalid(at) -> None:
    """Anywhere in head and record."""
    block = bytearray(encode_slot(HEAD, 5, Slot(1, 0, PAYLOAD)))
    block[at] ^= 2

    assert decode_slot(block, head=HEAD, number=5, array=0) is None


@pytest.mark.parametrize(
    "slot", [Slot(0, 0, PAYLOAD), Slot(MAX_NUMBER + 1, 0, PAYLOAD), Slot(1, 0, b"short")]
)
def test_impossible_slot_is_not_written(slot) -> None:
    """Generations count from 1, and a record has its size."""
    with pytest.raises(ValueError, match="cannot say"):
        encode_slot(HEAD, 0, slot)


def test_newest_has_the_higher_generation() -> None:
    """Of two, of one, of none."""
    one, two = Slot(1, 0, b"1"), Slot(2, 0, b"2")

    assert (two, two, one, None) == (
        newest(one, two),
        newest(two, one),
        newest(one, None),
        newest(None, None),
    )
