"""Signals undo before the point of no return, and wait after it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from tests.support.command_line import environment

SCRIPT = """
import os, signal, sys
from holdfast.cli import signals
signals.install()
try:
    if {finishing}:
        signals.finish()
    os.kill(os.getpid(), {signum})
    print("went on")
except signals.Interrupted as stop:
    print("undone", int(stop.signum))
"""


def outcome(signum: int, *, finishing: bool) -> str:
    script = SCRIPT.format(signum=int(signum), finishing=finishing)
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment(),
        capture_output=True,
        check=True,
        timeout=30,
    )
    return done.stdout.decode().strip()


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_i1_signal_undoes_before_the_point_of_no_return(signum) -> None:
    """Before `finish` a signal raises, and carries its number."""
    assert f"undone {int(signum)}" == outcome(signum, finishing=False)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_i3_signal_waits_after_the_point_of_no_return(signum) -> None:
    """After `finish` a signal changes nothing."""
    assert "went on" == outcome(signum, finishing=True)


def test_ignored_signals_stay_ignored() -> None:
    """What was ignored at the start (nohup) is not handled."""
    script = SCRIPT.format(signum=int(signal.SIGHUP), finishing=False)
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment(),
        capture_output=True,
        check=True,
        timeout=30,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )

    assert b"went on\n" == done.stdout


def test_function_call_touches_no_handler(cli, state) -> None:
    """`main([...])` leaves the handlers of the program that calls it alone."""
    before = [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE)]

    cli("set", state, "n=2")
    cli("edit", state, "--", "cat")

    assert before == [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE)]
    assert os.path.exists(state)


HELD = """
import os, signal
from holdfast.cli import signals
signals.install()
try:
    with signals.Held():
        os.kill(os.getpid(), {signum})
        print("done")
    print("went on")
except signals.Interrupted as stop:
    print("stopped", int(stop.signum))
"""


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_i2_signal_waits_for_the_end_of_a_held_block(signum) -> None:
    """What is done there is done to its end; then the signal strikes."""
    done = subprocess.run(
        [sys.executable, "-c", HELD.format(signum=int(signum))],
        env=environment(),
        capture_output=True,
        check=True,
        timeout=30,
    )

    assert ["done", "stopped", str(int(signum))] == done.stdout.decode().split()
