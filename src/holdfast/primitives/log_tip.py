"""The tip of a log: the segment that is written to, and where its frames end.

For who holds the append lock. I3 of the hint: `BUSY` is set before a byte is written behind the
end, and cleared when the shared tail tells the truth again; where that cannot be, it stays set, and
the next writer looks at what there is.
"""

from __future__ import annotations

from errno import EIO
from zlib import crc32

from holdfast.formats.log_format import (
    FIRST_OFFSET,
    FRAME_BYTES,
    MAX_BODY_BYTES,
    MAX_SEQUENCE,
    decode_head,
    encode_close_mark,
    encode_frame,
)
from holdfast.primitives.log_errors import exhausted, gone
from holdfast.primitives.log_hint import (
    BUSY,
    CHECK,
    END,
    FILLED,
    FRAMES,
    LAST,
    LAST_AT,
    POISON,
    Tail,
    base_of,
    check_of,
)
from holdfast.primitives.log_segment import FILL_BYTES, ZEROS, open_segment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.primitives.log_hint import Place
    from holdfast.primitives.log_segment import Segment
    from holdfast.vfs import Folder
    from holdfast.vfs.api import Words

__all__ = ["Tip", "adopted", "agrees"]

_MASK = (1 << 64) - 1


class Tip:
    """A segment and its tail, as this process knows them, beside the words that all know."""

    __slots__ = ("_base", "_words", "check", "end", "filled", "last", "segment")

    def __init__(self, segment: Segment, tail: Tail, words: Words) -> None:
        self._words = words
        self._base = base_of(segment.place)
        self.segment = segment
        self.end, self.last, self.filled = tail.end, tail.last, tail.filled
        self.check = check_of(self._base, tail.end, tail.last, filled=tail.filled)

    @property
    def is_empty(self) -> bool:
        """Whether the segment holds no frame."""
        return self.end == FIRST_OFFSET

    def frame(self, records: Sequence[bytes], *, synced: int) -> bytes:
        """Return the next frame, with these records.

        Raises:
            OSError: there are no more sequences.
        """
        if self.last + len(records) >= MAX_SEQUENCE:
            raise exhausted(self.segment.path, self.last)
        return encode_frame(
            records, first=self.last + 1, offset=self.end, synced=synced, seed=self.segment.seed
        )

    def write(self, frame: bytes, count: int) -> None:
        """Write a frame with `count` records at the end, and publish it.

        Raises:
            OSError: it was cut back, and nothing was appended; or it could not be cut back either,
                and the next writer does so.
        """
        words, end = self._words, self.end
        words[BUSY] = end
        try:
            if self.segment.file.write(frame, offset=end) != len(frame):
                self._write_rest(frame, end)
        except OSError as error:
            self._cut_back(error)
            raise
        behind, last = end + len(frame), self.last + count
        filled = max(self.filled, behind)
        check = check_of(self._base, behind, last, filled=filled)
        # No call from here on: an interrupt would leave a sequence that some see and others do not.
        words[LAST_AT] = end
        self.end = words[END] = behind
        self.last = words[LAST] = last
        words[FRAMES] = words[FRAMES] + 1 & _MASK
        self.filled = words[FILLED] = filled
        self.check = words[CHECK] = check
        words[BUSY] = 0

    def _write_rest(self, frame: bytes, end: int) -> None:
        """Write the frame again, in pieces: the system took but a part of it."""
        done = 0
        while done < len(frame):
            count = self.segment.file.write(memoryview(frame)[done:], offset=end + done)
            if count <= 0:  # looping on it would never end
                raise OSError(EIO, "a write wrote nothing")
            done += count

    def _settle(self) -> None:
        """Publish the check of the tail; it can be believed again."""
        words = self._words
        words[FILLED] = self.filled
        self.check = words[CHECK] = check_of(self._base, self.end, self.last, filled=self.filled)
        words[BUSY] = 0

    def _cut_back(self, error: OSError) -> None:
        segment = self.segment
        error.filename = error.filename or segment.path
        segment.file.truncate(self.end)
        try:
            segment.file.sync_data()
        except OSError as failed:  # the next sync would succeed, and cover nothing
            self._words[POISON] = failed.errno or EIO
            raise
        self.filled = self.end
        self._settle()
        error.add_note(
            f"{segment.path}: the record could not be written. Nothing was appended; what was "
            "acknowledged is there. Make room on the disk, or see to it, and append again."
        )

    def mark(self, *, extend: bool) -> None:
        """Write the mark that says that all is durable; unless it needs room of its own."""
        mark = encode_close_mark(
            first=self.last + 1, offset=self.end, synced=self.end, seed=self.segment.seed
        )
        if extend or self.end + len(mark) <= self.filled:
            self.write(mark, 0)

    def fill(self, needed: int, *, most: int) -> None:
        """Write zeros ahead, so that later syncs write no metadata; less if the disk is full.

        Args:
            needed: up to where there must be room.
            most: how far to go at most, if less is needed.

        Raises:
            OSError: not even what is needed fits; nothing was appended.
        """
        goal = max(min(self.filled + min(self.filled, FILL_BYTES), most), needed)
        self._words[BUSY] = self.end
        try:
            try:
                self._fill_to(goal)
            except OSError:  # not even a part of it is written, where the system takes large pieces
                self._fill_to(needed)
        except OSError as error:
            if self.filled < needed:
                path = self.segment.path
                error.filename = error.filename or path
                error.add_note(
                    f"{path}: no room for the record. Nothing was appended; what was acknowledged "
                    "is there. Make room on the disk and append again."
                )
                raise
        finally:
            self._settle()

    def _fill_to(self, goal: int) -> None:
        while self.filled < goal:
            zeros = ZEROS[: goal - self.filled]
            count = self.segment.file.write(zeros, offset=self.filled)
            if count <= 0:  # looping on it would never end
                raise OSError(EIO, "a write wrote nothing")
            self.filled += count


def agrees(segment: Segment, tail: Tail) -> bool:
    """Look whether the last frame is whole and ends there, and zeros or the end follow it."""
    end, at = tail.end, tail.last_at
    if not at:
        is_new = end == FIRST_OFFSET and tail.last == segment.header.first - 1
        return is_new and not segment.read(8, end).strip(b"\0")
    if not FIRST_OFFSET <= at < end <= at + FRAME_BYTES + MAX_BODY_BYTES:
        return False
    data = segment.read(end - at + 8, at)
    head = decode_head(data, 0, offset=at, seed=segment.seed)
    return (
        head is not None
        and (head.end, head.first + head.count - 1) == (end, tail.last)
        and crc32(memoryview(data)[FRAME_BYTES : end - at], head.head_crc) == head.body_crc
        and not data[end - at :].strip(b"\0")
    )


def adopted(
    folder: Folder, words: Words, tail: Tail, *, place: Place, before: Tip | None
) -> Tip | None:
    """Take over the tail that another writer has left, if the segment agrees.

    Raises:
        Corruption: the segment is gone, or its header damaged.
    """
    segment = before.segment if before is not None else None
    if segment is None or segment.place != place:
        try:
            segment = open_segment(folder, place.first, "write")
        except FileNotFoundError:
            raise gone(folder, place.first) from None
        if segment.place != place:
            segment.close()
            return None
    return Tip(segment, tail, words) if agrees(segment, tail) else None
