"""How long to pause between looks for more: short at first, longer while nothing comes."""

from __future__ import annotations

from time import monotonic

__all__ = ["Pauses"]

_SHORTEST_S = 0.0005
_LONGEST_S = 0.01


class Pauses:
    """The pauses of one who waits at most `timeout_s` for the next thing; None: for ever."""

    def __init__(self, timeout_s: float | None) -> None:
        if timeout_s is not None and not timeout_s >= 0:
            raise ValueError(f"timeout_s is {timeout_s}, and must be None, 0 or more")
        self._timeout_s = timeout_s
        self.begin()

    def begin(self) -> None:
        """Something came: the time begins anew."""
        self._since_s = monotonic()
        self._pause_s = _SHORTEST_S

    def next(self) -> float | None:
        """Return the seconds until the next look; None when the time is over."""
        pause_s, self._pause_s = self._pause_s, min(self._pause_s * 2, _LONGEST_S)
        if self._timeout_s is None:
            return pause_s
        left_s = self._timeout_s - (monotonic() - self._since_s)
        return min(pause_s, left_s) if left_s > 0 else None
