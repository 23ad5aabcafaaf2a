"""Where the frames of a segment end, and what stands there: every verdict, and hostile bytes."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest

from holdfast.errors import UnknownFormat
from holdfast.formats import log_scan
from holdfast.formats.log_format import MAX_SEGMENT_BYTES, decode_head, seed_of
from holdfast.formats.log_scan import PIECE_BYTES, examine, frames, reach
from tests.support.log_bytes import Segment, head_without_body, reader, resealed

FRAME = 640  # what one of `RECORD` takes, with its head
RECORD = b"r" * 600


def found(segment: Segment, data: bytes | None = None) -> list[tuple[int, list[bytes]]]:
    """Sequence and records of each frame that belongs; both ways to scan agree."""
    data = bytes(segment.data) if data is None else data
    options: Any = dict(start=512, limit=len(data), first=segment.first, seed=segment.seed)
    got = list(frames(reader(data), **options))
    told = reach(reader(data), **options)
    assert (told.offset, told.frames) == (got[-1].end if got else 512, len(got))
    assert told.records == sum(frame.count for frame in got)
    assert told.next == segment.first + told.records
    assert told.closed == bool(got and got[-1].flags)
    return [(frame.first, frame.records()) for frame in got]


def test_frames_come_in_order() -> None:
    """Single records, batches, empty ones and close marks, one after another."""
    segment = Segment(first=7).append(b"a").append(b"b", b"", b"c").close().append(b"").close()

    assert [(7, [b"a"]), (8, [b"b", b"", b"c"]), (11, []), (11, [b""]), (12, [])] == found(segment)


@pytest.mark.parametrize(
    "size", [PIECE_BYTES - 553, PIECE_BYTES - 552, PIECE_BYTES - 40, PIECE_BYTES, 3 * PIECE_BYTES]
)
def test_frames_of_any_size_are_read(size) -> None:
    """Frames around and above the size of a piece, alone, in batches, and over the edge of one."""
    large = b"x" * size
    segment = Segment().append(b"a").append(large).append(large, b"b").append(b"c").close()
    sizes = [[len(record) for record in records] for _, records in found(segment)]

    assert [[1], [size], [size, 1], [1], []] == sizes


def test_scan_ends_at_the_limit() -> None:
    """A frame that passes the stated end is none, and what lies behind is not looked at."""
    segment = Segment().append(b"a").append(b"b" * 300_000)
    for limit in range(512, 561, 8):
        got = list(
            frames(reader(bytes(segment.data)), start=512, limit=limit, first=1, seed=segment.seed)
        )
        assert (limit >= 560) is bool(got)
    got = list(
        frames(reader(bytes(segment.data)), start=512, limit=len(segment.data) - 8, first=1,
               seed=segment.seed)
    )  # fmt: skip
    assert 1 == len(got)


@pytest.mark.parametrize(
    "fields",
    [
        {16: (9).to_bytes(8, "little")},  # another sequence
        {40: (6).to_bytes(4, "little")},  # a table that adds up to more
        {40: (4).to_bytes(4, "little")},  # and to less
        {12: (1 << 20).to_bytes(4, "little")},  # one longer than the body
        {24: (1024).to_bytes(4, "little")},  # another place
        {28: (1024).to_bytes(4, "little")},  # durable beyond itself
    ],
)
@pytest.mark.parametrize("large", [False, True])
def test_frame_that_cannot_be_ends_the_scan(fields, large) -> None:
    """Right checksums do not make a frame of what says the impossible, in a piece or larger."""
    segment = Segment().append(b"12345", b"x" * (300_000 if large else 5))

    assert [] == found(segment, resealed(segment, 512, fields))


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("fields", [{4: b"\2"}, {6: b"\1"}])
def test_frame_of_a_later_format_is_refused(fields, large) -> None:
    """Nothing is guessed about it: the error names file and offset."""
    segment = Segment().append(b"a").append(b"x" * (300_000 if large else 5))
    data = resealed(segment, 560, fields)
    options: Any = dict(first=1, seed=segment.seed, path="log/s")
    scans = [
        lambda: list(frames(reader(data), start=512, limit=len(data), **options)),
        lambda: reach(reader(data), start=512, limit=len(data), **options),
        lambda: examine(reader(data), at=512, size=len(data), **options),
    ]
    for scan in scans:
        with pytest.raises(UnknownFormat, match="log/s: the frame at byte 560") as caught:
            scan()
        assert 560 == caught.value.offset


def test_end_is_clean() -> None:
    """No frames, whole frames, zeros behind them, few or many: nothing is cut."""
    for zeros in (0, 1, 7, 39, 40, 4096, 3 * PIECE_BYTES):
        for segment in (Segment(), Segment().append(b"a"), Segment().append(b"a").close()):
            end = len(segment.data)
            assert ("clean", end, 0, 0, "") == segment.fill(zeros).examined()


@pytest.mark.parametrize("zeros", [0, 4096])
def test_every_cut_of_the_last_frame_is_torn(zeros) -> None:
    """Of a frame that came in part, in front or behind, all is cut, and counted."""
    segment = Segment().append(b"a" * 5).append(RECORD)
    start, end = segment.starts[1], len(segment.data)
    for cut in range(start + 8, end, 8):
        data = bytes(segment.data[:cut]) + bytes(zeros)
        tail = segment.examined(data)
        assert ("torn", start) == tail[:2], cut
        assert cut - start >= tail.tail_bytes > cut - start - 8


def test_frame_whose_sectors_came_in_any_order_is_torn() -> None:
    """Whatever subset of its sectors a crash has left of the last frame, it is no damage."""
    segment = Segment().append(b"a" * 100).append(b"r" * 1900).fill(512)
    start = segment.starts[1]
    sectors = range(512, len(segment.data), 512)
    for chosen in range(1 << len(sectors)):
        data = bytearray(segment.data)
        data[start:] = bytes(len(data) - start)
        for number, sector in enumerate(sectors):
            if chosen >> number & 1:
                data[sector : sector + 512] = segment.data[sector : sector + 512]
        tail = segment.examined(bytes(data))
        whole = tail.offset > start
        assert tail.verdict in ({"clean"} if whole else {"torn", "clean"}), chosen
        assert (tail.verdict == "clean") is (tail.tail_bytes == 0)


@pytest.mark.parametrize("way", ["first", "last"])
def test_frame_copied_while_its_block_was_written_is_torn(way) -> None:
    """The end or the beginning of it, within one sector, is what a write-back may have missed."""
    segment = Segment().append(b"a" * 5).append(b"r" * 100)
    start, end = segment.starts[1], len(segment.data)
    for edge in range(start + 8, end, 8):
        data = bytearray(segment.data)
        gone = slice(start, edge) if way == "first" else slice(edge, end)
        data[gone] = bytes(len(data[gone]))
        assert "torn" == segment.examined(bytes(data)).verdict, edge


@pytest.mark.parametrize("payload", [100, 3000, 9000])
def test_frame_that_came_in_pieces_is_torn_wherever_they_end(payload) -> None:
    """A short write that goes on, or zeros on their way to the disk: at a block's start, too."""
    segment = Segment().append(b"x" * (4096 - 512 - 40)).append(b"r" * payload)
    assert 4096 == segment.starts[1]
    for cut in range(4097, 4096 + 40 + payload):
        data = segment.data[:cut].ljust(len(segment.data), b"\0")
        assert "torn" == segment.examined(bytes(data)).verdict, cut


def test_whole_frame_behind_is_a_hole() -> None:
    """Later sectors came, earlier ones did not: all is cut, and the whole records are counted."""
    segment = Segment().append(b"a", synced=512).append(RECORD, synced=512)
    segment.append(b"b", b"c", synced=512).append(RECORD, synced=512).append(b"d", synced=512)
    start, behind = segment.starts[1], segment.starts[2]
    data = bytearray(segment.data)
    data[start:behind] = bytes(behind - start)
    data[segment.starts[3] + 100] ^= 1
    tail = segment.examined(bytes(data))

    assert ("hole", start, 3, len(data) - 7 - start, "") == tail


def test_payload_behind_a_hole_proves_nothing() -> None:
    """What lies in a whole frame is a record, whatever it looks like and claims."""
    place = 560 + 640 + 48
    forged = Segment().append(b"a" * (place - 552)).append(b"b")
    segment = Segment().append(b"a", synced=512).append(RECORD, synced=512)
    segment.append(b"c" * 8 + forged.data[place:], synced=512)
    data = bytes(segment.data[:560]) + bytes(640) + bytes(segment.data[1200:])
    assert decode_head(data, place, offset=place, seed=segment.seed) is not None

    assert ("hole", 560, 1) == segment.examined(data)[:3]


def test_later_claim_is_the_proof() -> None:
    """A frame, or its head alone, that says that the place was synced makes it damage."""
    segment = Segment().append(b"a", synced=512).append(RECORD, synced=512).append(b"bbbb" * 10)
    start, last = segment.starts[1:]
    data = bytearray(segment.data)
    data[start:last] = bytes(last - start)
    whole = segment.examined(bytes(data))
    data[-1] ^= 1
    head = segment.examined(bytes(data))
    mark = Segment().append(RECORD, synced=512).close()

    proof = f"the frame at byte {last} says that byte {start} had been synced"
    assert ("damaged", start, 0, len(data) - start, proof) == whole == head
    assert "damaged" == mark.examined(mark.with_bits(600, 1)).verdict


def test_claim_of_less_is_no_proof() -> None:
    """Synced up to exactly the place says nothing of what stands there."""
    segment = Segment().append(b"a").append(b"b", synced=560).append(b"c", synced=560)
    data = bytearray(segment.data)
    data[560:608] = bytes(48)

    assert ("hole", 560) == segment.examined(bytes(data))[:2]


@pytest.mark.parametrize("at", [0, 8, 12, 16, 24, 28, 32, 36, 40, 139])
def test_rot_in_a_frame_that_was_written_is_damage(at) -> None:
    """Each of its sectors has something, so it was whole: not torn, also when it is the last."""
    segment = Segment().append(b"a").append(b"r" * 100)
    tail = segment.examined(segment.with_bits(560 + at, 4))

    assert ("damaged", 560) == tail[:2]
    assert "written to its end" in tail.proof


def test_rot_before_whole_frames_of_the_same_sync_is_damage() -> None:
    """What was not torn does not become a hole because whole frames follow that claim nothing."""
    segment = Segment().append(b"a", synced=512).append(b"b", synced=512).append(b"c", synced=512)

    assert ("damaged", 560) == segment.examined(segment.with_bits(600, 1))[:2]


def test_whole_frame_with_another_sequence_is_damage() -> None:
    """No crash leaves a gap in the sequences between two frames that stand side by side."""
    segment = Segment().append(b"a")
    segment.next = 9
    tail = segment.append(bytes(600)).examined()

    assert ("damaged", 560) == tail[:2]
    assert "the frame at byte 560 has sequence 9, where 2 belongs" == tail.proof


def test_payload_that_looks_like_a_frame_is_none() -> None:
    """What lies in a torn frame whose head is whole is payload: no proof, and no hole."""
    place = 560 + 40 + 16
    forged = Segment()
    forged.append(b"a" * (place - 552)).append(b"b")  # stands where it will stand in the payload
    segment = Segment().append(b"a").append(b"c" * 16 + forged.data[place:] + b"tail" * 200)
    assert place == segment.data.find(forged.data[place:])
    assert decode_head(segment.data, place, offset=place, seed=segment.seed) is not None
    torn = bytes(segment.data[: place + 200]).ljust(len(segment.data), b"\0")

    assert ("torn", 560) == segment.examined(torn)[:2]


def test_examining_passes_over_frames() -> None:
    """It may begin at any frame; the place is where the frames end."""
    segment = Segment().append(b"a").append(b"b").append(b"c").fill(64)

    assert {("clean", 656)} == {segment.examined()[:2]}


class Sparse:
    """A huge file with a few bytes at its beginning; counts what is read."""

    def __init__(self, data: bytes, size: int) -> None:
        self.data = data
        self.size = size
        self.read_bytes = 0

    def __call__(self, size: int, offset: int) -> bytes:
        got = max(0, min(size, self.size - offset))
        self.read_bytes += got
        return self.data[offset : offset + got].ljust(got, b"\0")


def test_segment_that_is_too_large_is_not_read() -> None:
    """A sparse file of a terabyte is refused at once."""
    segment = Segment().append(b"a")
    sparse = Sparse(bytes(segment.data), 1 << 40)
    tail = examine(sparse, at=512, first=1, size=1 << 40, seed=segment.seed)

    assert ("damaged", 560) == tail[:2]
    assert f"at most {MAX_SEGMENT_BYTES}" in tail.proof
    assert sparse.read_bytes < 4 * PIECE_BYTES


def test_zeros_are_read_once() -> None:
    """The zeros behind the frames cost one pass and no memory."""
    segment = Segment().append(b"a")
    sparse = Sparse(bytes(segment.data), 64 << 20)
    tail = examine(sparse, at=512, first=1, size=64 << 20, seed=segment.seed)

    assert ("clean", 560) == tail[:2]
    assert sparse.read_bytes < (64 << 20) + 4 * PIECE_BYTES


def peak_of(do) -> int:
    """The most memory that is used meanwhile."""
    tracemalloc.start()
    try:
        do()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_claimed_length_costs_no_memory() -> None:
    """A head that claims 64 MiB in a file that has them not is no frame, and nothing is read."""
    segment = Segment().append(b"x" * 2000)
    data = resealed(segment, 512, {8: (64 << 20).to_bytes(4, "little")})

    def scan() -> None:
        assert [] == found(segment, data)
        assert "torn" == segment.examined(data).verdict

    assert peak_of(scan) < 4 * PIECE_BYTES


def test_large_frames_are_checked_in_pieces() -> None:
    """`reach` and `examine` hold a few pieces of a frame of 32 MiB, and its table in parts."""
    segment = Segment().append(*[b"x" * 8] * 900_000, b"y" * (16 << 20))
    data = bytes(segment.data)

    def scan() -> None:
        told = reach(reader(data), start=512, limit=len(data), first=1, seed=segment.seed)
        assert 900_001 == told.records

    assert peak_of(scan) < 6 << 20


def test_nested_heads_are_bounded() -> None:
    """Heads that each claim all the rest may cost four times the file; then it is damaged."""
    segment, size = Segment(), 1 << 20
    data = bytearray(segment.fill(40).data)
    while len(data) < 10_000:
        at = len(data)
        data += head_without_body(at, size - at - 40, segment.seed)
    reads = []

    def read(asked: int, offset: int) -> bytes:
        reads.append(asked)
        return bytes(data[offset : offset + asked])

    data += b"w" * (size - len(data))
    tail = examine(read, at=512, first=1, size=size, seed=segment.seed)

    assert ("damaged", "more frames are begun behind it than can be checked") == (
        tail.verdict, tail.proof
    )  # fmt: skip
    assert 4 * size < sum(reads) < 8 * size


@pytest.mark.parametrize("shift", [0, 1, 4])
def test_file_full_of_magics_is_looked_through(shift) -> None:
    """Magics in every place are no frames; the verdict is that of the first."""
    data = bytes(Segment().data) + b"." * shift + b"FRM1" * 100_000
    tail = examine(reader(data), at=512, first=1, size=len(data), seed=seed_of(3))

    assert ("damaged", 512) == tail[:2]


def test_file_that_shrinks_meanwhile_is_no_crash() -> None:
    """Reads that give less than the size promised end the scan; nothing is made up."""
    segment = Segment().append(b"a").append(b"b" * 300_000, b"c").append(b"d")
    size = len(segment.data)
    for cut in (0, 511, 513, 555, 570, 600, 605, 2000, 300_000):
        data = bytes(segment.data[:cut])
        options: Any = dict(first=1, seed=segment.seed)
        assert len([*frames(reader(data), start=512, limit=size, **options)]) <= 1
        assert reach(reader(data), start=512, limit=size, **options).offset <= 560
        assert examine(reader(data), at=512, size=size, **options).verdict in {"clean", "torn"}


def test_all_names_are_there() -> None:
    """What is exported exists."""
    assert [] == [name for name in log_scan.__all__ if not hasattr(log_scan, name)]
