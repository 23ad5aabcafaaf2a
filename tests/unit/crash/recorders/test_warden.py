"""The process that lets nobody outlive the recording."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import NoReturn

import pytest

from holdfast.crash.recorders.warden import run_warden


def started(program):
    """Start a program under a warden; return its process and the two pipes to it."""
    orders_read, orders = os.pipe()
    report, report_write = os.pipe()
    warden = os.fork()
    if warden == 0:
        os.close(orders)
        os.close(report)
        run_warden(program, orders=orders_read, report=report_write)
    os.close(orders_read)
    os.close(report_write)
    return warden, orders, report


def finished(warden: int, orders: int, report: int) -> bytes:
    """Wait for the end and return what was reported."""
    said = b""
    while piece := os.read(report, 100):
        said += piece
    os.close(report)
    if orders >= 0:
        os.close(orders)
    assert 0 == os.waitpid(warden, 0)[1]
    return said


@pytest.mark.parametrize(("status", "said"), [(3, b"3\n"), (0, b"0\n")])
def test_status_is_reported(status, said):
    """The report ends when all is over."""
    assert said == finished(*started(lambda: os._exit(status)))


def test_orphans_are_waited_for(tmp_path):
    """The program may be gone before what it started."""
    left = tmp_path / "left"

    def program():
        if os.fork() == 0:
            time.sleep(0.2)
            left.touch()
        os._exit(0)

    finished(*started(program))
    assert left.exists()


def test_everything_is_killed_when_told_so(tmp_path):
    """Children of children, in sessions of their own too."""
    ready = tmp_path / "ready"
    warden, orders, report = started(lambda: sleep_with_a_child(ready))
    wait_for(ready)
    os.close(orders)
    assert b"-9\n" == finished(warden, -1, report)
    assert not Path(f"/proc/{ready.read_text()}").exists()


def sleep_with_a_child(ready: Path) -> NoReturn:
    """Have a child in a session of its own."""
    if os.fork() == 0:
        os.setsid()
        ready.write_text(str(os.getpid()))
    while True:
        time.sleep(60)


def wait_for(ready: Path) -> None:
    """Until something stands in the file."""
    deadline = time.monotonic() + 10
    while not (ready.exists() and ready.read_text()) and time.monotonic() < deadline:
        time.sleep(0.01)


def test_everything_is_killed_when_nobody_reads_the_report(tmp_path):
    """A recorder that was killed has let go of both pipes, whatever it does about SIGPIPE."""
    ready = tmp_path / "ready"
    kept = signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    warden, orders, report = started(lambda: sleep_with_a_child(ready))
    signal.signal(signal.SIGPIPE, kept)
    wait_for(ready)
    os.close(report)
    os.close(orders)

    assert 0 == os.waitpid(warden, 0)[1]
    assert not Path(f"/proc/{ready.read_text()}").exists()
