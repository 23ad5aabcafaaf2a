"""Calls a function in time, also when nobody does anything any more: on a thread, while one is due.

The thread is a daemon, made when something becomes due and gone after it.
"""

from __future__ import annotations

import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.vfs import Clock

__all__ = ["Timer"]


class Timer:
    """Calls `run` once for each time that something became due, at the earliest of those moments.

    Attributes: `run` must not raise.
    """

    __slots__ = ("_changed", "_clock", "_due_s", "_name", "_running", "run")

    def __init__(self, run: Callable[[], None], *, name: str, clock: Clock) -> None:
        self.run = run
        self._name = name
        self._clock = clock
        self.reset()

    def reset(self) -> None:
        """Begin anew, with nothing due and no thread: for a forked child."""
        self._changed = threading.Condition(threading.Lock())
        self._due_s: float | None = None
        self._running = False

    def within(self, seconds: float) -> bool:
        """See to it that `run` is called in so many seconds, or earlier.

        Returns:
            False where no thread can be had, as while the interpreter shuts down: nothing is due.
        """
        due_s = self._clock.monotonic() + seconds
        with self._changed:
            if self._due_s is not None and self._due_s <= due_s:
                return True
            self._due_s = due_s
            if self._running:
                self._changed.notify()
                return True
            try:
                threading.Thread(target=self._serve, name=self._name, daemon=True).start()
            except (RuntimeError, MemoryError):
                self._due_s = None
                return False
            self._running = True
            return True

    def cancel(self) -> None:
        """Nothing is due any more; a call that has begun goes on."""
        if self._due_s is not None:
            with self._changed:
                self._due_s = None
                self._changed.notify()

    def _serve(self) -> None:
        while self._wait():
            self.run()

    def _wait(self) -> bool:
        """Return True when it is time, False when nothing is due and the thread ends."""
        with self._changed:
            while self._due_s is not None:
                rest_s = self._due_s - self._clock.monotonic()
                if rest_s <= 0:
                    self._due_s = None
                    return True
                self._changed.wait(min(rest_s, threading.TIMEOUT_MAX))
            self._running = False
            return False
