"""The seed of a segment, from its frames alone."""

from __future__ import annotations

from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.formats.log_seed import derive_seed, seed_before
from tests.support.log_bytes import Segment, reader, resealed


@given(st.binary(max_size=64), st.integers(0, 2**32 - 1))
def test_checksum_runs_backwards(data, seed) -> None:
    """From the checksum and the bytes follows what it was begun with."""
    assert seed == seed_before(data, crc32(data, seed))


@pytest.mark.parametrize("frames", [1, 2, 3, 9])
def test_frames_tell_the_seed(frames) -> None:
    """One whole frame is enough where there are no more; the header is not looked at."""
    segment = Segment()
    for number in range(frames):
        segment.append(b"%d" % number, b"x" * 400)
    data = bytes(512) + segment.data[512:]

    assert segment.seed == derive_seed(reader(data), size=len(data))


def test_majority_is_believed() -> None:
    """A frame of another segment, by chance at its own offset, does not win against three."""
    other, segment = Segment(salt=99), Segment()
    for letter in (b"a", b"b", b"c", b"d", b"e"):
        other.append(letter)
        segment.append(letter)
    data = bytes(512) + other.data[512:560] + segment.data[560:]

    assert segment.seed == derive_seed(reader(data), size=len(data))


def test_damaged_frames_tell_nothing() -> None:
    """A seed always follows from a head; the body has to fit, and the head to say what can be."""
    segment = Segment().append(b"x" * 99)
    too_long = resealed(segment, 512, {8: (1 << 26).to_bytes(4, "little")})

    assert derive_seed(reader(segment.with_bits(600, 1)), size=len(segment.data)) is None
    assert derive_seed(reader(too_long), size=len(too_long)) is None
    assert derive_seed(reader(bytes(4096)), size=4096) is None
    assert derive_seed(reader(b""), size=1 << 20) is None


def test_work_is_bounded() -> None:
    """Heads that claim the whole rest are checked for four times the size, not for each."""
    size, data = 1 << 20, bytearray(512)
    while len(data) < 20_000:
        at = len(data)
        head = (
            b"FRM1"
            + bytes(4)
            + (size - at - 40).to_bytes(4, "little")
            + b"\1\0\0\0"
            + b"\2"
            + bytes(7)
        )
        data += (
            head + at.to_bytes(4, "little") + (512).to_bytes(4, "little") + b"\1\2\3\4\5\6\7\x08"
        )
    data += b"w" * (size - len(data))
    reads = []

    def read(asked: int, offset: int) -> bytes:
        reads.append(asked)
        return bytes(data[offset : offset + asked])

    assert derive_seed(read, size=size) is None
    assert 4 * size <= sum(reads) < 8 * size
