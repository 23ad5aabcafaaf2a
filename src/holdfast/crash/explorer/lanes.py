"""Checks in processes of their own: one fork for each state, several at a time.

A process serves one state and no other, so nothing that a check leaves behind (caches, threads,
open files, a changed environment) reaches the next one, and one that crashes or hangs takes nothing
along. Each lane has a folder of its own; what a check started is killed with it, but for what left
its session. When this process is killed, so (on Linux) is each check, but not what it started.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import sys
import time
import warnings
from typing import TYPE_CHECKING, NoReturn, Protocol

from holdfast.crash.explorer.cases import Outcome
from holdfast.crash.parent import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from holdfast.crash.explorer.cases import Case, Outcomes
    from holdfast.crash.explorer.place import Place

__all__ = ["Child", "Lane", "run_in_lanes"]

_SAID_BYTES = 64 << 10
_ORPHAN_S = 10  # what an alarm waits longer, for a check whose explorer was killed
_LOOK_MS = 5  # where no descriptor tells that a process has ended


class Child(Protocol):
    """What the process of one check does."""

    def become(self, place: Place, case: Case, *, out: int) -> NoReturn:
        """In the new process: check, write to `out`, end."""
        ...

    def outcome(self, status: int, said: bytes, *, folder: str) -> Outcome:
        """In the old one: read how it ended. `status` is an exit code, or minus a signal."""
        ...


class Lane:
    """A folder, and the process that looks at it."""

    def __init__(self, place: Place, child: Child, *, timeout_s: float) -> None:
        self.place = place
        self.case: Case | None = None
        self.deadline_s = 0.0
        self._child = child
        self._timeout_s = timeout_s
        self._pid = 0
        self._pidfd = -1
        self._out = -1
        self._said = bytearray()

    @property
    def descriptors(self) -> list[int]:
        """What to wait for."""
        return [number for number in (self._pidfd, self._out) if number >= 0]

    def start(self, case: Case) -> None:
        """Make the state, and a process that checks it."""
        self.place.put(case.paths)
        self._said.clear()
        self._out, theirs = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        explorer = os.getpid()
        with warnings.catch_warnings():  # it warns of threads: documented, for every fork
            warnings.simplefilter("ignore", DeprecationWarning)
            self._pid = os.fork()
        if self._pid == 0:
            self._live(case, theirs, explorer)
        os.close(theirs)
        os.set_blocking(self._out, False)
        self._pidfd = os.pidfd_open(self._pid) if hasattr(os, "pidfd_open") else -1
        self.case = case
        self.deadline_s = time.monotonic() + self._timeout_s

    def _live(self, case: Case, out: int, explorer: int) -> NoReturn:
        try:
            if sys.platform == "linux":
                die_with_parent(explorer)
            os.setsid()
            nothing = os.open(os.devnull, os.O_RDONLY)
            os.dup2(nothing, 0)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
                signal.signal(number, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_REAL, 2 * self._timeout_s + _ORPHAN_S)
            self._child.become(self.place, case, out=out)
        except BaseException:
            import traceback

            os.write(2, traceback.format_exc().encode("utf-8", "replace"))
        finally:
            os._exit(125)

    def look(self) -> Outcome | None:
        """Return the outcome if the process has ended, or is out of time."""
        self._read()
        ended = os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is not None:
            status = self._reap()
            self._read()
            self._let_go()
            return self._child.outcome(status, bytes(self._said), folder=self.place.folder)
        if time.monotonic() < self.deadline_s:
            return None
        self.stop()
        return Outcome("hung", f"the check did not end within {self._timeout_s:g} s")

    def stop(self) -> None:
        """Kill the process, if there is one."""
        if self._pid:
            self._reap()
            self._let_go()

    def _reap(self) -> int:
        """Kill what the check has started and itself; its number is not free before the wait."""
        for kill in (os.killpg, os.kill):
            try:
                kill(self._pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass  # not yet a group of its own, or all have ended
        try:
            _, status = os.waitpid(self._pid, 0)
        except ChildProcessError:  # a signal's exception came between an earlier wait and its end
            status = signal.SIGKILL
        self._pid = 0
        return os.waitstatus_to_exitcode(status)

    def _read(self) -> None:
        while self._out >= 0:
            try:
                piece = os.read(self._out, _SAID_BYTES)
            except BlockingIOError:
                return
            if not piece:
                os.close(self._out)
                self._out = -1
            elif len(self._said) < _SAID_BYTES:
                self._said += piece

    def _let_go(self) -> None:
        for number in self.descriptors:
            os.close(number)
        self._pidfd = self._out = -1
        self.case = None


def run_in_lanes(lanes: Sequence[Lane], cases: Iterable[Case], *, ahead: int = 64) -> Outcomes:
    """Check the cases, as many at a time as there are lanes; they come in the order given.

    While one is slow, no more than `ahead` of those behind it are begun: they wait in memory.
    """
    frozen = gc.get_freeze_count()
    gc.freeze()  # what a fork need not copy, as its collector does not look at it: twice as fast
    try:
        yield from _in_order(_Race(lanes, iter(cases), max(ahead, len(lanes))))
    finally:
        for lane in lanes:
            lane.stop()
        if not frozen:
            gc.unfreeze()


def _in_order(race: _Race) -> Outcomes:
    while race.goes_on:
        race.start()
        race.wait()
        while race.first in race.ended:
            yield race.ended.pop(race.first)
            race.first += 1


class _Race:
    """Who runs, and who has ended before it was his turn."""

    def __init__(self, lanes: Sequence[Lane], coming: Iterator[Case], ahead: int) -> None:
        self.first = 0
        self.ended: dict[int, tuple[Case, Outcome]] = {}
        self._idle = list(lanes)
        self._busy: dict[int, Lane] = {}
        self._coming = coming
        self._ahead = ahead
        self._begun = 0
        self._more = True

    @property
    def goes_on(self) -> bool:
        """Whether anything may still come."""
        return self._more or bool(self._busy)

    def start(self) -> None:
        """Give each idle lane a case."""
        while self._idle and self._more and self._begun - self.first < self._ahead:
            case = next(self._coming, None)
            if case is None:
                self._more = False
                return
            self._idle[-1].start(case)
            self._busy[self._begun] = self._idle.pop()
            self._begun += 1

    def wait(self) -> None:
        """Wait for one to end, and take over what has ended."""
        if self._busy:
            _wait([*self._busy.values()])
        for number, lane in [*self._busy.items()]:
            case = lane.case
            if case is not None and (outcome := lane.look()) is not None:
                self.ended[number] = case, outcome
                self._idle.append(self._busy.pop(number))


def _wait(busy: Sequence[Lane]) -> None:
    poll = select.poll()
    for lane in busy:
        for number in lane.descriptors:
            poll.register(number, select.POLLIN)
    patience_s = min(lane.deadline_s for lane in busy) - time.monotonic()
    patience_ms = max(int(patience_s * 1000), 0) + 1
    poll.poll(patience_ms if hasattr(os, "pidfd_open") else min(patience_ms, _LOOK_MS))
