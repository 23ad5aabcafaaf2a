"""Calls a function in time, also when nobody does anything any more: on a thread, while one is due.

The thread is a daemon, made when something becomes due; when nothing is, it ends after a while.

I1  An interrupt (`KeyboardInterrupt`) in any of the calls leaves no lock held, and no thread that
    nobody knows of: one that is not the timer's own any more ends.
"""

from __future__ import annotations

from threading import TIMEOUT_MAX, Condition, Lock, Thread, current_thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.vfs import Clock

__all__ = ["Timer"]


class Timer:
    """Calls `run` once for each time that something became due, at the earliest of those moments.

    Args:
        run: Must not raise.
        name: Of the thread.
        clock: The time.
        linger_s: For how long the thread stays when nothing is due.
    """

    __slots__ = ("_changed", "_clock", "_due_s", "_linger_s", "_lock", "_name", "_run", "_thread")

    def __init__(
        self, run: Callable[[], object], *, name: str, clock: Clock, linger_s: float = 0.0
    ) -> None:
        self._run = run
        self._name = name
        self._clock = clock
        self._linger_s = linger_s
        self.reset()

    def reset(self) -> None:
        """Begin anew, with nothing due and no thread: for a forked child."""
        self._lock = Lock()  # taken by itself: the `with` of a condition is no single step (I1)
        self._changed = Condition(self._lock)
        self._due_s: float | None = None
        self._thread: Thread | None = None

    @property
    def is_due(self) -> bool:
        """Whether `run` will be called."""
        return self._due_s is not None

    def within(self, seconds: float) -> None:
        """See to it that `run` is called in so many seconds, or earlier.

        Raises:
            RuntimeError, MemoryError: no thread can be had, as while the interpreter shuts down;
                what was not due before is not due now.
        """
        due_s = self._clock.monotonic() + seconds
        with self._lock:
            if self._due_s is not None and self._due_s <= due_s:
                return
            if self._thread is None:
                self._start()
            self._due_s = due_s
            self._changed.notify_all()

    def _start(self) -> None:
        thread = Thread(target=self._serve, name=self._name, daemon=True)
        self._thread = thread
        try:
            thread.start()
        except BaseException:  # it may run all the same, and then ends (I1)
            self._thread = None
            raise

    def cancel(self) -> bool:
        """Nothing is due any more; a call that has begun goes on. Return whether something was."""
        if not self.is_due:
            return False
        with self._lock:
            was_due, self._due_s = self.is_due, None
            if not self._linger_s:
                self._changed.notify_all()
        return was_due

    def _serve(self) -> None:
        while self._wait():
            self._run()

    def _wait(self) -> bool:
        """Return True when it is time, False when the thread ends."""
        idle_since_s = self._clock.monotonic()
        with self._lock:
            while self._thread is current_thread():
                now_s = self._clock.monotonic()
                until_s = idle_since_s + self._linger_s if self._due_s is None else self._due_s
                if now_s < until_s:
                    self._changed.wait(min(until_s - now_s, TIMEOUT_MAX))
                elif self._due_s is None:
                    self._thread = None
                else:
                    self._due_s = None
                    return True
        return False
