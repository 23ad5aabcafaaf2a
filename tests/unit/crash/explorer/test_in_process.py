"""Checks in this process: interrupted when they hang, and nothing of the process is lost."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from holdfast.crash.explorer import CheckFails, explore
from holdfast.crash.explorer.in_process import Alarm
from tests.support import recordings


def here(check, **options):
    return explore(recordings.replace(), check, isolation="process", **options)


def test_check_that_hangs_in_one_state_is_a_finding() -> None:
    """It is interrupted, and the next states are checked."""

    def check(folder, acked) -> None:
        if os.path.exists(f"{folder}/state.part"):
            threading.Event().wait(30)

    (finding,) = (report := here(check, check_timeout_s=0.05, model="prefix")).findings

    assert "hung" == finding.kind
    assert "did not end within 0.05 s" in finding.said
    assert 3 <= report.tried - report.bad


def test_check_that_hangs_without_a_crash_is_an_error() -> None:
    """The first thing that is checked is what the program left."""
    with pytest.raises(CheckFails, match="did not end within") as it:
        here(lambda *_: threading.Event().wait(30), check_timeout_s=0.05)
    assert "hung" == it.value.kind


def test_current_folder_is_given_back() -> None:
    """A check may change it."""
    before = os.getcwd()
    here(lambda folder, acked: os.chdir(folder))

    assert before == os.getcwd()


def test_alarm_of_somebody_else_is_given_back() -> None:
    """Handler and time that was left."""
    rung = []
    old = signal.signal(signal.SIGALRM, lambda *_: rung.append(1))
    before = signal.setitimer(signal.ITIMER_REAL, 60)
    try:
        alarm = Alarm(1)
        alarm.start()
        alarm.stop()
        alarm.close()
        left_s, _ = signal.getitimer(signal.ITIMER_REAL)
        signal.raise_signal(signal.SIGALRM)
    finally:
        signal.setitimer(signal.ITIMER_REAL, *before)
        signal.signal(signal.SIGALRM, old)

    assert 50 < left_s <= 60
    assert [1] == rung


def test_other_threads_are_checked_without_an_alarm() -> None:
    """It explores there as well."""
    reports = []
    thread = threading.Thread(target=lambda: reports.append(here(recordings.check_state)))
    thread.start()
    thread.join(60)

    assert 0 == reports[0].exit_code
