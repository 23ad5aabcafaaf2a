"""The process between recorder and program: nothing that the program starts outlives it.

It is the parent of the program and (as subreaper) of every orphan below it, so it never signals a
number that is not its own child. It reports how the program ended, ends itself when the last
descendant is gone, and kills them all when it is told to or when the recorder is gone.
"""

from __future__ import annotations

import os
import select
import signal
from typing import TYPE_CHECKING, Final, NoReturn

from holdfast.crash.recorders.kernel import become_subreaper

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["run_warden"]

_KILL_EVERY_MS: Final = 10


def run_warden(program: Callable[[], NoReturn], *, orders: int, report: int) -> NoReturn:
    """Start the program and watch over it; runs in a process of its own, and never returns.

    Args:
        program: what the child does.
        orders: at its end of file, everything is killed.
        report: gets `status N` when the program ended; its end of file: all is over.
    """
    status = 70
    try:
        os.setsid()
        become_subreaper()
        woken = _wake_at_child_signals()
        child = os.fork()
        if child == 0:
            program()
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # nobody may be left to read the report
        _watch(child, (orders, woken), report)
        status = 0
    finally:
        os._exit(status)


def _wake_at_child_signals() -> int:
    """Return a descriptor that is readable after a child ended."""
    reading, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, _ignore)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    return reading


def _ignore(number: int, frame: object) -> None:
    """Only the wake-up counts."""
    del number, frame


def _watch(child: int, waking: tuple[int, int], report: int) -> None:
    orders, woken = waking
    killing = False
    poll = select.poll()
    poll.register(orders, select.POLLIN)
    poll.register(woken, select.POLLIN)
    while _reap(child, report):
        if killing:
            _kill_children()
        for descriptor, _ in poll.poll(_KILL_EVERY_MS if killing else None):
            if descriptor == woken:
                os.read(woken, 4096)
            else:
                killing = True
                poll.unregister(orders)


def _reap(child: int, report: int) -> bool:
    """Bury who is dead; False when nobody is left."""
    try:
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if ended[0] == child:
                _tell(report, os.waitstatus_to_exitcode(ended[1]))
    except ChildProcessError:
        return False
    return True


def _tell(report: int, status: int) -> None:
    """Report the status; the killing goes on if the recorder is gone and cannot be told."""
    try:
        os.write(report, b"%d\n" % status)
    except OSError:
        return


def _kill_children() -> None:
    """SIGKILL to each child; they cannot be anybody else's while they are not reaped."""
    own = str(os.getpid())
    for entry in os.listdir("/proc"):
        if entry.isdecimal() and _parent_of(entry) == own:
            try:
                os.kill(int(entry), signal.SIGKILL)
            except OSError:
                continue


def _parent_of(process: str) -> str | None:
    try:
        with open(f"/proc/{process}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[1].decode()
    except (OSError, IndexError):
        return None
