"""A place in a log from which records are read, in order, while others append and drop.

Guarantee: every record from the start on, once, in order, up to the limit of the `View`; damage on
    the way is `Corruption`, and what was dropped before it was read is `Truncated`. No lock.

I1  A place that holds no frame is the end only if the limit says so, or if nothing acknowledged can
    have stood there; otherwise it is looked at once more, and then it is damage.
I2  Nothing past the end that a following segment states is read.
"""

from __future__ import annotations

import errno

from holdfast.errors import BadFrame, Corruption
from holdfast.formats.log_format import (
    MAX_SEGMENT_BYTES,
    Frame,
    numbered,
)
from holdfast.formats.log_scan import examine, frames
from holdfast.primitives.log_errors import damaged
from holdfast.primitives.log_ownership import refuse_foreign
from holdfast.primitives.log_segment import firsts_of, open_segment, sync_unknown
from holdfast.primitives.log_walk import SegmentWalk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeVar

    from holdfast.formats.log_format import Record
    from holdfast.formats.log_scan import Tail
    from holdfast.primitives.log_hint import Place
    from holdfast.primitives.log_segment import Segment
    from holdfast.primitives.log_view import View
    from holdfast.vfs import Folder

    _R = TypeVar("_R")

__all__ = ["Cursor"]

_ENOUGH = 64
_SMALL_BYTES = 4096
_SOON_BYTES = 1 << 18


class Cursor(SegmentWalk):
    """Reads records from `start` (None: the first that is kept) on."""

    __slots__ = ()

    @classmethod
    def end_of(cls, view: View) -> int:
        """Return the last sequence that can be read, by reading the last segment; 0 for none.

        Raises:
            Corruption: something acknowledged is damaged or missing there.
            OSError: it cannot be read.
        """
        folder = view.open()
        if folder is None:
            return 0
        firsts = firsts_of(folder)
        if not firsts:
            refuse_foreign(folder)
            return 0
        cursor = cls(view, firsts[-1])
        try:
            while cursor.pull():
                continue
            return max(cursor._next, firsts[-1]) - 1
        finally:
            cursor.close()

    def pull(self) -> list[Record]:
        """Return the next records: of one frame, or of several small ones.

        None at the end of what may be read now.

        Raises:
            Truncated: the next record was dropped.
            Corruption: something acknowledged is damaged or missing.
            OSError: the log cannot be read.
        """
        return self._pull(numbered)

    def pull_data(self) -> tuple[int, list[bytes]]:
        """Return the sequence of the next record, and the data of it and of some that follow.

        Raises:
            Corruption: as `pull`, and if a repair has left out some of these sequences.
            Truncated, OSError: as `pull`.
        """
        found = self._pull(Frame.records)
        following = self.position or 0
        first = following - len(found)
        if found and first != self._begun:
            raise Corruption(
                f"{self._view.path}: records between {self._begun} and {following} are missing: a "
                "repair could not save them. Nothing was changed.",
                path=self._view.path,
                expected=following - self._begun,
                found=len(found),
            )
        return first, found

    def pull_to(self, place: Place, *, end: int, last: int) -> tuple[int, list[bytes]] | None:
        """Return as `pull_data` what lies before a published end of the segment that is read.

        None, and the cursor stays, where that is not all that a look at the disk would give.

        Args:
            place: the segment that the end is published of.
            end: where it ends.
            last: the last sequence there.

        Raises:
            OSError: it cannot be read.
        """
        segment, first = self._segment, self._next
        if segment is None or self._frames is not None or segment.place != place:
            return None
        if not 0 < end - self._at <= _SOON_BYTES or self.position != first:
            return None
        found = list(
            frames(segment.read, start=self._at, limit=end, first=first, seed=segment.seed)
        )
        if not found or (found[-1].end, found[-1].last) != (end, last):
            return None
        self._at, self._next, self.position = end, last + 1, last + 1
        return first, [data for frame in found for data in frame.records()]

    def _pull(self, records_of: Callable[[Frame], list[_R]]) -> list[_R]:
        records: list[_R] = []
        while len(records) < _ENOUGH:
            frame = None if self._frames is None else next(self._frames, None)
            if frame is None:
                self._frames = None
                if records or not self._advance():
                    break
                continue
            if frame.last > self._limit and not self._may_show(frame):
                is_end = self._frames is not None
                self._frames = None
                if records or is_end:
                    break
                continue
            self._at = frame.end
            self._next = frame.first + frame.count
            taken = self._taken(frame, records_of)
            if not records:
                self._begun = self._next - len(taken)
            records += taken
            if records and len(frame.body) > _SMALL_BYTES:
                break
        return records

    def _taken(self, frame: Frame, records_of: Callable[[Frame], list[_R]]) -> list[_R]:
        wanted = self.position or 0
        if self._next <= wanted:
            return []
        self.position = self._next
        records = records_of(frame)
        return records if wanted <= frame.first else records[wanted - frame.first :]

    def _may_show(self, frame: Frame) -> bool:
        """Ask how far is shown by now; what was read is thrown away if another segment began."""
        limit = self._view.limit()
        if self._view.place != self._place:
            self._frames = None  # its header says where this one ends, perhaps before this frame
            return False
        self._limit = frame.last if limit is None else limit
        return frame.last <= self._limit

    def skip(self, segment: Segment, *, end: int, following: int) -> None:
        """Go on at the offset `end` of a segment, with record `following`.

        For who has appended what comes before it, and need not read it back.

        Raises:
            FileNotFoundError: the log, or the segment, is gone; the place is as it was.
            OSError: the segment cannot be opened; the place is as it was.
        """
        if self._segment is None or self._segment.place != segment.place:
            folder = self._view.open()
            if folder is None:
                raise FileNotFoundError(errno.ENOENT, "the log is gone", self._view.path)
            self._go_to(open_segment(folder, segment.header.first, "read"))
        self._at = end
        self._next = self.position = following
        self._frames = None

    def sync(self) -> None:
        """Make durable what was read of the segment that is read now; those before it are.

        Raises:
            OSError: the sync failed.
        """
        if self._segment is not None:
            sync_unknown(self._segment)

    # ------------------------------------------------------------ from place to place

    def _advance(self) -> bool:
        """Find where the next frame should stand and begin to read there; False at the end."""
        limit = self._view.limit()
        self._place = self._view.place
        folder = self._view.open()
        if folder is None:
            return False
        if self._segment is None and not self._enter(folder):
            return False
        segment = self._segment
        if segment is None:
            return False
        if self._is_other(folder, segment):
            self._segment = None
            return self._advance()
        if limit is not None:
            self._limit = limit
            if self._next > limit:
                return False
        return self._read_on(folder, segment, limit)

    def _read_on(self, folder: Folder, segment: Segment, limit: int | None) -> bool:
        try:
            following = self._following(folder, segment)
        except Corruption:
            if self._begin(segment, segment.file.stat().st_size):
                return True  # what is whole before the gap
            raise
        if following is not None:
            return self._read_sealed(segment, following)
        if limit is None:
            sync_unknown(segment)
        found = self._begin(segment, segment.file.stat().st_size)
        if found:
            return True
        if segment.header.first not in firsts_of(folder):
            self._segment = None  # dropped
            return self._advance()
        if limit is None:
            tail = self._examine(segment)
            if tail.verdict == "damaged":
                raise damaged(segment.path, tail.offset, tail.proof)
            return False
        if self._following(folder, segment) is not None:
            return self._advance()  # another segment began between the looks
        raise self._missing(segment)

    def _begin(self, segment: Segment, end: int) -> bool:
        """Begin to read at the place; False if no frame stands there."""
        found = frames(
            segment.read,
            start=self._at,
            limit=min(end, MAX_SEGMENT_BYTES),
            first=self._next,
            seed=segment.seed,
            path=segment.path,
        )
        frame = next(found, None)
        if frame is None:
            return False
        self._frames = _with_first(frame, found)
        return True

    def _read_sealed(self, segment: Segment, following: Segment) -> bool:
        end = following.header.previous_end
        if self._at < end:
            following.close()
            if self._begin(segment, end):
                return True
            raise self._missing(segment, f"the next segment says that this one ends at {end}")
        if self._at == end and self._next > following.header.first:  # larger: a repair made a gap
            following.close()
            raise BadFrame(
                f"{following.path}: it begins with record {following.header.first}, where "
                f"{self._next} must come. Nothing was changed. Take the file from a backup, or "
                "salvage what is whole with `holdfast repair`.",
                path=following.path,
                offset=16,
                expected=self._next,
                found=following.header.first,
            )
        self._go_to(following)
        return self._advance()

    # ------------------------------------------------------------ errors

    def _examine(self, segment: Segment) -> Tail:
        size = segment.file.stat().st_size
        return examine(segment.read, at=self._at, first=self._next, size=size, seed=segment.seed)

    def _missing(self, segment: Segment, proof: str = "") -> Corruption:
        if not proof:
            proof = self._examine(segment).proof or "nothing is there"
            proof = f"records up to {self._limit} were acknowledged ({proof})"
        return damaged(segment.path, self._at, proof)


def _with_first(frame: Frame, others: Iterator[Frame]) -> Iterator[Frame]:
    yield frame
    yield from others
