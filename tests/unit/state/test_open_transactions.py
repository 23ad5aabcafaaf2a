"""Who has a transaction open is refused other ways to write; nobody else, and not for longer."""

from __future__ import annotations

import asyncio
import os
import threading

import pytest

from holdfast.state.open_transactions import OpenTransactions

KEY = (0, "x.jrn/log")


def opened(key: tuple[int, str] = KEY) -> OpenTransactions:
    return OpenTransactions("x.jrn", key)


def is_refused(open_: OpenTransactions) -> bool:
    try:
        open_.refuse_thread()
    except RuntimeError:
        return True
    return False


def test_mark_counts_as_long_as_somebody_holds_it() -> None:
    """Whether or not anybody says that it is over (I1)."""
    open_ = opened()
    first, second = open_.enter(), open_.enter()
    assert is_refused(open_)
    del first
    assert is_refused(open_)
    del second
    assert not is_refused(open_)
    assert {} == open_._marks.of_thread


def test_mark_is_that_of_its_thread() -> None:
    """Others go on."""
    open_ = opened()
    mark = open_.enter()
    seen: list[bool] = []
    thread = threading.Thread(target=lambda: seen.append(is_refused(open_)))
    thread.start()
    thread.join(20)
    assert [False] == seen
    assert mark.task == 0


@pytest.mark.parametrize("held_by_task", [True, False])
def test_lock_that_a_task_holds_is_known_to_every_object_on_the_log(held_by_task) -> None:
    """One that a thread holds is found by the lock itself, and may not be held yet (I2)."""
    open_, other, elsewhere = opened(), opened(), opened((1, "x.jrn/log"))
    mark = open_.enter(held_by_task=held_by_task)
    assert (True, held_by_task, False) == (*map(is_refused, (open_, other, elsewhere)),)
    assert mark.held_by_task is held_by_task


def test_other_tasks_may_wait_for_the_end_but_not_their_thread() -> None:
    """The one whose transaction it is may do neither, with another message."""
    open_, other = opened(), opened()

    async def wait() -> None:
        open_.refuse_task()
        other.refuse_task()
        for one in (open_, other):
            with pytest.raises(RuntimeError, match="another task of this thread"):
                one.refuse_thread()

    async def main() -> None:
        mark = open_.enter(held_by_task=True)
        await asyncio.create_task(wait())
        for one in (open_, other):
            for refuse in (one.refuse_thread, one.refuse_task):
                with pytest.raises(RuntimeError, match="use `tx`"):
                    refuse()
        del mark
        open_.refuse_task()

    asyncio.run(main())


def test_each_loop_has_a_gate_as_long_as_it_lives() -> None:
    """Two loops at a time, and those that are closed are forgotten."""
    open_ = opened()

    async def gates() -> list[asyncio.Lock]:
        return [open_.gate(), open_.gate()]

    with asyncio.Runner() as one, asyncio.Runner() as two:
        first, second, again = one.run(gates()), two.run(gates()), one.run(gates())
        assert first[0] is first[1] is again[0] is again[1]
        assert second[0] is second[1] is not first[0]
        assert 2 == len(open_._gates)
    asyncio.run(gates())
    assert 1 == len(open_._gates)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_forked_child_has_none_of_its_parent_open() -> None:
    """A thread of the child may get the number of one that has."""
    open_ = opened()
    mark = open_.enter()
    pid = os.fork()
    if pid == 0:
        try:
            os._exit(is_refused(open_))
        finally:
            os._exit(2)
    assert 0 == os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert is_refused(open_)
    assert mark.of == id(open_)
