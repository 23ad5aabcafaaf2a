"""A journal that one thread, or task, holds for a while: nobody else commits, in any process."""

from __future__ import annotations

from holdfast.primitives.log_errors import closed
from holdfast.state.machine_reading import MachineReading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import TypeVar

    from holdfast.primitives.log_open import OpenLog
else:
    from holdfast.light_typing import TypeVar

__all__ = ["MachineHolding"]

S = TypeVar("S")


class MachineHolding(MachineReading[S]):
    """A journal that is open, and may be held; `Machine` adds the committing."""

    def holding(self, owner: int) -> Generator[OpenLog]:
        """Yield the log once; the thread `owner` holds the append lock, and sees the newest state.

        That ends when the generator is closed, or collected.

        Raises:
            Exception: as `commit`.
        """
        lock = self.appender.holding()
        mark = self.marks.enter(owner, self)
        try:
            log = next(lock)
            with self.lock:
                self.come_up_to(log)
            self._holder = owner
            yield log
        finally:
            try:
                self.end_hold(owner)
                lock.close()
            finally:
                lock.close()
                del mark  # a traceback keeps the frame

    def end_hold(self, owner: int) -> None:
        """The thread `owner` holds the lock no more, if it did; others may."""
        if self._holder == owner:
            self._holder = 0

    def state_held(self, log: OpenLog) -> S:
        """Return the state; for who holds the append lock. After a failed commit it is read anew.

        Raises:
            RuntimeError: the lock was taken by the parent of this process.
            Exception: as `read`.
        """
        with self.lock:
            self._refuse_stranger(log)
            if not self.replica.is_loaded:
                self.come_up_to(log)
            return self.replica.state

    def is_log(self, log: OpenLog) -> bool:
        """Whether this is the log that is open; not in a child that was forked since."""
        return log is self._log

    def _refuse_stranger(self, log: OpenLog) -> None:
        if self._closed:
            raise closed(self.path)
        if not self.is_log(log):
            raise RuntimeError(
                f"{self.path}: this block was begun in another process, which holds the lock. "
                "Nothing was written. Begin one here."
            )
