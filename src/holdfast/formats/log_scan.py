"""Reading a segment from its bytes: where its frames end, and why they end there.

docs/reference/log-format.md has the rules. Everything here reads through a function
`read(size, offset)`, which gives less than asked for at the end of the file alone.

I1  What is found is valid and belongs: `frames` and `reach` stop at the first place that has no
    such frame, and never look past the limit.
I2  `examine` calls nothing torn that a crash cannot have left, and nothing damaged that it can.
I3  No byte of a body is read before the checksum of its head fits and it lies before the limit.
    Memory is a few pieces of 256 KiB; for `frames` one frame besides, for a batch its table.
I4  Work is linear: bodies that lie behind the end may cost four times the size of the file.
"""

from __future__ import annotations

from struct import Struct
from zlib import crc32

from holdfast.formats.log_format import (
    CLOSE_MARK,
    FIRST_OFFSET,
    FRAME_BYTES,
    FRAME_MAGIC,
    MAX_SEGMENT_BYTES,
    Frame,
    FrameHead,
    decode_head,
)
from holdfast.formats.log_search import (
    BUDGET,
    PIECE_BYTES,
    Read,
    heads,
    is_other,
    is_whole,
    refuse_later,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Literal, NamedTuple
else:
    from holdfast.light_typing import NamedTuple

__all__ = ["PIECE_BYTES", "Reach", "Read", "Tail", "examine", "frames", "reach"]

_SECTOR = 512
_ZERO = bytes(8)
_ZEROS = bytes(PIECE_BYTES)
_unpack = Struct("<4sHHIIQIIII").unpack_from
_new: Any = vars(tuple)["__new__"]


class Reach(NamedTuple):
    """How far the frames of a segment reach that are valid and belong.

    `offset` is where they end and `next` the sequence that comes there; `records` and `frames` are
    counted from the start of the scan; `closed` says whether the last of them is a close mark.
    """

    offset: int
    next: int
    records: int
    frames: int
    closed: bool


class Tail(NamedTuple):
    """What stands behind the last frame, and whether it may be cut there.

    `clean`: nothing; appending may go on. `torn`, `hole`: what a crash leaves of frames that were
    never synced; `dropped_records` are whole behind a hole. `damaged`: it was synced, or no crash
    leaves that; `proof` says why. `tail_bytes` reach from `offset` to the last one that is not
    zero.
    """

    verdict: Literal["clean", "torn", "hole", "damaged"]
    offset: int
    dropped_records: int
    tail_bytes: int
    proof: str


def frames(
    read: Read, *, start: int, limit: int, first: int, seed: int, path: str = ""
) -> Iterator[Frame]:
    """Yield the frames from `start` on that are valid and belong; end where there is none (I1).

    Args:
        limit: the end of the file, or the end that the next segment states.
        first: the sequence that the first record must have.
        path: for the errors.

    Raises:
        UnknownFormat: a frame of a later format; nothing is changed.
    """
    at = start
    while at + FRAME_BYTES <= limit:
        piece = read(min(PIECE_BYTES, limit - at), at)
        found, used, first = _frames_in(piece, at, first=first, seed=seed)
        if used:
            yield from found
            at += used
            continue
        head = _belonging(read, at, limit=limit, first=first, seed=seed, path=path)
        frame = _large(read, head) if head else None
        if frame is None:
            return
        yield frame
        at, first = frame.end, first + frame.count


def _frames_in(piece: bytes, base: int, *, first: int, seed: int) -> tuple[list[Frame], int, int]:
    """The frames that lie in a piece as a whole, how far they reach in it, what comes next."""
    found: list[Frame] = []
    add, unpack, crc, new, cls = found.append, _unpack, crc32, _new, Frame
    at, size_of_piece = 0, len(piece)
    last = size_of_piece - FRAME_BYTES
    while at <= last:
        magic, flags, zero, size, count, own, offset, synced, head_crc, body_crc = unpack(piece, at)
        if magic != FRAME_MAGIC or own != first or offset != base + at or zero:
            break
        body = at + FRAME_BYTES
        end = body + size + (-size & 7)
        if (
            crc(piece[at : at + 32], seed) != head_crc
            or end > size_of_piece
            or crc(piece[body:end], head_crc) != body_crc
            or not FIRST_OFFSET <= synced <= offset
            or ((flags or count != 1) and not is_other(piece, body, (flags, size, count, own)))
        ):
            break
        add(new(cls, (offset, base + end, own, count, synced, flags, piece[body : body + size])))
        first += count
        at = end
    return found, at, first


def _belonging(
    read: Read, at: int, *, limit: int, first: int, seed: int, path: str
) -> FrameHead | None:
    """The head at `at`, if it belongs and the frame lies before the limit."""
    head = decode_head(read(FRAME_BYTES, at), 0, offset=at, seed=seed)
    if head is None:
        return None
    refuse_later(head, path)
    return head if head.first == first and head.end <= limit else None


def _large(read: Read, head: FrameHead) -> Frame | None:
    """A frame that no piece has as a whole, if its body is valid (I3: its head is)."""
    start = head.offset + FRAME_BYTES
    body = read(head.end - start, start)
    says = (head.flags, head.body_bytes, head.count, head.first)
    if len(body) < head.end - start or crc32(body, head.head_crc) != head.body_crc:
        return None
    if head.count != 1 and not is_other(body, 0, says):
        return None
    if len(body) != head.body_bytes:
        body = body[: head.body_bytes]
    return Frame(*head[:6], body)


def reach(read: Read, *, start: int, limit: int, first: int, seed: int, path: str = "") -> Reach:
    """Say how far the frames from `start` on are valid and belong (I1); bodies are not kept.

    Args:
        limit: the end of the file, or the end that the next segment states.
        first: the sequence that the first record must have.
        path: for the errors.

    Raises:
        UnknownFormat: a frame of a later format; nothing is changed.
    """
    at, following, count, closed = start, first, 0, False
    while at + FRAME_BYTES <= limit:
        piece = read(min(PIECE_BYTES, limit - at), at)
        found, used, following = _frames_in(piece, at, first=following, seed=seed)
        if used:
            count += len(found)
            closed = found[-1].flags == CLOSE_MARK
            at += used
            continue
        head = _belonging(read, at, limit=limit, first=following, seed=seed, path=path)
        if head is None or not is_whole(read, head):
            break
        at, following, count, closed = head.end, head.first + head.count, count + 1, False
    return Reach(at, following, following - first, count, closed)


def examine(read: Read, *, at: int, first: int, size: int, seed: int, path: str = "") -> Tail:
    """Say what stands at the end of a segment that no other follows, and whether it may be cut.

    Frames that are valid and belong are passed over, so `at` may be before the end.

    Args:
        at: where a frame begins, or the frames end.
        first: the sequence that a record there must have.
        size: of the file.
        path: for the errors.

    Raises:
        UnknownFormat: a frame of a later format; nothing is changed.
    """
    reached = reach(read, start=at, limit=size, first=first, seed=seed, path=path)
    at = reached.offset
    if size > MAX_SEGMENT_BYTES:
        proof = f"the file has {size} bytes, and a segment at most {MAX_SEGMENT_BYTES}"
        return Tail("damaged", at, 0, size - at, proof)
    end = _end_of_data(read, at, size)
    if end == at:
        return Tail("clean", at, 0, 0, "")
    head = decode_head(read(FRAME_BYTES, at), 0, offset=at, seed=seed)
    if head and head.first != reached.next and head.end <= size and is_whole(read, head):
        proof = f"the frame at byte {at} has sequence {head.first}, where {reached.next} belongs"
        return Tail("damaged", at, 0, end - at, proof)
    behind = _Behind(at, BUDGET * size)
    behind.look(read, head.end if head else at + 8, stop=end, limit=size, seed=seed)
    if behind.proof:
        return Tail("damaged", at, 0, end - at, behind.proof)
    last = at + FRAME_BYTES + (head.body_bytes if head else 0)
    if end >= last and not _is_torn(read, at, head.end if head else last, size=size):
        what = "the body of the frame" if head else "the head of the frame"
        proof = f"{what} at byte {at} was written to its end, and its checksum differs"
        return Tail("damaged", at, 0, end - at, proof)
    verdict: Literal["torn", "hole"] = "hole" if behind.frames else "torn"
    return Tail(verdict, at, behind.records, end - at, "")


def _end_of_data(read: Read, start: int, size: int) -> int:
    """The offset behind the last byte that is not zero, from `start` on."""
    end = size
    while end > start:
        at = max(start, end - PIECE_BYTES)
        piece = read(end - at, at)
        if piece != _ZEROS[: len(piece)]:
            return at + len(piece.rstrip(b"\0"))
        end = at
    return start


class _Behind:
    """What stands behind the place where the frames end: a proof, or whole frames."""

    def __init__(self, place: int, budget: int) -> None:
        self.place = place
        self.budget = budget
        self.frames = self.records = 0
        self.proof = ""

    def look(self, read: Read, start: int, *, stop: int, limit: int, seed: int) -> None:
        """Look at every head, and at the bodies that may be whole."""
        past = start
        for head in heads(read, start=start, stop=stop, seed=seed):
            if head.offset < past:
                continue
            if head.synced > self.place:
                where = f"byte {self.place} had been synced"
                self.proof = f"the frame at byte {head.offset} says that {where}"
                return
            if head.end > limit or head.flags > CLOSE_MARK:
                continue
            self.budget -= head.end - head.offset
            if self.budget < 0:
                self.proof = "more frames are begun behind it than can be checked"
                return
            if is_whole(read, head):
                past, self.frames, self.records = (
                    head.end,
                    self.frames + 1,
                    self.records + head.count,
                )


def _is_torn(read: Read, start: int, end: int, *, size: int) -> bool:
    """Whether a crash can have left that of a frame that stands, or should, in [start, end)."""
    if end > size:
        return True
    at = start
    while at < end:
        piece = read(min(PIECE_BYTES - at % _SECTOR, end - at), at)
        edge = 0
        while edge < len(piece):
            after = min(len(piece), edge + _SECTOR - (at + edge) % _SECTOR)
            if piece[edge : edge + 8] == _ZERO or piece[after - 8 : after] == _ZERO:
                return True
            edge = after
        if not piece:
            return True
        at += len(piece)
    return False
