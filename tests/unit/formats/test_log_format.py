"""Segments and frames as bytes: what is encoded is decoded, and nothing else is."""

from __future__ import annotations

from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import BadFrame, ChecksumMismatch, Corruption, UnknownFormat
from holdfast.formats import log_format
from holdfast.formats.log_format import (
    CLOSE_MARK,
    FRAME_BYTES,
    MAX_BODY_BYTES,
    MAX_RECORDS,
    MAX_SEQUENCE,
    Frame,
    SegmentHeader,
    decode_head,
    decode_segment,
    encode_close_mark,
    encode_frame,
    encode_head,
    encode_segment,
    first_of,
    frame_bytes,
    seed_of,
    segment_name,
)
from tests.support.log_bytes import Segment, resealed

SEED = seed_of(7)
HEADER = SegmentHeader(101, 2**64 - 1, 1_700_000_000_000_000_000, 1, 5, 4096)
U64 = st.integers(0, MAX_SEQUENCE)


def with_checksum(block: bytes) -> bytes:
    """A header block with the right checksum."""
    return block[:508] + crc32(block[:508]).to_bytes(4, "little")


def changed(header: SegmentHeader, at: int, value: bytes) -> bytes:
    """A block with other bytes at some place, and the right checksum."""
    block = encode_segment(header)
    return with_checksum(block[:at] + value + block[at + len(value) :])


@given(
    first=st.integers(2, MAX_SEQUENCE),
    salt=U64,
    created=U64,
    before=st.none() | st.tuples(st.integers(1), U64, st.integers(64, 2**29 - 1)),
)
def test_header_is_read_as_written(first, salt, created, before) -> None:
    """Every possible header comes back."""
    previous = (0, 0, 0)
    if before:
        previous = (1 + before[0] % (first - 1), before[1], before[2] * 8)
    header = SegmentHeader(first, salt, created, *previous)

    assert header == decode_segment(encode_segment(header), path="x")
    assert 512 == len(encode_segment(header))


@pytest.mark.parametrize("at", range(512))
def test_every_bit_of_the_header_counts(at) -> None:
    """A changed bit is damage, wherever it is; in the magic, the file is none of ours."""
    block = encode_segment(HEADER)
    for bit in range(8):
        bad = block[:at] + bytes([block[at] ^ 1 << bit]) + block[at + 1 :]
        with pytest.raises(BadFrame if at < 8 else ChecksumMismatch) as caught:
            decode_segment(bad, path="log/a.segment")
        assert "log/a.segment" == caught.value.path
        assert 0 == caught.value.offset


@pytest.mark.parametrize("size", [0, 1, 511])
def test_short_header_is_a_bad_frame(size) -> None:
    """A file shorter than a header is told with its size."""
    with pytest.raises(BadFrame, match=f"only {size} of the 512 bytes") as caught:
        decode_segment(encode_segment(HEADER)[:size], path="s")
    assert size == caught.value.found


@pytest.mark.parametrize(
    ("at", "value"),
    [(8, b"\2"), (10, b"\2"), (12, b"\1"), (15, b"\x80"), (60, b"\1"), (507, b"\1")],
)
def test_later_format_is_refused(at, value) -> None:
    """A version, checksum, flag or field that is not known is no damage: a newer program reads."""
    with pytest.raises(UnknownFormat, match="newer holdfast"):
        decode_segment(changed(HEADER, at, value), path="s")


@pytest.mark.parametrize(
    "header",
    [
        HEADER._replace(first=0, previous_first=0, previous_salt=0, previous_end=0),
        HEADER._replace(previous_first=101),
        HEADER._replace(previous_first=102),
        HEADER._replace(previous_end=504),
        HEADER._replace(previous_end=4097),
        HEADER._replace(previous_first=0),
        HEADER._replace(previous_first=0, previous_salt=0),
        HEADER._replace(previous_first=0, previous_end=0),
    ],
)
def test_impossible_header_is_a_bad_frame(header) -> None:
    """A header with a right checksum that says what cannot be is refused."""
    with pytest.raises(BadFrame, match="cannot be"):
        decode_segment(encode_segment(header), path="s")


@pytest.mark.parametrize("first", [1, 4712, MAX_SEQUENCE])
def test_name_states_the_first_sequence(first) -> None:
    """The name has 20 digits, so that names sort as sequences do."""
    assert 28 == len(segment_name(first))
    assert first == first_of(segment_name(first))


@pytest.mark.parametrize(
    "name",
    [
        "lock",
        "",
        ".segment",
        "1.segment",
        "00000000000000000000.segment",
        "99999999999999999999.segment",
        "00000000000000000001",
        "00000000000000000001.segment.segment",
        "+0000000000000000001.segment",
        "0000000000000000000\u0661.segment",
        " 0000000000000000001.segment",
        ".00000000000000000001.segment.8c1f0a92d4b7e653.holdfast-tmp",
    ],
)
def test_other_names_are_no_segments(name) -> None:
    """Only what `segment_name` makes is taken for a segment."""
    assert first_of(name) is None


@given(
    st.lists(st.binary(max_size=40), min_size=1, max_size=9), st.integers(1), st.integers(64, 999)
)
def test_frame_is_read_as_written(records, first, place) -> None:
    """Records, sequence, offset and claim come back; the size is that of `frame_bytes`."""
    first %= MAX_SEQUENCE - 99
    data = encode_frame(records, first=first, offset=place * 8, synced=512, seed=SEED)
    head = decode_head(b"??" + data, 2, offset=place * 8, seed=SEED)

    assert head is not None
    body = data[FRAME_BYTES : FRAME_BYTES + head.body_bytes]
    frame = Frame(*head[:6], body)
    assert frame_bytes(records) == len(data) == head.end - head.offset
    assert (place * 8, first, len(records), 512, 0) == (
        head.offset, head.first, head.count, head.synced, head.flags
    )  # fmt: skip
    assert records == frame.records()
    assert first + len(records) - 1 == frame.last


@pytest.mark.parametrize("wrap", [bytearray, memoryview])
def test_anything_with_bytes_is_a_record(wrap) -> None:
    """A record may be any buffer, of whatever items; the frame is the same."""
    expected = encode_frame([b"abcd", b"efgh"], first=1, offset=512, synced=512, seed=SEED)
    wide = [memoryview(b"abcd").cast("I"), wrap(b"efgh")]
    alone = [memoryview(b"abcd").cast("I")]

    assert expected == encode_frame(wide, first=1, offset=512, synced=512, seed=SEED)
    assert frame_bytes(wide) == len(expected)
    assert frame_bytes(alone) == len(
        encode_frame(alone, first=1, offset=512, synced=512, seed=SEED)
    )


def test_close_mark_has_no_records() -> None:
    """It has 40 bytes, and the sequence that comes next."""
    data = encode_close_mark(first=9, offset=512, synced=512, seed=SEED)
    head = decode_head(data, 0, offset=512, seed=SEED)

    assert head is not None
    assert (512, 552, 9, 0, 512, CLOSE_MARK, 0) == head[:7]
    assert [] == Frame(*head[:6], b"").records()
    assert 8 == Frame(*head[:6], b"").last


def test_every_bit_of_a_head_counts() -> None:
    """A head with one bit changed is none; of the checksum of the body the body decides."""
    data = encode_frame([b"ab", b"c"], first=5, offset=1024, synced=1000, seed=SEED)
    for at in range(36):
        for bit in range(8):
            bad = data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]
            assert decode_head(bad, 0, offset=1024, seed=SEED) is None, (at, bit)
    assert decode_head(data, 0, offset=1024, seed=SEED) is not None


def test_head_of_another_place_or_segment_is_none() -> None:
    """Stale bytes never pass: offset and salt are part of what is checked."""
    data = encode_frame([b"ab"], first=5, offset=1024, synced=512, seed=SEED)

    assert decode_head(data, 0, offset=1032, seed=SEED) is None
    assert decode_head(data, 0, offset=1024, seed=seed_of(8)) is None
    assert decode_head(data[:39], 0, offset=1024, seed=SEED) is None
    assert decode_head(data, 8, offset=1024, seed=SEED) is None


@pytest.mark.parametrize(
    "fields",
    [
        {28: (511).to_bytes(4, "little")},  # durable before there is anything
        {28: (520).to_bytes(4, "little")},  # durable beyond itself
        {8: (MAX_BODY_BYTES + 1).to_bytes(4, "little")},
        {12: (0).to_bytes(4, "little")},
        {12: (MAX_RECORDS + 1).to_bytes(4, "little"), 8: (MAX_BODY_BYTES).to_bytes(4, "little")},
        {12: (9).to_bytes(4, "little")},  # a table that is longer than the body
        {4: b"\1"},  # a close mark with a record
        {4: b"\1", 12: bytes(4)},  # with a body
        {12: (2).to_bytes(4, "little"), 16: b"\xff" * 8},  # a sequence of 2^64
    ],
)
def test_head_that_says_what_cannot_be_is_none(fields) -> None:
    """Right checksums do not help: lengths and counts have bounds."""
    segment = Segment().append(b"x" * 30)
    data = resealed(segment, 512, fields)

    assert decode_head(data, 512, offset=512, seed=segment.seed) is None


@pytest.mark.parametrize(("fields", "flags"), [({4: b"\2"}, 2), ({6: b"\1"}, 1 << 16)])
def test_head_of_a_later_format_is_returned(fields, flags) -> None:
    """The caller sees the unknown flags, and says so."""
    segment = Segment().append(b"x" * 30)
    head = decode_head(resealed(segment, 512, fields), 512, offset=512, seed=segment.seed)

    assert head is not None
    assert flags == head.flags


@pytest.mark.parametrize(
    "records", [[], [b""] * (MAX_RECORDS + 1), [bytes(MAX_BODY_BYTES + 1)], [bytes(40 << 20)] * 2]
)
def test_frame_has_bounds(records) -> None:
    """What no reader would take is not written."""
    with pytest.raises(ValueError, match=r"at most 64 MiB|from 1 to 1048576"):
        encode_frame(records, first=1, offset=512, synced=512, seed=SEED)


def test_largest_record_fits() -> None:
    """64 MiB alone are a frame."""
    data = encode_frame([bytes(MAX_BODY_BYTES)], first=1, offset=512, synced=512, seed=SEED)

    assert decode_head(data, 0, offset=512, seed=SEED) is not None


def test_new_errors_are_corruption() -> None:
    """Who catches `Corruption` catches all that decoding raises."""
    assert issubclass(BadFrame, Corruption)
    assert issubclass(ChecksumMismatch, Corruption)
    assert [] == [name for name in log_format.__all__ if not hasattr(log_format, name)]


def test_head_is_made_for_another_place() -> None:
    """Everything but the place and its checksum stays; the body is for the caller."""
    data = encode_frame([b"ab", b"c"], first=5, offset=1024, synced=1000, seed=SEED)
    head = decode_head(data, 0, offset=1024, seed=SEED)
    assert head is not None
    moved = encode_head(head, offset=2048, synced=1536, seed=seed_of(8))
    found = decode_head(moved, 0, offset=2048, seed=seed_of(8))

    assert found is not None
    changed = dict(offset=2048, end=2048 + len(data), synced=1536, head_crc=found.head_crc)
    assert head._replace(**changed) == found
