"""One line on a terminal that says how far it is; nothing elsewhere, nor in the first 0.5 s.

At the end what follows begins on a line of its own, wherever the program has left the cursor.
"""

from __future__ import annotations

import shutil
import sys
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

__all__ = ["Progress", "columns"]

_SOON_S: Final = 0.5
_EVERY_S: Final = 0.1
_BAR: Final = 20
_WIDTH_MAX: Final = 120


def columns() -> int:
    """How wide a report is to be: as the terminal, within reason; 100 where there is none."""
    return min(shutil.get_terminal_size((100, 24)).columns, _WIDTH_MAX)


class Progress:
    """Tells of a recording and of an exploration on one line that is rewritten."""

    def __init__(
        self,
        *,
        stream: TextIO | None = None,
        budget_s: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._budget_s = budget_s
        self._clock = clock
        self._begun_s = clock()
        self._next_s = self._begun_s + _SOON_S
        self._ended = False
        self._wanted = self._stream.isatty()
        self.tried = 0

    def recording(self, calls: int) -> None:
        """So many calls of the program were recorded."""
        self._show(f"recording: {calls:,} calls, {self._clock() - self._begun_s:.0f} s")

    def exploring(self, tried: int, *, bugs: int, seconds: float) -> None:
        """So many states were tried."""
        self.tried = tried
        done = min(seconds / self._budget_s, 1.0) if self._budget_s else 0.0
        bar = "#" * int(done * _BAR)
        found = f"{bugs} bugs so far" if bugs != 1 else "1 bug so far"
        self._show(
            f"[{bar:.<{_BAR}}] {tried:,} states tried, {found}, "
            f"{seconds:.0f} of at most {self._budget_s:.0f} s"
        )

    def end(self) -> None:
        """Take the line away; what comes next begins at the margin.

        A row of blanks as wide as the terminal ends on this line if it began at the margin, and
        on the next one if not.
        """
        if self._wanted and not self._ended:
            self._ended = True
            self._write(f"\x1b[K{' ' * shutil.get_terminal_size().columns}\r\x1b[K")

    def _show(self, text: str) -> None:
        now_s = self._clock()
        if not self._wanted or now_s < self._next_s:
            return
        self._next_s = now_s + _EVERY_S
        width = shutil.get_terminal_size().columns - 1
        self._write(f"\r\x1b[K{text[:width]}\r")  # what the program prints begins at the margin

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:
            self._wanted = False
