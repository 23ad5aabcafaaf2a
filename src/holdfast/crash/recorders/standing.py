"""The current folder of the recorder's thread: that of the thread whose call it carries out.

I1 It is kept as long as no thread can have changed its own: who is about to says so first
   (`moves`), and has done it, or failed to, by its next call or its end.
"""

from __future__ import annotations

import os

__all__ = ["Standing"]


class Standing:
    """The current folder of this thread, which has one of its own."""

    def __init__(self) -> None:
        self._with = -1
        self._moving: set[int] = set()

    def moves(self, thread: int) -> None:
        """A thread is about to change its current folder, which others may share."""
        self._moving.add(thread)
        self._with = -1

    def settle(self, thread: int) -> None:
        """A thread calls again, or is gone: where it was about to go, it is by now."""
        if thread in self._moving:
            self._moving.discard(thread)
            self._with = -1

    def leave(self, thread: int) -> None:
        """The number of a thread may be that of another by now."""
        if thread == self._with:
            self._with = -1

    def follow(self, thread: int) -> None:
        """Stand where the thread does.

        Raises:
            OSError: it is gone, or its current folder is.
        """
        if thread == self._with:
            return
        self._with = -1
        os.chdir(f"/proc/{thread}/cwd")
        if not self._moving:
            self._with = thread
