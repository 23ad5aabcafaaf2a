"""Frames wherever they stand: every whole one, at the edges of pieces, and with bounded work."""

from __future__ import annotations

import pytest

from holdfast.errors import UnknownFormat
from holdfast.formats.log_format import decode_head
from holdfast.formats.log_search import PIECE_BYTES, heads, is_whole, islands, places
from tests.support.log_bytes import Segment, head_without_body, reader, resealed


@pytest.mark.parametrize("at", [512, 560])
def test_islands_are_the_whole_frames(at) -> None:
    """Every whole frame is found, in order, whatever lies between; none in another's payload."""
    segment = Segment().append(b"a").append(b"b" * 300_000).append(b"c", b"d").append(b"e")
    data = segment.with_bits(segment.starts[1] + 50, 1)
    got = islands(reader(data), start=at, limit=len(data), seed=segment.seed)

    expected = [(1, 1), (3, 2), (5, 1)][at != 512 :]
    assert expected == [(head.first, head.count) for head in got]


def test_islands_are_found_at_the_edges_of_pieces() -> None:
    """A head that two pieces share is seen once."""
    for size in range(PIECE_BYTES - 700, PIECE_BYTES + 100, 8):
        segment = Segment().append(bytes(size)).append(b"b")
        data = segment.with_bits(520, 1)
        got = [*islands(reader(data), start=520, limit=len(data), seed=segment.seed)]
        assert [2] == [head.first for head in got], size


def test_frame_in_the_payload_of_a_whole_one_is_none() -> None:
    """Whatever a record holds, it is a record, also where it would be a frame at its very place."""
    forged = Segment().append(b"a" * 48).append(b"b")
    segment = Segment().append(b"c" * 48 + bytes(forged.data[600:])).append(b"d")
    assert decode_head(segment.data, 600, offset=600, seed=segment.seed) is not None
    got = islands(
        reader(bytes(segment.data)), start=512, limit=len(segment.data), seed=segment.seed
    )

    assert segment.starts == [head.offset for head in got]


def test_heads_of_frames_are_found_whatever_their_bodies() -> None:
    """A head that is valid is one, also where the body is not; what only claims a place is not."""
    segment = Segment().append(b"a").append(b"b").append(b"c")
    data = bytearray(segment.with_bits(segment.starts[1] + 41, 1))
    data[segment.starts[2] + 33] ^= 1
    found = heads(reader(bytes(data)), start=512, stop=len(data), seed=segment.seed)

    assert segment.starts[:2] == [head.offset for head in found]
    claims = places(reader(bytes(data)), start=512, stop=len(data))
    assert segment.starts == [offset for offset, _ in claims]


@pytest.mark.parametrize("count", [1, 3, 40_000])
def test_body_is_held_against_its_head(count) -> None:
    """Every part of it counts: table, payloads, padding; a file that is shorter has it not."""
    segment = Segment().append(*[b"abc"] * count)
    data = bytes(segment.data)
    head = decode_head(data, 512, offset=512, seed=segment.seed)

    assert head is not None
    assert is_whole(reader(data), head)
    for at in (552, 552 + (len(data) - 552) // 2, len(data) - 1):
        assert not is_whole(reader(segment.with_bits(at, 1)), head)
    for size in (0, 512, 553, len(data) - 1):
        assert not is_whole(reader(data[:size]), head)


def test_frame_of_a_later_format_is_refused() -> None:
    """A salvage that left it out would lose it silently."""
    segment = Segment().append(b"a").append(b"b")
    data = resealed(segment, 560, {4: b"\2"})
    with pytest.raises(UnknownFormat, match="log/s: the frame at byte 560"):
        list(islands(reader(data), start=512, limit=len(data), seed=segment.seed, path="log/s"))


def test_work_is_bounded() -> None:
    """Heads that each claim all the rest cost four times what is looked through, and no more."""
    segment, size = Segment(), 1 << 20
    data, reads = bytearray(segment.data), []
    while len(data) < 10_000:
        data += head_without_body(len(data), size - len(data) - 40, segment.seed)
    data += b"w" * (size - len(data))

    def read(asked: int, offset: int) -> bytes:
        reads.append(asked)
        return bytes(data[offset : offset + asked])

    assert [] == list(islands(read, start=512, limit=size, seed=segment.seed))
    assert 3 * size < sum(reads) < 8 * size
