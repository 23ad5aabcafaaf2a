"""The segments of a log and their frames as bytes: docs/reference/log-format.md.

What is encoded here is valid by the rules of that page, and what does not keep to them is not
decoded. No length is believed before the checksum of its frame head fits.
"""

from __future__ import annotations

from itertools import accumulate, pairwise, repeat
from struct import Struct, pack, unpack_from
from zlib import crc32

from holdfast.errors import BadFrame, ChecksumMismatch, UnknownFormat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, NamedTuple

    from typing_extensions import Buffer
else:
    from holdfast.light_typing import NamedTuple

__all__ = [
    "CLOSE_MARK",
    "FIRST_OFFSET",
    "FRAME_BYTES",
    "FRAME_MAGIC",
    "HEADER_BYTES",
    "MAX_BODY_BYTES",
    "MAX_RECORDS",
    "MAX_SEGMENT_BYTES",
    "MAX_SEQUENCE",
    "Frame",
    "FrameHead",
    "Record",
    "SegmentHeader",
    "decode_head",
    "decode_segment",
    "encode_close_mark",
    "encode_frame",
    "encode_head",
    "encode_segment",
    "first_of",
    "frame_bytes",
    "numbered",
    "seed_of",
    "segment_name",
]

HEADER_BYTES = 512
FIRST_OFFSET = 512
FRAME_BYTES = 40
FRAME_MAGIC = b"FRM1"
CLOSE_MARK = 1
MAX_BODY_BYTES = 64 << 20
MAX_RECORDS = 1 << 20
MAX_SEGMENT_BYTES = (1 << 32) - 8
MAX_SEQUENCE = (1 << 64) - 1

_SEGMENT_MAGIC = b"\x89HFLOG\r\n"
_SEGMENT = Struct("<8sHHIQQQQQI")
_SUFFIX = ".segment"
_DIGITS = 20
_HEAD = Struct("<4sHHIIQII")
_SUMS = Struct("<II")
_FRAME = Struct("<4sHHIIQIIII")
_PADDING = tuple(bytes(-size % 8) for size in range(8))
_pack_head = _HEAD.pack
_pack_sums = _SUMS.pack
_unpack_frame = _FRAME.unpack_from
_new: Any = vars(tuple)["__new__"]


class Record(NamedTuple):
    """One record of a log, and its place in the one order that all agree on."""

    sequence: int
    data: bytes


class SegmentHeader(NamedTuple):
    """What the header of a segment says.

    `first` is the sequence of its first record; `created_ns` a wall clock. The other three are of
    the segment before: its first sequence (0: there was none), its salt, and where it ends.
    """

    first: int
    salt: int
    created_ns: int
    previous_first: int = 0
    previous_salt: int = 0
    previous_end: int = 0


class Frame(NamedTuple):
    """A whole frame: `end` is the offset behind its padding, `body` the table and the payloads."""

    offset: int
    end: int
    first: int
    count: int  # type: ignore[assignment]  # pyright: ignore[reportIncompatibleMethodOverride]
    synced: int
    flags: int
    body: bytes

    @property
    def last(self) -> int:
        """The sequence of its last record; for a close mark, that before `first`."""
        return self.first + self.count - 1

    def records(self) -> list[bytes]:
        """Return the payloads."""
        count, body = self.count, self.body
        if count == 1:
            return [body]
        sizes = unpack_from(f"<{count}I", body)
        return [body[at:end] for at, end in pairwise(accumulate(sizes, initial=4 * count))]


def numbered(frame: Frame) -> list[Record]:
    """Return the records of a frame, each with its sequence."""
    if frame.count == 1:
        return [_new(Record, (frame.first, frame.body))]
    return list(map(_new, repeat(Record), enumerate(frame.records(), frame.first)))


class FrameHead(NamedTuple):
    """The first 40 bytes of a frame, valid by themselves; nothing is known yet of the body.

    `flags` beyond `CLOSE_MARK` are of a later format, and so are the other fields then.
    """

    offset: int
    end: int
    first: int
    count: int  # type: ignore[assignment]  # pyright: ignore[reportIncompatibleMethodOverride]
    synced: int
    flags: int
    body_bytes: int
    head_crc: int
    body_crc: int


def segment_name(first: int) -> str:
    """Return the file name of the segment that begins with this sequence."""
    return f"{first:0{_DIGITS}d}{_SUFFIX}"


def first_of(name: str) -> int | None:
    """Return the first sequence that a file name states; None if it is no segment's name."""
    digits = name.removesuffix(_SUFFIX)
    if len(digits) != _DIGITS or digits == name or not (digits.isascii() and digits.isdigit()):
        return None
    first = int(digits)
    return first if 0 < first <= MAX_SEQUENCE else None


def seed_of(salt: int) -> int:
    """Return what the checksums of a segment's frame heads begin with."""
    return crc32(salt.to_bytes(8, "little"))


def encode_segment(header: SegmentHeader) -> bytes:
    """Return the header block of a segment."""
    block = _SEGMENT.pack(_SEGMENT_MAGIC, 1, 1, 0, *header).ljust(HEADER_BYTES - 4, b"\0")
    return block + crc32(block).to_bytes(4, "little")


def decode_segment(block: bytes, *, path: str) -> SegmentHeader:
    """Return what the first 512 bytes of a segment say.

    Args:
        path: for the errors.

    Raises:
        BadFrame: it is no header, or too short; the file is untouched.
        ChecksumMismatch: it is damaged; the file is untouched.
        UnknownFormat: it is of a later format; the file is untouched.
    """
    advice = "It is untouched. Salvage what is whole with `holdfast repair`."
    if len(block) < HEADER_BYTES:
        raise BadFrame(
            f"{path}: the segment has only {len(block)} of the 512 bytes of its header. {advice}",
            path=path,
            offset=len(block),
            expected=HEADER_BYTES,
            found=len(block),
        )
    magic, version, checksum, flags, *fields = _SEGMENT.unpack_from(block)
    if magic != _SEGMENT_MAGIC:
        message = f"{path}: the segment does not begin as one of a log does. {advice}"
        raise BadFrame(message, path=path, offset=0, expected=_SEGMENT_MAGIC, found=magic)
    said, found = int.from_bytes(block[508:512], "little"), crc32(block[:508])
    if said != found:
        message = f"{path}: the header of the segment is damaged: its checksum differs. {advice}"
        raise ChecksumMismatch(message, path=path, offset=0, expected=said, found=found)
    if (version, checksum, flags) != (1, 1, 0) or any(block[_SEGMENT.size : 508]):
        raise UnknownFormat(
            f"{path}: the segment is of a format that this holdfast does not know (version "
            f"{version}, checksum {checksum}, flags {flags:#x}). It is untouched. "
            "Open it with a newer holdfast.",
            path=path,
            offset=8,
            expected=(1, 1, 0),
            found=(version, checksum, flags),
        )
    header = SegmentHeader(*fields)
    if not _is_possible(header):
        message = f"{path}: the header of the segment says what cannot be: {header!r}. {advice}"
        raise BadFrame(message, path=path, offset=16, found=header)
    return header


def _is_possible(header: SegmentHeader) -> bool:
    if header.previous_first == 0:
        return header.first > 0 and header.previous_salt == 0 == header.previous_end
    end = header.previous_end
    return header.previous_first < header.first and end >= FIRST_OFFSET and end % 8 == 0


def frame_bytes(records: Sequence[Buffer]) -> int:
    """Return the size of the frame that `encode_frame` would make of these records."""
    size = sum(map(_size_of, records))
    if len(records) > 1:
        size += 4 * len(records)
    return FRAME_BYTES + size + -size % 8


def _size_of(record: Buffer) -> int:
    return len(record) if type(record) is bytes else memoryview(record).nbytes


def encode_frame(
    records: Sequence[Buffer], *, first: int, offset: int, synced: int, seed: int
) -> bytes:
    """Return one frame with all of these records.

    Args:
        first: the sequence of the first of them.
        offset: where it will stand in its segment.
        synced: up to which offset the segment is known durable.
        seed: of the segment (`seed_of`).

    Raises:
        ValueError: there are no records, more than 1,048,576, or more than 64 MiB of them.
    """
    if len(records) != 1:
        return _encode_batch(records, first=first, offset=offset, synced=synced, seed=seed)
    record = records[0]
    if type(record) is not bytes:
        record = bytes(record)
    size = len(record)
    if size > MAX_BODY_BYTES:
        raise ValueError(f"a record has at most 64 MiB, not {size} bytes")
    head = _pack_head(FRAME_MAGIC, 0, 0, size, 1, first, offset, synced)
    head_crc = crc32(head, seed)
    if pad := _PADDING[size & 7]:
        sums = _pack_sums(head_crc, crc32(pad, crc32(record, head_crc)))
        return b"".join((head, sums, record, pad))
    return b"".join((head, _pack_sums(head_crc, crc32(record, head_crc)), record))


def _encode_batch(
    records: Sequence[Buffer], *, first: int, offset: int, synced: int, seed: int
) -> bytes:
    count = len(records)
    if not 0 < count <= MAX_RECORDS:
        raise ValueError(f"a frame has from 1 to {MAX_RECORDS} records, not {count}")
    sizes = [*map(_size_of, records)]
    size = sum(sizes) + 4 * count
    if size > MAX_BODY_BYTES:
        raise ValueError(f"the records of a frame have at most 64 MiB together, not {size} bytes")
    body = b"".join((pack(f"<{count}I", *sizes), *records, _PADDING[size & 7]))
    head = _pack_head(FRAME_MAGIC, 0, 0, size, count, first, offset, synced)
    head_crc = crc32(head, seed)
    return b"".join((head, _pack_sums(head_crc, crc32(body, head_crc)), body))


def encode_close_mark(*, first: int, offset: int, synced: int, seed: int) -> bytes:
    """Return the frame that says: all before it is durable, and its writer has closed.

    Args:
        first: the sequence that the next record would get.
        offset: where it will stand.
        synced: the same, where that is so.
        seed: of the segment.
    """
    head = _pack_head(FRAME_MAGIC, CLOSE_MARK, 0, 0, 0, first, offset, synced)
    head_crc = crc32(head, seed)
    return head + _pack_sums(head_crc, head_crc)


def encode_head(head: FrameHead, *, offset: int, synced: int, seed: int) -> bytes:
    """Return a head for another place with its new checksum; that of the body is for the caller.

    Args:
        head: of a frame with the same body.
        offset: where it will stand.
        synced: up to which offset the segment is known durable.
        seed: of the segment.
    """
    start = _pack_head(
        FRAME_MAGIC, head.flags, 0, head.body_bytes, head.count, head.first, offset, synced
    )
    return start + _pack_sums(crc32(start, seed), head.body_crc)


def decode_head(data: Buffer, at: int, *, offset: int, seed: int) -> FrameHead | None:
    """Return the frame head at `at` of `data`, None if there is no valid one.

    Whether the frame lies before the limit is for the caller to see, before reading its body.

    Args:
        offset: where this place is in the segment.
        seed: of the segment.
    """
    view = memoryview(data)
    if at + FRAME_BYTES > len(view) or offset % 8:
        return None
    magic, flags, zero, size, count, first, own, synced, head_crc, body_crc = _unpack_frame(
        view, at
    )
    if magic != FRAME_MAGIC or own != offset or not FIRST_OFFSET <= synced <= own:
        return None
    if crc32(view[at : at + 32], seed) != head_crc:
        return None
    flags |= zero << 16
    if flags <= CLOSE_MARK and not _is_frame(flags, size, count=count, first=first):
        return None
    end = offset + FRAME_BYTES + size + -size % 8
    head: FrameHead = _new(
        FrameHead, (offset, end, first, count, synced, flags, size, head_crc, body_crc)
    )
    return head


def _is_frame(flags: int, size: int, *, count: int, first: int) -> bool:
    """Whether a head of this format says what can be (rules 5 and 6 of the page)."""
    if flags == CLOSE_MARK:
        return count == size == 0
    table = 4 * count if count > 1 else 0
    return (
        0 < count <= MAX_RECORDS
        and table <= size <= MAX_BODY_BYTES
        and first + count - 1 <= MAX_SEQUENCE
    )
