from __future__ import annotations

import os
import threading
import time

import pytest

from holdfast.primitives import lock_opening
from holdfast.primitives.lock_opening import FORK_WAITS_S, Opening

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")


def forked(do) -> int:
    """What `do` returns in a forked child, as its exit status."""
    pid = os.fork()
    if pid == 0:
        try:
            os._exit(do())
        finally:
            os._exit(99)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_fork_waits_for_an_opening_of_another_thread() -> None:
    """What was opened is listed when the child looks."""
    listed: list[str] = []
    inside = threading.Event()

    def open_it() -> None:
        with Opening():
            inside.set()
            time.sleep(0.1)  # the fork finds it in the middle
            listed.append("it")

    thread = threading.Thread(target=open_it)
    thread.start()
    inside.wait(10)
    seen = forked(lambda: len(listed))
    thread.join(10)

    assert 1 == seen


def test_openings_do_not_wait_for_each_other() -> None:
    """A server that does not answer holds up nobody else, and a fork for about a second."""
    inside, may_end = threading.Event(), threading.Event()

    def open_it() -> None:
        with Opening():
            inside.set()
            may_end.wait(60)

    thread = threading.Thread(target=open_it)
    thread.start()
    inside.wait(10)
    with Opening():
        pass
    started_s = time.monotonic()
    status = forked(lambda: 7)
    took_s = time.monotonic() - started_s
    may_end.set()
    thread.join(10)

    assert 7 == status
    assert FORK_WAITS_S <= took_s < FORK_WAITS_S + 10


def test_child_opens_and_forks_at_once() -> None:
    """Nothing of the parent's openings is left in the child."""

    def fork_again() -> int:
        started_s = time.monotonic()
        with Opening():
            pass
        status = forked(lambda: 7)
        return status if time.monotonic() - started_s < FORK_WAITS_S else 1

    inside, may_end = threading.Event(), threading.Event()

    def open_it() -> None:
        with Opening():
            inside.set()
            may_end.wait(60)

    thread = threading.Thread(target=open_it)
    thread.start()
    inside.wait(10)
    status = forked(fork_again)
    may_end.set()
    thread.join(10)

    assert 7 == status


def test_opening_that_was_cut_off_is_forgotten() -> None:
    """An exception at the entry of its end leaves nothing behind for a fork to wait for."""
    opening = Opening()
    opening.__enter__()
    del opening

    assert set() == lock_opening._under_way
