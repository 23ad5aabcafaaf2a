"""Checks in this very process: the quickest way, for checks that can be trusted.

What a check leaves in the process (caches, open files) is there in the next state, and one that
crashes takes the process along. A check that hangs is interrupted if this is the main thread of a
system with alarms, and if it runs Python code or waits in a call that an alarm ends.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import TYPE_CHECKING

from holdfast.crash.explorer.cases import Outcome, TimeIsUp, call

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import FrameType

    from holdfast.crash.explorer.cases import Case, Check, Outcomes
    from holdfast.crash.explorer.place import Place

__all__ = ["Alarm", "run_here"]


def run_here(check: Check, place: Place, cases: Iterable[Case], *, timeout_s: float) -> Outcomes:
    """Check one case after another in this process."""
    here = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    alarm = Alarm(timeout_s)
    try:
        for case in cases:
            place.put(case.paths)
            outcome = _timed(check, place.folder, case, alarm=alarm)
            os.fchdir(here)
            yield case, outcome
    finally:
        alarm.close()
        os.close(here)


def _timed(check: Check, folder: str, case: Case, *, alarm: Alarm) -> Outcome:
    try:
        alarm.start()
        outcome = call(lambda: check(folder, [*case.acked]), folder=folder)
        alarm.stop()
    except TimeIsUp:
        return Outcome("hung", f"the check did not end within {alarm.timeout_s:g} s")
    return outcome


class Alarm:
    """Raises `TimeIsUp` in the main thread; elsewhere it does nothing.

    An alarm of somebody else is put off meanwhile, and set again for what was left of it.
    """

    def __init__(self, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self._armed = False
        self._started_s = time.monotonic()
        self._works = (
            hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
        )
        if self._works:
            self._others = signal.setitimer(signal.ITIMER_REAL, 0)
            self._handler = signal.signal(signal.SIGALRM, self._ring)

    def _ring(self, _number: int, _frame: FrameType | None) -> None:
        if self._armed:
            self._armed = False
            raise TimeIsUp

    def start(self) -> None:
        """Begin to count."""
        if self._works:
            self._armed = True
            signal.setitimer(signal.ITIMER_REAL, self.timeout_s)

    def stop(self) -> None:
        """It was in time."""
        self._armed = False
        if self._works:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def close(self) -> None:
        """Give the alarm back."""
        self.stop()
        if not self._works:
            return
        signal.signal(signal.SIGALRM, self._handler)
        left_s, interval_s = self._others
        if left_s:
            left_s -= time.monotonic() - self._started_s
            signal.setitimer(signal.ITIMER_REAL, max(left_s, 1e-3), interval_s)
