"""What is due is done in time, on a thread that is there only meanwhile."""

from __future__ import annotations

import threading

from holdfast.primitives.line_log_timer import Timer
from holdfast.vfs import CLOCK

PATIENCE_S = 20.0


def timer(run) -> Timer:
    return Timer(run, name="holdfast-test", clock=CLOCK)


def test_it_is_called_when_it_is_due(no_thread_left) -> None:
    """At the earliest of the moments that were asked for, and once."""
    done = threading.Event()
    calls = []

    def run() -> None:
        calls.append(CLOCK.monotonic())
        done.set()

    made = timer(run)
    began_s = CLOCK.monotonic()
    assert made.within(PATIENCE_S)
    assert made.within(0.02)
    assert made.within(10.0)
    assert done.wait(PATIENCE_S)

    assert 1 == len(calls)
    assert 0.02 <= calls[0] - began_s < 10


def test_nothing_is_called_when_it_was_cancelled(no_thread_left) -> None:
    """The thread ends at once, not when it would have been due."""
    made = timer(lambda: calls.append(1))
    calls: list[int] = []
    made.within(PATIENCE_S)
    made.cancel()
    made.cancel()

    assert [] == calls


def test_it_can_be_due_again(no_thread_left) -> None:
    """Also from the call itself."""
    done = threading.Event()
    calls = []

    def run() -> None:
        calls.append(1)
        if len(calls) < 3:
            made.within(0.001)
        else:
            done.set()

    made = timer(run)
    made.within(0.001)

    assert done.wait(PATIENCE_S)
    assert 3 == len(calls)


def test_where_no_thread_can_be_had_it_says_so(monkeypatch) -> None:
    """Then nothing is due, and the caller does it."""

    def refuse(self) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    made = timer(lambda: None)

    assert not made.within(1.0)
    assert not made.within(1.0)
