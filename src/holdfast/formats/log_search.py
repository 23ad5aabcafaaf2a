"""Finding frames in the bytes of a segment wherever they stand, and checking them piece by piece.

Reads through a function `read(size, offset)`, which gives less than asked for at the end of the
file alone. No byte of a body is read before the checksum of its head fits and it lies before the
limit; memory is a few pieces of 256 KiB.
"""

from __future__ import annotations

from struct import Struct, unpack_from
from zlib import crc32

from holdfast.errors import UnknownFormat
from holdfast.formats.log_format import (
    CLOSE_MARK,
    FRAME_BYTES,
    FRAME_MAGIC,
    MAX_RECORDS,
    MAX_SEQUENCE,
    FrameHead,
    decode_head,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

__all__ = [
    "BUDGET",
    "PIECE_BYTES",
    "Read",
    "heads",
    "is_other",
    "is_whole",
    "islands",
    "places",
    "refuse_later",
]

Read: TypeAlias = "Callable[[int, int], bytes]"
"""Reads `size` bytes at `offset`; less at the end of the file alone."""

PIECE_BYTES = 256 << 10
BUDGET = 4
"""How many times the size of what is looked through the bodies in it may cost."""
_SIZES = 16384
_unpack_offset = Struct("<I").unpack_from


def is_other(piece: bytes, body: int, says: tuple[int, int, int, int]) -> bool:
    """Whether a frame that is not of one record is a close mark, or a batch whose table fits."""
    flags, size, count, first = says
    if flags or not count:
        return flags == CLOSE_MARK and size == count == 0
    table = 4 * count
    if table > size or count > MAX_RECORDS or first + count - 1 > MAX_SEQUENCE:
        return False
    return _sum(piece, body, count) == size - table


def _sum(table: bytes, at: int, count: int) -> int:
    """What the sizes in a table add up to."""
    total = 0
    for done in range(0, count, _SIZES):
        some = min(_SIZES, count - done)
        total += sum(unpack_from(f"<{some}I", table, at + 4 * done))
    return total


def refuse_later(head: FrameHead, path: str) -> None:
    """Refuse a head with flags that this version does not know.

    Raises:
        UnknownFormat: it has some; nothing is changed.
    """
    if head.flags > CLOSE_MARK:
        raise UnknownFormat(
            f"{path or 'the segment'}: the frame at byte {head.offset} is of a format that this "
            f"holdfast does not know (flags {head.flags:#x}). It is untouched. "
            "Open the log with a newer holdfast.",
            path=path,
            offset=head.offset,
            expected=CLOSE_MARK,
            found=head.flags,
        )


def is_whole(read: Read, head: FrameHead) -> bool:
    """Whether the body fits its head, whose end must lie before the limit; it is not kept."""
    at, check = head.offset + FRAME_BYTES, head.head_crc
    table = b""
    if head.count > 1:
        size = 4 * head.count
        table = read(size, at)
        if len(table) < size or _sum(table, 0, head.count) != head.body_bytes - size:
            return False
    check = crc32(table, check)
    at += len(table)
    while at < head.end:
        piece = read(min(PIECE_BYTES, head.end - at), at)
        if not piece:
            return False
        check = crc32(piece, check)
        at += len(piece)
    return check == head.body_crc


def islands(
    read: Read, *, start: int, limit: int, seed: int, path: str = ""
) -> Iterator[FrameHead]:
    """Yield every whole frame from `start` on, whatever lies between and whatever its sequence.

    For salvage: frames inside of a whole frame are none. Bodies of heads that do not fit may cost
    four times the size of what is looked through (I4); then the rest is passed over.

    Raises:
        UnknownFormat: a frame of a later format; nothing is changed.
    """
    past, budget = start, BUDGET * limit
    for head in heads(read, start=start, stop=limit, seed=seed):
        if head.offset < past:
            continue
        refuse_later(head, path)
        if head.end > limit:
            continue
        budget -= head.end - head.offset
        if budget < 0:
            return
        if is_whole(read, head):
            past = head.end
            yield head


def heads(read: Read, *, start: int, stop: int, seed: int) -> Iterator[FrameHead]:
    """Every valid frame head that begins from `start` on and before `stop`."""
    for offset, block in places(read, start=start, stop=stop):
        head = decode_head(block, 0, offset=offset, seed=seed)
        if head is not None:
            yield head


def places(read: Read, *, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
    """Yield every offset from `start` on and before `stop` where a frame says that it stands.

    With the 40 bytes of its head, whose checksum may not fit. `start` must be a multiple of 8.
    """
    for at in range(start, stop, PIECE_BYTES):
        piece = read(PIECE_BYTES + FRAME_BYTES, at)
        end = min(PIECE_BYTES, stop - at, len(piece) - FRAME_BYTES + 1)
        place = piece.find(FRAME_MAGIC)
        while 0 <= place < end:
            if place & 7 == 0 and _unpack_offset(piece, place + 24)[0] == at + place:
                yield at + place, piece[place : place + FRAME_BYTES]
            place = piece.find(FRAME_MAGIC, (place | 7) + 1)
