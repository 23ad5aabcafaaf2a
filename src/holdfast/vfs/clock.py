"""Time, passed in: the system's, or one that a test moves by hand."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol
else:
    from holdfast.light_typing import Protocol

__all__ = ["CLOCK", "Clock", "ManualClock", "SystemClock"]


class Clock(Protocol):
    """Two readings: `monotonic` for waiting, `now_ns` of the wall clock for file times."""

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        ...

    def now_ns(self) -> int:
        """Nanoseconds since 1970, as in file times; may jump."""
        ...


class SystemClock:
    """The clock of this machine."""

    monotonic = staticmethod(time.monotonic)
    now_ns = staticmethod(time.time_ns)

    def __repr__(self) -> str:
        return "SystemClock()"


class ManualClock:
    """A clock that stands still until `advance` is called."""

    def __init__(self, *, start_ns: int = 1_700_000_000_000_000_000) -> None:
        self._ns = start_ns

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        return self._ns / 1e9

    def now_ns(self) -> int:
        """Nanoseconds since 1970."""
        return self._ns

    def advance(self, seconds: float) -> None:
        """Move time forward.

        Raises:
            ValueError: for a negative step; the clock stands where it was.
        """
        if seconds < 0:
            raise ValueError(f"a clock cannot run backwards by {-seconds} s")
        self._ns += round(seconds * 1e9)


CLOCK: Clock = SystemClock()
