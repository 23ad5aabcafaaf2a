"""When the oldest byte is due, and the thread that waits for it."""

from __future__ import annotations

import threading
from threading import Event

from holdfast.primitives.stream_timer import SyncTimer
from holdfast.vfs import CLOCK, ManualClock

PATIENCE_S = 10.0


def test_age_is_that_of_the_first_note() -> None:
    """A later one does not make it younger."""
    clock = ManualClock()
    timer = SyncTimer(5, clock=clock)
    assert timer.age_s is None
    timer.note()
    clock.advance(2)
    timer.note()

    assert 2 == timer.age_s


def test_what_is_noted_while_covered_is_timed_from_then() -> None:
    """The sync that has begun does not cover it (I1)."""
    clock = ManualClock()
    timer = SyncTimer(5, clock=clock)
    timer.note()
    clock.advance(2)
    timer.cover()
    clock.advance(1)
    timer.note()
    assert 3 == timer.age_s
    timer.end_cover(done=True)

    assert 0 == timer.age_s


def test_sync_that_came_to_nothing_leaves_the_age() -> None:
    """Its bytes are the oldest again."""
    clock = ManualClock()
    timer = SyncTimer(5, clock=clock)
    timer.note()
    clock.advance(2)
    timer.cover()
    timer.end_cover(done=False)

    assert 2 == timer.age_s


def test_task_is_done_when_something_is_due_and_not_before() -> None:
    """Nothing noted, nothing done; noted, it is done once."""
    timer, done = SyncTimer(0.01, clock=CLOCK), Event()
    count = 0

    def task() -> bool:
        nonlocal count
        count += 1
        timer.cover()
        timer.end_cover(done=True)
        done.set()
        return True

    timer.start(task)
    assert not done.wait(0.05)
    timer.note()
    assert done.wait(PATIENCE_S)
    timer.stop()
    timer.join()

    assert 1 == count
    assert not timer.runs


def test_task_that_failed_is_done_again_after_a_while() -> None:
    """It is not given up."""
    timer, done = SyncTimer(0.01, clock=CLOCK), Event()
    results = [False, False, True]

    def task() -> bool:
        timer.cover()
        result = results.pop(0)
        timer.end_cover(done=result)
        if result:
            done.set()
        return result

    timer.start(task)
    timer.note()
    assert done.wait(PATIENCE_S)
    timer.stop()
    timer.join()

    assert [] == results


def test_nothing_is_done_after_it_was_given_up() -> None:
    """After a failed sync there is no other."""
    timer, done = SyncTimer(0.001, clock=CLOCK), Event()
    timer.give_up()
    timer.start(lambda: bool(done.set()))
    timer.note()
    assert not done.wait(0.05)
    timer.stop()
    timer.join()


def test_thread_ends_at_stop() -> None:
    """Whatever it waits for (I2)."""
    timer = SyncTimer(3600, clock=CLOCK)
    timer.start(lambda: True)
    timer.note()
    timer.stop()
    timer.join()

    assert [] == [thread for thread in threading.enumerate() if thread.name == "holdfast-stream"]
