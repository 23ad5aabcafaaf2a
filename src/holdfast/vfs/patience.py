"""Patience with whoever has a file of Windows open: bounded, with jitter, for three errors.

A virus scanner, an indexer or a reader that does not share makes a rename, an unlink or an open
fail with error 5, 32 or 33 for some milliseconds. Error 5 is also what a lack of permission gives,
which is why that is told after the two seconds as well.
"""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeVar

    _T = TypeVar("_T")

__all__ = ["PATIENCE_S", "is_busy", "patiently", "pauses"]

PATIENCE_S = 2.0
_FIRST_PAUSE_S = 0.001
_LONGEST_PAUSE_S = 0.1
# ERROR_ACCESS_DENIED, ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION
_BUSY = frozenset({5, 32, 33})


def is_busy(error: OSError) -> bool:
    """Whether somebody has the file open just now, so that trying again may help."""
    return getattr(error, "winerror", None) in _BUSY


def pauses(random: Callable[[], float]) -> Iterator[float]:
    """Yield growing pauses in seconds, half of each random, two seconds in sum."""
    left, step = PATIENCE_S, _FIRST_PAUSE_S
    while left > 0:
        pause = min(step * (0.5 + random() / 2), left)
        yield pause
        left -= pause
        step = min(step * 2, _LONGEST_PAUSE_S)


def patiently(call: Callable[[], _T], *, sleep: Callable[[float], object] = time.sleep) -> _T:
    """Call until it is not refused as busy, or two seconds of sleep are over; raise its error."""
    for pause in pauses(_random):
        try:
            return call()
        except OSError as error:
            if not is_busy(error):
                raise
        sleep(pause)
    return call()


def _random() -> float:
    return int.from_bytes(os.urandom(2), "big") / 65536
