"""The byte-range locks of one file in memory, as the kernel has them (`F_OFD_SETLK`).

What a description takes replaces what it held there, and what it gives back may be a part: ranges
are split and merged. A change of kind that fails or waits keeps the old lock. Waiters are served in
order, each as soon as nobody is in its way.
"""

from __future__ import annotations

import errno
import os
from threading import Condition
from typing import TYPE_CHECKING

from holdfast.vfs.spans import Span, left_of

if TYPE_CHECKING:
    from threading import RLock

__all__ = ["RangeLock"]


class _Waiter:
    __slots__ = ("description", "granted", "span", "turn")

    def __init__(self, description: object, span: Span, guard: RLock) -> None:
        self.description = description
        self.span = span
        self.turn = Condition(guard)
        self.granted = False


class RangeLock:
    """The ranges of one inode; the guard is held at every call."""

    def __init__(self, guard: RLock) -> None:
        self._guard = guard
        self.holders: dict[object, list[Span]] = {}
        self.waiting: list[_Waiter] = []

    def take(self, description: object, span: Span, *, block: bool) -> bool:
        """Take it; False if it is busy and `block` is off."""
        if self._free(description, span):
            self._hold(description, span)
            self._serve()  # a lock that became shared lets others in
            return True
        return block and self._wait(_Waiter(description, span, self._guard))

    def _wait(self, waiter: _Waiter) -> bool:
        self.waiting.append(waiter)
        try:
            while waiter in self.waiting:
                waiter.turn.wait()
        except BaseException:
            if waiter in self.waiting:
                self.waiting.remove(waiter)
            elif waiter.granted:
                self.drop(waiter.description, waiter.span)
            raise
        if not waiter.granted:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return True

    def drop(self, description: object, span: Span) -> None:
        """Give back what is held of it."""
        if description in self.holders:
            self._cut(description, span)
            self._serve()

    def abandon(self, description: object) -> None:
        """The last descriptor was closed: drop all, and send waiters on it away."""
        self.holders.pop(description, None)
        for waiter in [waiter for waiter in self.waiting if waiter.description is description]:
            self.waiting.remove(waiter)
            waiter.turn.notify_all()
        self._serve()

    def _free(self, description: object, span: Span) -> bool:
        return not any(
            span.meets(held) and not (span.shared and held.shared)
            for holder, spans in self.holders.items()
            if holder is not description
            for held in spans
        )

    def _hold(self, description: object, span: Span) -> None:
        self._cut(description, span)
        spans = sorted([*self.holders.get(description, ()), span])
        merged = spans[:1]
        for one in spans[1:]:
            last = merged[-1]
            if last.stop == one.start and last.shared == one.shared:
                merged[-1] = Span(last.start, one.stop, one.shared)
            else:
                merged.append(one)
        self.holders[description] = merged

    def _cut(self, description: object, span: Span) -> None:
        left = left_of(self.holders.pop(description, ()), span)
        if left:
            self.holders[description] = left

    def _serve(self) -> None:
        for waiter in list(self.waiting):
            if self._free(waiter.description, waiter.span):
                self.waiting.remove(waiter)
                self._hold(waiter.description, waiter.span)
                waiter.granted = True
                waiter.turn.notify_all()
