"""Since when bytes wait for a sync, and the thread that syncs when the oldest has waited enough.

I1  What was written after `cover` began is not covered by it, and is timed from then on: the writer
    counts its bytes, then calls `note`; `cover` resets the time, then reads the count.
I2  The thread knows its task and no more, so that what nobody holds is collected. It ends at
    `stop`.
I3  A wait is ended by `note`, by `stop` and when something is due; nothing polls.
I4  An interrupt (`KeyboardInterrupt`) in any of the calls leaves no lock held, and no thread that
    nobody knows of: one that is not the timer's own ends.
"""

from __future__ import annotations

from threading import Condition, RLock, Thread, current_thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.vfs import Clock

__all__ = ["SyncTimer"]


class SyncTimer:
    """The time of the oldest unsynced byte, with a thread."""

    def __init__(self, every_s: float, *, clock: Clock) -> None:
        self._every_s = every_s
        self._clock = clock
        self._not_before_s = 0.0
        self.is_over = False
        self.renew()

    def renew(self) -> None:
        """In a forked child: nothing waits, and no thread runs."""
        # It can be taken again by its thread: the collector may come in the midst of anything.
        self._lock = RLock()  # taken by itself: the `with` of a condition is no single step (I4)
        self._change = Condition(self._lock)
        self._thread: Thread | None = None
        self._oldest_s: float | None = None  # of what no sync covers that has begun
        self._covered_s: float | None = None  # of what the sync under way covers
        self._is_idle = False  # what is due cannot be helped by the thread

    @property
    def runs(self) -> bool:
        """Whether there is a thread."""
        return self._thread is not None

    def start(self, task: Callable[[], bool]) -> None:
        """Start the thread, which calls `task` when something is due.

        Args:
            task: syncs. True: it has; False: it could not, and is called again after a while.
        """
        thread = Thread(target=self._run, args=(task,), name="holdfast-stream", daemon=True)
        self._thread = thread
        try:
            thread.start()
        except BaseException:  # it may run all the same, and then ends (I4)
            self._thread = None
            raise

    def stop(self) -> None:
        """Let the thread end, when it has done what it does."""
        with self._lock:
            self.is_over = True
            self._change.notify_all()

    def join(self) -> None:
        """Wait for the end of the thread."""
        thread, self._thread = self._thread, None
        if thread is not None and thread is not current_thread():
            thread.join()

    def note(self) -> None:
        """Something was written just now (I1)."""
        if self._oldest_s is None:
            with self._lock:
                self._oldest_s = self._clock.monotonic()
                self._change.notify_all()

    def cover(self) -> None:
        """A sync begins; the count of what it covers is read after this (I1)."""
        with self._lock:
            self._covered_s, self._oldest_s = self._oldest_s, None

    def end_cover(self, *, done: bool) -> None:
        """The sync is over; if it came to nothing, its bytes are the oldest again."""
        with self._lock:
            if not done:
                self._oldest_s = self._covered_s
                self._change.notify_all()
            self._covered_s = None

    def give_up(self) -> None:
        """Nothing will ever be synced again; the times stand."""
        self._is_idle = True

    @property
    def age_s(self) -> float | None:
        """For how long the oldest has been waiting; None if nothing is."""
        since_s = self._oldest_s if self._covered_s is None else self._covered_s
        return None if since_s is None else max(0.0, self._clock.monotonic() - since_s)

    def _run(self, task: Callable[[], bool]) -> None:
        while True:
            with self._lock:
                while self._is_wanted and (wait_s := self._wait_s()) != 0:
                    self._change.wait(wait_s)
                if not self._is_wanted:
                    return
            if not task():
                self._not_before_s = self._clock.monotonic() + self._every_s

    @property
    def _is_wanted(self) -> bool:
        """Whether this thread is to go on (I4)."""
        return not self.is_over and self._thread is current_thread()

    def _wait_s(self) -> float | None:
        """How long there is nothing to do; None: until something is written (I3)."""
        if self._oldest_s is None or self._is_idle:
            return None
        due_s = max(self._oldest_s + self._every_s, self._not_before_s)
        return max(0.0, due_s - self._clock.monotonic())
