"""Who holds a log open to append to it: its lock, its files, and whether it may be used at all.

I1  The append lock is the kernel's lock of the file `lock`; an interrupt never leaves it behind.
I2  The folder is asked, at most a millisecond after the last time, whether it names that file.
I3  A forked child shares no open file with its parent.
"""

from __future__ import annotations

from threading import Lock

from holdfast.primitives.log_errors import closed, poisoned
from holdfast.primitives.log_hint import DURABLE, EPOCH, POISON, are_ours
from holdfast.primitives.log_open import OpenLog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import TypeVar

    from holdfast.errors import Closed, HandlePoisoned
    from holdfast.primitives.log_recovery import Settings
    from holdfast.primitives.log_tip import Tip

    _T = TypeVar("_T")

__all__ = ["LogHolding"]


class LogHolding:
    """A log as one process has it open, for all its threads. Opened by the first use.

    Args:
        settings: of the log.
        before_opening: is called before files are opened, and those of a log that was replaced are
            closed; what it raises, the use of the log raises.
    """

    def __init__(
        self, settings: Settings, *, before_opening: Callable[[], None] | None = None
    ) -> None:
        self.settings = settings
        self._before_opening = before_opening
        self._first_error: BaseException | None = None
        self._closed = False
        self._forget()

    def _forget(self) -> None:
        self._mutex = Lock()
        self._sync_mutex = Lock()
        self._log: OpenLog | None = None
        self._tip: Tip | None = None
        self._epoch: int | None = None

    # ------------------------------------------------------------ the append lock

    def locked(self, act: Callable[[OpenLog], _T]) -> _T:
        """Do something under the append lock (I1).

        Raises:
            HandlePoisoned: a sync failed, here or elsewhere; nothing was done.
            OSError: the log cannot be opened; nothing was done.
            Closed: after `close`.
        """
        with self._mutex:
            while True:
                log = self._opened()
                try:
                    if log.take():
                        return act(log)
                finally:
                    if log is self._log:  # else this is a forked child, and the lock its parent's
                        try:
                            log.lock.unlock()
                        except BaseException:  # interrupted at its entry
                            log.lock.unlock()
                            raise

    def holding(self, *, block: bool = True) -> Generator[OpenLog]:
        """Yield the log once; the append lock is held until the generator is closed.

        With `block` off, not at all where another process has the lock.

        Raises:
            Exception: as `locked`.
        """
        with self._mutex:
            while True:
                log = self._opened()
                try:
                    if log.take(block=block):
                        yield log
                        return
                    if not block:
                        return
                finally:
                    if log is self._log:  # else this is a forked child, and the lock its parent's
                        try:
                            log.lock.unlock()
                        except BaseException:  # interrupted at its entry
                            log.lock.unlock()
                            raise

    @property
    def is_open(self) -> bool:
        """Whether this process has the log open for appending."""
        return self._log is not None

    def is_current(self) -> bool:
        """Whether the log is open, and its path names it still; looked at once a millisecond.

        Raises:
            Corruption: somebody cut the lock file.
        """
        log = self._log
        try:
            return log is not None and (log.is_trusted or log.is_current())
        except OSError:
            if log is self._log:
                raise
            return False  # another thread has closed it

    def _opened(self) -> OpenLog:
        """Return the log, open, with the lock file that the folder names now."""
        log = self._log
        if log is not None and log.is_trusted:
            return log
        if log is not None and log.is_current():
            if self._tip is not None and not self._tip.segment.file.stat().st_nlink:
                self._tip = None  # somebody has put another file there
            return log
        if self._closed or self._first_error is not None:
            raise self._refused()
        if self._before_opening is not None:
            self._before_opening()
        with self._sync_mutex:
            self._close_files()
            self._epoch = None
        self._log = OpenLog(self.settings)
        return self._log

    def forget_files(self) -> None:
        """Close every file without a word to the disk; in a forked child."""
        self._close_files()
        self._forget()

    def _close_files(self) -> None:
        log, tip = self._log, self._tip
        self._log = self._tip = None
        if log is not None:
            log.close()
        if tip is not None:
            tip.segment.close()

    # ------------------------------------------------------------ refusing

    def _note(self, log: OpenLog, error: OSError) -> None:
        if log.words[POISON]:
            self._first_error = error

    def refuse_poisoned(self, log: OpenLog) -> None:
        """Raise if a sync has failed, in any process, since this handle opened the log.

        Raises:
            HandlePoisoned: it has.
        """
        words = log.words
        if self._first_error is None:
            is_well = not words[POISON] and words[EPOCH] == self._epoch
            if is_well or not are_ours(words, log.boot):
                return
        raise self._refused()

    def _refused(self) -> HandlePoisoned | Closed:
        if self._closed:
            return closed(self.settings.path)
        durable = self._log.words[DURABLE] if self._log is not None else None
        return poisoned(self.settings.path, self._first_error, durable)
