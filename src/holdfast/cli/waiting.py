"""Waits for the kernel's lock of an open file, in a way that a signal and a time limit can end."""

from __future__ import annotations

import sys

from holdfast.cli.exits import note
from holdfast.errors import LockTimeout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final, TypeVar

    from holdfast.vfs import File

    T = TypeVar("T")

__all__ = ["take", "telling"]

_SOON_S: Final = 0.5


def telling(verb: str, timeout_s: float | None, attempt: Callable[[float | None], T]) -> T:
    """Return what `attempt` returns, which waits for a lock; on a terminal, say so if it lasts.

    Saying it costs the place in the queue, once.

    Args:
        verb: Who waits.
        timeout_s: How long to wait; None: as long as it takes.
        attempt: Takes how long it may wait.

    Raises:
        LockTimeout: of `attempt`, when the time is over.
    """
    if not sys.stderr.isatty() or (timeout_s is not None and timeout_s <= _SOON_S):
        return attempt(timeout_s)
    try:
        return attempt(_SOON_S)
    except LockTimeout as busy:
        by = f", held by {busy.holder}" if busy.holder else ""
        note(verb, f"waiting for {busy.path}{by}")
    try:
        return attempt(None if timeout_s is None else timeout_s - _SOON_S)
    except LockTimeout as busy:
        busy.waited_s += _SOON_S
        raise


def take(file: File, *, shared: bool, timeout_s: float | None) -> bool:
    """Take the lock of this open file description; False when the time is over.

    When it returns False or raises, nothing is held, and the file is closed or will be.

    Args:
        file: The lock is its own, so whoever inherits the descriptor holds it as well.
        shared: Together with others that share it.
        timeout_s: How long to wait; 0: not at all; None: as long as it takes.
    """
    try:
        if file.lock(shared=shared, block=False):
            return True
    except BaseException:
        file.close()
        raise
    if timeout_s == 0:
        file.close()
        return False
    return _Wait(file, shared=shared).won_within(timeout_s)


class _Wait:
    """A thread that waits in the kernel, since a wait there cannot be called off.

    It ends with the process, or when the lock comes and nobody wants it any more.
    """

    def __init__(self, file: File, *, shared: bool) -> None:
        from threading import Event, Lock, Thread

        self._file = file
        self._shared = shared
        self._over = Event()
        self._mutex = Lock()
        self._error: OSError | None = None
        self._wanted = True
        Thread(target=self._wait, daemon=True, name="holdfast-lock").start()

    def won_within(self, timeout_s: float | None) -> bool:
        """Whether the lock was won in time; if not, the thread lets go of the file."""
        try:
            self._over.wait(timeout_s)
        finally:
            with self._mutex:
                self._wanted = won = self._over.is_set() and self._error is None
        if self._error is not None:
            raise self._error
        return won

    def _wait(self) -> None:
        try:
            self._file.lock(shared=self._shared)
        except OSError as error:
            self._error = error
        with self._mutex:
            self._over.set()
            if not self._wanted or self._error is not None:
                self._file.close()
