"""Rotation by time: the moments and the names are those of `TimedRotatingFileHandler`.

I1  The moments are computed by the standard library itself.
I2  Who finds the file due rotates it; everybody else finds another file under the name, and begins
    a new term with that.
I3  A name that is taken is never taken away: the file gets `.1`, `.2` and so on behind its date.
"""

from __future__ import annotations

import re
import time

from holdfast.primitives.folders import forget
from holdfast.primitives.line_log_names import look

TYPE_CHECKING = False
if TYPE_CHECKING:
    import datetime as dt
    from typing import NamedTuple

    from holdfast.primitives.line_log_rotation import Watched
    from holdfast.vfs import Clock, Folder, Stat
else:
    from holdfast.light_typing import NamedTuple

__all__ = ["TimeRotation", "When"]

_HOUR_S = 3600


class When(NamedTuple):
    """The arguments of `TimedRotatingFileHandler` that say when; `keep` 0 keeps all."""

    when: str
    interval: int
    keep: int
    utc: bool
    at_time: dt.time | None


class TimeRotation:
    """Names with a date, at certain times.

    Raises:
        ValueError: there is no such `when`.
    """

    __slots__ = ("_clock", "_due_s", "_schedule", "_when")

    def __init__(self, path: str, when: When, *, clock: Clock) -> None:
        from logging.handlers import TimedRotatingFileHandler

        schedule = TimedRotatingFileHandler(
            path,
            when.when,
            when.interval,
            encoding="utf-8",
            delay=True,
            utc=when.utc,
            atTime=when.at_time,
        )
        schedule.close()  # it has opened nothing, and is no handler of anybody
        self._schedule = schedule
        self._when = when
        self._clock = clock
        self._due_s = self._next(self._now_s())

    def _now_s(self) -> int:
        return self._clock.now_ns() // 1_000_000_000

    def _next(self, after_s: int) -> int:
        """The end of the term that holds a moment; by the clock on the wall, also if that jumps."""
        due_s = self._schedule.computeRollover(after_s)
        if not self._when.utc and (self._schedule.when[0] == "W" or self._is_daily):
            before, then = time.localtime(after_s).tm_isdst, time.localtime(due_s).tm_isdst
            due_s += (then < before) * _HOUR_S - (before < then) * _HOUR_S
        return due_s

    @property
    def _is_daily(self) -> bool:
        return self._schedule.when == "MIDNIGHT"

    def opened(self, info: Stat) -> None:
        """Begin the term of the file's last line, or of now."""
        last_s = info.st_mtime_ns // 1_000_000_000 if info.st_size else self._now_s()
        self._due_s = self._next(last_s)

    def is_due(self, size: int, more: int) -> bool:  # noqa: ARG002 (time decides)
        """Say whether the term is over; with an empty file it begins anew."""
        now_s = self._now_s()
        if now_s < self._due_s:
            return False
        if not size:
            self._due_s = self._next(now_s)
        return size > 0

    def rotate(self, folder: Folder, name: str, watched: Watched) -> None:  # noqa: ARG002 (one name)
        """Give the log the date on which its term began, and remove the oldest."""
        dated = self._free_name(folder, f"{name}.{self._date()}")
        folder.rename(name, dated)
        old = sorted(other for other in folder.names() if self._is_dated(other, name))
        for other in old[: -self._when.keep] if self._when.keep else ():
            forget(folder, other)

    def _date(self) -> str:
        start_s = self._due_s - self._schedule.interval
        if self._when.utc:
            return time.strftime(self._schedule.suffix, time.gmtime(start_s))
        now, then = time.localtime(self._now_s()).tm_isdst, time.localtime(start_s).tm_isdst
        start_s += (then < now) * _HOUR_S - (now < then) * _HOUR_S
        return time.strftime(self._schedule.suffix, time.localtime(start_s))

    def _free_name(self, folder: Folder, dated: str) -> str:
        found, number = dated, 0
        while look(folder, found) is not None:
            number += 1
            found = f"{dated}.{number}"
        return found

    def _is_dated(self, other: str, name: str) -> bool:
        pattern = re.sub("%[mdHMS]", r"\\d{2}", self._schedule.suffix.replace("%Y", r"\d{4}"))
        return re.fullmatch(rf"{re.escape(name)}\.{pattern}(\.\w+)?", other, re.ASCII) is not None
