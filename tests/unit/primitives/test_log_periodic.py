"""A timer syncs what was noted, once, and also when nobody writes again."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from holdfast.errors import HandlePoisoned
from holdfast.primitives.log_periodic import PeriodicSync

NEVER_S = 3600.0


class Disk:
    """Counts syncs; fails when it is told to."""

    def __init__(self) -> None:
        self.syncs = 0
        self.error: Exception | None = None
        self.synced = threading.Event()

    def sync(self) -> None:
        """One more."""
        self.syncs += 1
        self.synced.set()
        if self.error is not None:
            raise self.error


@pytest.fixture
def disk() -> Disk:
    """What is synced."""
    return Disk()


def test_note_is_synced_although_nothing_else_happens(disk) -> None:
    """The thread does it, soon."""
    periodic = PeriodicSync(0.001, disk.sync, name="periodic")
    periodic.note()
    assert disk.synced.wait(30)


def test_note_after_a_sync_is_synced_in_its_turn(disk) -> None:
    """The timer is set again."""
    periodic = PeriodicSync(0.001, disk.sync, name="periodic")
    for _ in range(3):
        disk.synced.clear()
        periodic.note()
        assert disk.synced.wait(30)


def test_notes_share_a_sync(disk) -> None:
    """The first one sets the timer, the others add nothing."""
    periodic = PeriodicSync(NEVER_S, disk.sync, name="periodic")
    for _ in range(5):
        periodic.note()
    periodic.run_now()
    periodic.run_now()
    assert 1 == disk.syncs


def test_later_notes_do_not_put_it_off(disk) -> None:
    """The time counts from the first of them."""
    periodic = PeriodicSync(0.05, disk.sync, name="periodic")
    for _ in range(2000):
        periodic.note()
        if disk.synced.wait(0.001):
            return
    pytest.fail("it was put off by each note")


def test_what_is_settled_is_not_due(disk) -> None:
    """Whoever syncs otherwise spares the timer its sync."""
    periodic = PeriodicSync(NEVER_S, disk.sync, name="periodic")
    periodic.note()
    periodic.settle()
    periodic.run_now()
    assert 0 == disk.syncs


@pytest.mark.parametrize("error", [OSError(5, "bad"), HandlePoisoned("bad", path="l")])
def test_failed_sync_ends_no_timer(disk, error) -> None:
    """The error is for whoever syncs; the next note is due like any other."""
    periodic = PeriodicSync(NEVER_S, disk.sync, name="periodic")
    disk.error = error
    periodic.note()
    periodic.run_now()
    periodic.note()
    periodic.run_now()
    assert 2 == disk.syncs


def test_thread_begins_with_the_first_note(disk) -> None:
    """It is a daemon, and there is one."""
    periodic = PeriodicSync(NEVER_S, disk.sync, name="periodic-of-this-test")

    def threads() -> list[bool]:
        return [t.daemon for t in threading.enumerate() if t.name == "periodic-of-this-test"]

    assert [] == threads()
    periodic.note()
    periodic.settle()
    periodic.note()
    assert [True] == threads()
    periodic.settle()


FORK = """
import os
from holdfast.primitives.log_periodic import PeriodicSync
syncs = []
periodic = PeriodicSync(3600, lambda: syncs.append(1), name="periodic")
periodic.note()
if (child := os.fork()) == 0:
    periodic.forget()
    periodic.run_now()
    owed = len(syncs)
    periodic.note()
    periodic.run_now()
    os._exit(10 * owed + len(syncs))
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def printed(program: str) -> str:
    """What a program says, which has a python of its own."""
    command = [sys.executable, "-W", "ignore", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout + done.stderr


def test_forked_child_owes_nothing_and_goes_on() -> None:
    """What the parent noted is the parent's; what the child notes is due as ever."""
    assert printed(FORK) == "1\n"


def test_end_of_the_interpreter_syncs_what_is_due() -> None:
    """Daemon threads end before it."""
    program = (
        "from holdfast.primitives.log_periodic import PeriodicSync\n"
        "due = PeriodicSync(3600, lambda: print('due'), name='a'); due.note()\n"
        "other = PeriodicSync(3600, lambda: print('other'), name='b')\n"
    )
    assert printed(program) == "due\n"
