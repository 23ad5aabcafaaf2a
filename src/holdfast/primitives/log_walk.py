"""From segment to segment of a log that others append to and drop from meanwhile; takes no lock."""

from __future__ import annotations

from bisect import bisect_right

from holdfast.errors import Truncated
from holdfast.formats.log_format import FIRST_OFFSET, segment_name
from holdfast.primitives.log_errors import refuse_stranger
from holdfast.primitives.log_ownership import refuse_foreign
from holdfast.primitives.log_segment import firsts_of, open_segment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.formats.log_format import Frame
    from holdfast.primitives.log_hint import Place
    from holdfast.primitives.log_segment import Segment
    from holdfast.primitives.log_view import View
    from holdfast.vfs import Folder

__all__ = ["SegmentWalk"]

_LOOKS = 4


class SegmentWalk:
    """A segment that is read, with the place in it, and the way to the next one."""

    __slots__ = (
        "_at",
        "_begun",
        "_firsts",
        "_frames",
        "_limit",
        "_next",
        "_place",
        "_segment",
        "_view",
        "position",
    )

    def __init__(self, view: View, start: int | None) -> None:
        self._view = view
        self.position = start
        self._segment: Segment | None = None
        self._frames: Iterator[Frame] | None = None
        self._at = FIRST_OFFSET
        self._next = self._begun = 0
        self._limit = 0
        self._firsts: list[int] = []
        self._place: Place | None = None

    def _enter(self, folder: Folder) -> bool:
        """Open the segment that holds the position."""
        wanted = self.position
        for look in range(_LOOKS):
            firsts = self._firsts = firsts_of(folder)
            if not firsts:
                refuse_foreign(folder)
                return False
            if wanted is not None and wanted < firsts[0]:
                raise self._overtaken(wanted, firsts[0])
            first = firsts[0] if wanted is None else firsts[bisect_right(firsts, wanted) - 1]
            try:
                self._go_to(open_segment(folder, first, "read"))
            except FileNotFoundError:  # dropped between the look and the opening
                if look == _LOOKS - 1:
                    raise
            else:
                break
        return True

    def _go_to(self, segment: Segment) -> None:
        old, self._segment = self._segment, segment
        if old is not None:
            old.close()
        self._at = FIRST_OFFSET
        self._next = segment.header.first

    def _following(self, folder: Folder, segment: Segment) -> Segment | None:
        """Open the segment after this one, if there is one."""
        following = None
        for _ in range(_LOOKS):
            first = self._later(folder, segment.header.first)
            if first is None:
                return None
            try:
                following = open_segment(folder, first, "read")
            except FileNotFoundError:
                self._firsts = []  # dropped since: look again
                continue
            if following.header.previous_first == segment.header.first:
                break
            self._firsts = []  # a listing may miss a name that is made meanwhile
            following.close()
        if following is not None:
            try:
                if following.header.previous_first != segment.header.first:
                    self._refuse_overtaken(folder, segment)
                refuse_stranger(following, segment)
            except BaseException:
                following.close()
                raise
        return following

    def _later(self, folder: Folder, first: int) -> int | None:
        """Return the first sequence of the next segment by name, from a listing that may be old."""
        for _ in range(2):
            at = bisect_right(self._firsts, first)
            if at < len(self._firsts):
                return self._firsts[at]
            self._firsts = firsts_of(folder)
        return None

    def _refuse_overtaken(self, folder: Folder, segment: Segment) -> None:
        """Tell a reader that was overtaken by retention from one that found a gap."""
        firsts = self._firsts = firsts_of(folder)
        if firsts and segment.header.first not in firsts and firsts[0] > self._next:
            raise self._overtaken(self._next, firsts[0])

    def _is_other(self, folder: Folder, segment: Segment) -> bool:
        """Look whether the name stands for another file now: it was empty, or put back."""
        try:
            info = folder.stat(segment_name(segment.header.first))
        except FileNotFoundError:
            return False
        place = segment.place
        return (info.st_dev, info.st_ino) != (place.device, place.inode)

    def _overtaken(self, asked: int, first: int) -> Truncated:
        return Truncated(
            f"{self._view.path}: record {asked} was dropped; the first that is kept is {first}. "
            f"Nothing was changed. Read on from {first}, and keep more (keep_bytes=, keep_s=).",
            path=self._view.path,
            asked=asked,
            first=first,
        )

    def close(self) -> None:
        """Close what is open; idempotent."""
        if self._segment is not None:
            self._segment.close()
            self._segment = None
        self._frames = None
