"""Byte-range locks of one open file of Windows, which has only whole ones: see `windows`.

LockFileEx gives a range back as it was taken. A range that is shared is split by sharing the parts
that stay before the whole is given back, and one that is exclusive becomes shared in the same way,
both without a gap. What cannot be had so is EINVAL: giving back a part of an exclusive range, and
taking, as the other kind, what overlaps a range that is held without being that range. A shared
range that becomes exclusive is given back first, and taken again if it cannot.
"""

from __future__ import annotations

import errno
import os
import time

from holdfast.vfs.spans import Span, left_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.vfs.kernel32 import Kernel

__all__ = ["FIRST_BYTE", "WindowsRanges"]

FIRST_BYTE = 2**62
"""Where range 0 is: locks are mandatory, so no byte that anybody reads or writes may be in one."""

_LOCK_VIOLATION = frozenset({33, 997})  # ERROR_LOCK_VIOLATION, ERROR_IO_PENDING
_FIRST_PAUSE_S = 0.0005
_LONGEST_PAUSE_S = 0.02


class WindowsRanges:
    """What an open file holds. Waiting is asking again: a call that waits would hold up all others.

    Args:
        kernel: the calls.
        sleep: waits between two attempts.
    """

    __slots__ = ("_held", "_kernel", "_sleep")

    def __init__(self, kernel: Kernel, *, sleep: Callable[[float], object] = time.sleep) -> None:
        self._kernel = kernel
        self._sleep = sleep
        self._held: list[Span] = []

    def take(self, fd: int, wanted: Span, *, block: bool) -> bool:
        """Lock a range; False if any of it is busy and `block` is off."""
        pause_s = _FIRST_PAUSE_S
        while not self._take_now(fd, wanted):
            if not block:
                return False
            self._sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
        return True

    def _take_now(self, fd: int, wanted: Span) -> bool:
        met = [span for span in self._held if span.meets(wanted)]
        if all(span.shared == wanted.shared for span in met):
            return self._take_missing(fd, wanted, met)
        opposite = wanted._replace(shared=not wanted.shared)
        if met != [opposite]:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        if not wanted.shared:
            self._give(fd, opposite)
        taken = self._ask(fd, wanted)
        if wanted.shared:
            self._give(fd, opposite)
        elif not taken:
            self._ask(fd, opposite)
        return taken

    def _take_missing(self, fd: int, wanted: Span, met: list[Span]) -> bool:
        missing = [wanted]
        for span in met:
            missing = left_of(missing, span)
        taken: list[Span] = []
        for span in missing:
            if not self._ask(fd, span):
                for other in taken:
                    self._give(fd, other)
                return False
            taken.append(span)
        return True

    def drop(self, fd: int, gone: Span) -> None:
        """Give back what is held of a range.

        Raises:
            OSError: EINVAL for a part of an exclusive range, which is held as before.
        """
        for span in [span for span in self._held if span.meets(gone)]:
            parts = left_of([span], gone)
            if parts and not span.shared:
                raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
            for part in parts:
                self._ask(fd, part)
            self._give(fd, span)

    def _ask(self, fd: int, span: Span) -> bool:
        place = (FIRST_BYTE + span.start, span.stop - span.start)
        try:
            self._kernel.lock(fd, place, exclusive=not span.shared, block=False)
        except OSError as error:
            if getattr(error, "winerror", None) in _LOCK_VIOLATION:
                return False
            raise
        self._held.append(span)
        return True

    def _give(self, fd: int, span: Span) -> None:
        self._held.remove(span)
        self._kernel.unlock(fd, (FIRST_BYTE + span.start, span.stop - span.start))
