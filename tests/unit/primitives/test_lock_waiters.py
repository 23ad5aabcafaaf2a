from __future__ import annotations

import asyncio

from holdfast.primitives.lock_waiters import TaskWaiter, ThreadWaiter, signal


def test_thread_waiter_may_be_woken_twice() -> None:
    """A second wake before the thread has seen the first is no error and no second wake."""
    waiter = ThreadWaiter(shared=False, timed=True)

    assert waiter.wake()
    assert waiter.wake()
    assert waiter.signal.acquire(timeout=0)
    assert not waiter.signal.acquire(timeout=0)


def test_only_an_untimed_thread_waits_alone() -> None:
    """A wait in the kernel cannot be called off, so a timed one is left to the gate's thread."""
    assert ThreadWaiter(shared=False, timed=False).waits_alone
    assert not ThreadWaiter(shared=False, timed=True).waits_alone


def test_task_of_a_closed_loop_cannot_be_woken() -> None:
    """The gate learns that a grant to a dead event loop must go to the next."""
    loop = asyncio.new_event_loop()
    waiter = TaskWaiter(loop, shared=False)

    assert waiter.wake()

    loop.close()

    assert not waiter.wake()
    assert not waiter.waits_alone


def test_finished_task_waiter_may_be_finished_again() -> None:
    """A grant that arrives as the time is over resolves the future once."""
    loop = asyncio.new_event_loop()
    waiter = TaskWaiter(loop, shared=True)
    waiter.finish()
    waiter.finish()

    assert waiter.future.done()

    loop.close()


def test_signal_of_a_free_lock_is_no_error() -> None:
    """A signal that was given already is not given again."""
    waiter = ThreadWaiter(shared=False, timed=False)
    signal(waiter.signal)
    signal(waiter.signal)

    assert not waiter.signal.locked()
