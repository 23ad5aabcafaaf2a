"""A filesystem on which a test sees syncs happen, and holds them up."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Semaphore
from typing import Any, TypeVar

from holdfast.vfs import VFS
from holdfast.vfs.interpose import Call, Interposed

T = TypeVar("T")

PATIENCE_S = 10.0
SYNCS = ("sync", "sync_data")


class Syncs(Interposed):
    """Lets a test wait for the next sync of a file, and with `hold` keep it from ending."""

    def __init__(self, inner: VFS) -> None:
        super().__init__(inner)
        self.count = 0
        self._ended = Semaphore(0)
        self._begun = Semaphore(0)
        self._open = Event()
        self._open.set()

    def around(self, call: Call, do: Callable[[], T]) -> T:
        """Carry the call out."""
        if call.operation not in SYNCS:
            return do()
        self.count += 1
        self._begun.release()
        if not self._open.wait(PATIENCE_S):
            raise TimeoutError("nobody let the sync go on")
        try:
            return do()
        finally:
            self._ended.release()

    def hold(self) -> None:
        """Keep every sync from here on from ending."""
        self._open.clear()

    def let_go(self) -> None:
        """Let all of them end."""
        self._open.set()

    def await_begun(self) -> None:
        """Wait until one more sync has begun."""
        if not self._begun.acquire(timeout=PATIENCE_S):
            raise TimeoutError("no sync began")

    def await_ended(self) -> None:
        """Wait until one more sync has ended."""
        if not self._ended.acquire(timeout=PATIENCE_S):
            raise TimeoutError("no sync ended")


def taken(error: Any) -> int:
    """How much of a write that failed was taken; type checkers know this of one error alone."""
    count: int = error.characters_written
    return count
