"""Sync within a time after the first unsynced write, also when nobody writes again.

Guarantee: a sync begins at most `period_s` after `note`, on a thread of its own. An error of it is
    kept by whoever syncs; this only stops.
"""

from __future__ import annotations

from weakref import WeakSet

from holdfast.primitives.timer import Timer
from holdfast.vfs import CLOCK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PeriodicSync"]

_LINGER_S = 5.0
_live: WeakSet[PeriodicSync] = WeakSet()


class PeriodicSync:
    """A timer that is set by the first write after a sync.

    Args:
        period_s: How long a write may wait.
        sync: What is called then; an `OSError` of it is its own affair.
        name: Of the thread.
    """

    def __init__(self, period_s: float, sync: Callable[[], object], *, name: str) -> None:
        self.period_s = period_s
        self._sync = sync
        self._timer = Timer(self._attempt, name=name, clock=CLOCK, linger_s=_LINGER_S)
        _register()
        _live.add(self)

    def forget(self) -> None:
        """Begin anew with nothing due; in a forked child."""
        self._timer.reset()

    @property
    def is_due(self) -> bool:
        """Whether something was written that no sync has covered."""
        return self._timer.is_due

    def note(self) -> None:
        """Something was written: if nothing was due, a sync is due in `period_s`.

        Raises:
            RuntimeError, MemoryError: the system gives no thread; nothing is due.
        """
        if not self._timer.is_due:
            self._timer.within(self.period_s)

    def settle(self) -> None:
        """Everything is synced, or given up: nothing is due."""
        self._timer.cancel()

    def run_now(self) -> None:
        """Sync at once if something is due; at the end of the interpreter."""
        if self._timer.cancel():
            self._attempt()

    def _attempt(self) -> None:
        from holdfast.errors import HoldfastError

        try:
            self._sync()
        except (OSError, HoldfastError):
            self._timer.cancel()  # whoever syncs keeps the first error and refuses the next write


def _sync_all() -> None:
    for periodic in list(_live):
        periodic.run_now()


_registered: list[bool] = []


def _register() -> None:
    """Have everything synced when the interpreter ends, whose daemon threads end before."""
    if not _registered:
        import atexit

        atexit.register(_sync_all)
        _registered.append(True)
