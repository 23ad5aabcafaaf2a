"""What is due is done in time, on a thread that is there only meanwhile."""

from __future__ import annotations

import threading

import pytest

from holdfast.primitives.timer import Timer
from holdfast.vfs import CLOCK
from tests.support.interrupts import interrupted

PATIENCE_S = 20.0


def timer(run, *, linger_s: float = 0.0) -> Timer:
    return Timer(run, name="holdfast-test", clock=CLOCK, linger_s=linger_s)


def threads() -> list[bool]:
    return [each.daemon for each in threading.enumerate() if each.name == "holdfast-test"]


def test_it_is_called_when_it_is_due(no_thread_left) -> None:
    """At the earliest of the moments that were asked for, and once."""
    done = threading.Event()
    calls = []

    def run() -> None:
        calls.append(CLOCK.monotonic())
        done.set()

    made = timer(run)
    began_s = CLOCK.monotonic()
    made.within(PATIENCE_S)
    made.within(0.02)
    made.within(10.0)
    assert made.is_due
    assert done.wait(PATIENCE_S)

    assert 1 == len(calls)
    assert 0.02 <= calls[0] - began_s < 10


def test_nothing_is_called_when_it_was_cancelled(no_thread_left) -> None:
    """The thread ends at once, not when it would have been due."""
    calls: list[int] = []
    made = timer(lambda: calls.append(1))
    made.within(PATIENCE_S)

    assert made.cancel()
    assert not made.cancel()
    assert not made.is_due
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


def test_thread_that_lingers_serves_again(no_thread_left) -> None:
    """One thread, a daemon, for what follows soon; then it ends."""
    done = threading.Event()
    made = timer(done.set, linger_s=0.5)
    made.within(0.001)
    assert done.wait(PATIENCE_S)
    (first,) = (each for each in threading.enumerate() if each.name == "holdfast-test")
    done.clear()
    made.within(0.001)
    assert done.wait(PATIENCE_S)
    (second,) = (each for each in threading.enumerate() if each.name == "holdfast-test")

    assert first is second
    assert [True] == threads()


def test_where_no_thread_can_be_had_it_says_so(monkeypatch) -> None:
    """Then nothing is due, and the caller does it."""

    def refuse(self) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    made = timer(lambda: None)

    for _ in range(2):
        with pytest.raises(RuntimeError, match="can't start"):
            made.within(1.0)
        assert not made.is_due


@pytest.mark.parametrize(
    ("starts", "places"), [(True, ("primitives/timer.py",)), (False, ("timer.py", "threading.py"))]
)
def test_interrupt_anywhere_leaves_no_lock_and_no_thread(starts, places, no_thread_left) -> None:
    """I1: the next one is called in time, whatever an interrupt has struck into."""
    for nth in range(1, 1000):
        done = threading.Event()
        made = timer(done.set)
        if not starts:
            made.within(PATIENCE_S * 2)

        def both(made: Timer = made) -> None:
            made.within(PATIENCE_S)
            made.cancel()

        is_over = not interrupted(both, nth=nth, places=places)
        made.within(0.0)
        assert done.wait(PATIENCE_S)
        if is_over:
            assert nth > 5
            return
    raise AssertionError("it never came to its end")
