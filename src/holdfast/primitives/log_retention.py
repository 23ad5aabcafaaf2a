"""How much of a log is kept, by size and by age.

Whole segments go, the oldest first. An age is the lesser of two: by the wall clock as it is, and by
the wall clock as it was when the log was opened and the monotonic clock since. So a step of the
wall clock, either way and back, while a program runs drops nothing.
"""

from __future__ import annotations

from itertools import pairwise

from holdfast.formats.log_format import segment_name
from holdfast.primitives.log_segment import open_segment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.vfs import Clock, Folder

__all__ = ["Retention"]


class Retention:
    """What is kept: at most `keep_bytes`, and nothing older than `keep_s`; None: no bound."""

    def __init__(self, keep_bytes: int | None, keep_s: float | None, clock: Clock) -> None:
        for name, value in (("keep_bytes", keep_bytes), ("keep_s", keep_s)):
            if value is not None and not value > 0:
                raise ValueError(f"{name} is {value}, and must be more than 0, or None")
        self.keep_bytes = keep_bytes
        self.keep_s = keep_s
        self._clock = clock
        self._last: int | None = None
        self._looked_s = 0.0
        self._appended_s: float | None = None
        self._start_ns = clock.now_ns() - round(clock.monotonic() * 1e9)

    @property
    def is_bounded(self) -> bool:
        """Whether anything is ever dropped."""
        return self.keep_bytes is not None or self.keep_s is not None

    def choose(self, folder: Folder, firsts: list[int], last: int) -> int:
        """Return the sequence before which all may go; `last + 1` if nothing need be kept."""
        return max(self._by_size(folder, firsts), self._by_age(folder, firsts, last))

    def _by_size(self, folder: Folder, firsts: list[int]) -> int:
        if self.keep_bytes is None:
            return 0
        kept, left = firsts[-1], self.keep_bytes
        for first in reversed(firsts):
            left -= folder.stat(segment_name(first)).st_size
            if left < 0 and first != firsts[-1]:
                break
            kept = first
        return kept

    def _by_age(self, folder: Folder, firsts: list[int], last: int) -> int:
        """A segment is as young as its youngest record: that is, as the next one is old."""
        if self.keep_s is None:
            return 0
        steady_ns = self._start_ns + round(self._clock.monotonic() * 1e9)
        oldest_ns = min(steady_ns, self._clock.now_ns()) - round(self.keep_s * 1e9)
        is_young = self._was_appended_to(last, self.keep_s)
        for first, following in pairwise(firsts):
            segment = open_segment(folder, following, "read")
            segment.close()
            if segment.header.created_ns > oldest_ns:
                return first
        tail = folder.stat(segment_name(firsts[-1]))
        return last + 1 if tail.st_mtime_ns < oldest_ns and not is_young else firsts[-1]

    def _was_appended_to(self, last: int, within_s: float) -> bool:
        """Whether something is known to have come, by what was looked at before (no wall clock)."""
        now_s = self._clock.monotonic()
        if self._last is not None and self._last != last:
            self._appended_s = self._looked_s
        self._last, self._looked_s = last, now_s
        return self._appended_s is not None and now_s - self._appended_s < within_s
