"""Updates by tasks: none is lost, each gets its own outcome, the functions run in the loop."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextvars import ContextVar
from typing import Any

import pytest

from holdfast.primitives import asyncio_bridge
from holdfast.state.store import Store
from holdfast.state.store_async_updates import _TRIES


@pytest.fixture
def store(tmp_path) -> Iterator[Store[Any]]:
    with Store(tmp_path / "a.jrn", sync="never") as made:
        yield made


@pytest.fixture
def other(tmp_path, store) -> Iterator[Store[Any]]:
    with Store(tmp_path / "a.jrn", sync="never") as made:
        yield made


def run(main: Callable[[], Awaitable[Any]]) -> Any:
    async def bounded() -> Any:
        return await asyncio.wait_for(main(), 60)

    return asyncio.run(bounded())


def test_no_update_is_lost_and_many_share_a_commit(store) -> None:
    """Each gets the value that its own function made."""

    async def main() -> list[int]:
        adds = [store.aupdate("n", lambda n: n + 1, default=0) for _ in range(200)]
        return await asyncio.gather(*adds)

    assert list(range(1, 201)) == sorted(run(main))
    assert 200 == store["n"]
    assert store.sequence < 20


def test_keys_do_not_wait_for_each_other(store) -> None:
    """And nothing is left behind when all is done."""

    async def main() -> None:
        adds = [store.aupdate(str(n % 7), lambda n: n + 1, default=0) for n in range(70)]
        await asyncio.gather(*adds)

    run(main)
    assert {str(n): 10 for n in range(7)} == dict(store)
    assert {} == store._updates._waiting
    assert set() == store._updates._tasks


def test_threads_and_tasks_together_lose_nothing(store, other) -> None:
    """A thread updates the same key by another handle."""

    def add() -> None:
        for _ in range(300):
            other.update("n", lambda n: n + 1, default=0)

    async def main() -> None:
        thread = threading.Thread(target=add)
        thread.start()
        for _ in range(30):
            adds = [store.aupdate("n", lambda n: n + 1, default=0) for _ in range(10)]
            await asyncio.gather(*adds)
        await asyncio.to_thread(thread.join, 60)

    run(main)
    assert 600 == store["n"]


@pytest.mark.parametrize("times", [1, _TRIES - 1, _TRIES])
def test_function_is_called_again_where_others_were_faster(store, other, times) -> None:
    """At last the lock is held, and nobody is (I2)."""
    store["n"] = 0
    seen: list[tuple[int, int, bool]] = []

    def add(n: int) -> int:
        seen.append((n, threading.get_ident(), store._machine._holder != 0))
        if len(seen) <= times:
            other.update("n", lambda n: n + 100)
        return n + 1

    async def main() -> int:
        return await store.aupdate("n", add)

    assert times * 100 + 1 == run(main) == store["n"]
    own = threading.get_ident()
    assert [(n * 100, own, n == _TRIES) for n in range(times + 1)] == seen


@pytest.mark.parametrize("times", [0, _TRIES])
def test_each_failure_is_that_of_its_own_update(store, other, times) -> None:
    """The others are applied to what is there without it."""
    store["n"] = 1
    calls: list[int] = []

    def first(n: int) -> int:
        calls.append(n)
        if len(calls) <= times:
            other.update("n", lambda n: n)
        return n * 10

    def stop(_: int) -> int:
        raise StopIteration

    async def main() -> list[Any]:
        return await asyncio.gather(
            store.aupdate("n", first),
            store.aupdate("n", lambda _: 1 // 0),
            store.aupdate("n", lambda _: {1}),
            store.aupdate("n", lambda n: n + 1),
            store.aupdate("n", stop),
            return_exceptions=True,
        )

    results = run(main)
    assert [10, ZeroDivisionError, TypeError, 11, RuntimeError] == [
        result if isinstance(result, int) else type(result) for result in results
    ]
    assert 11 == store["n"]


def test_updates_that_all_fail_write_nothing(store, tmp_path) -> None:
    """Not even the store."""

    async def main() -> list[Any]:
        return await asyncio.gather(
            store.aupdate("n", int), store.aupdate("n", int), return_exceptions=True
        )

    assert [KeyError, KeyError] == [*map(type, run(main))]
    assert not (tmp_path / "a.jrn").exists()


def test_failed_commit_is_told_to_each(tmp_path) -> None:
    """With an exception of its own, and nothing is written."""
    large = bytes(61 << 20)

    async def main() -> list[Any]:
        async with Store(tmp_path / "b.jrn", codec="bytes") as store:
            await store.aput("n", b"1")
            results = await asyncio.gather(
                store.aupdate("n", lambda _: large),
                store.aupdate("n", lambda data: data),
                return_exceptions=True,
            )
            assert b"1" == await store.aget("n")
            return list(results)

    first, second = run(main)
    assert [ValueError, ValueError] == [type(first), type(second)]
    assert first is not second


def test_cancelled_update_never_began_or_is_over(store, other) -> None:
    """One waits for a lock that another has; the other has not begun (I3)."""
    store["n"] = 0

    held, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with other.transaction() as tx:
            assert 0 == tx["n"]
            held.set()
            assert go_on.wait(60)

    async def main() -> list[Any]:
        thread = threading.Thread(target=hold)
        thread.start()
        assert await asyncio.to_thread(held.wait, 60)
        tasks = [asyncio.create_task(store.aupdate("n", lambda n: n + 1)) for _ in range(3)]
        await asyncio.sleep(0.01)
        tasks.append(asyncio.create_task(store.aupdate("n", lambda n: n + 100)))
        await asyncio.sleep(0)
        tasks[0].cancel()
        tasks[3].cancel()
        await asyncio.sleep(0)
        go_on.set()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        thread.join(60)
        return results

    cancelled, second, third, never = run(main)
    assert [asyncio.CancelledError] * 2 == [type(cancelled), type(never)]
    assert (2, 3, 3) == (second, third, store["n"])


def test_update_cancelled_with_its_loop_gives_back_the_lock(store, other) -> None:
    """Just when it would commit what the function made, and every thread is busy."""
    store["n"] = 0
    calls: list[int] = []
    release = threading.Event()

    def add(n: int) -> int:
        calls.append(n)
        if len(calls) <= _TRIES:
            other.update("n", lambda n: n + 100)
            return n
        for _ in range(20):
            asyncio_bridge._our_threads().submit(lambda: release.wait(20))
        for task in store._updates._tasks:
            task.cancel()
        return n + 1

    async def main() -> None:
        with pytest.raises(asyncio.CancelledError):
            await store.aupdate("n", add)
        release.set()
        await other.aput("b", 1)

    run(main)
    assert {"n": 100 * _TRIES + 1, "b": 1} == store


def test_thread_of_the_loop_does_not_wait_for_an_update_that_holds_the_lock(store, other) -> None:
    """It would wait for ever; this time the function itself writes."""
    store["n"] = 0
    calls: list[int] = []

    def add(n: int) -> int:
        calls.append(n)
        if len(calls) <= _TRIES:
            other.update("n", lambda n: n + 100)
            return n
        for handle in (store, other):
            with pytest.raises(RuntimeError, match="transaction"):
                handle["b"] = 1
        return n + 1

    assert 100 * _TRIES + 1 == run(lambda: store.aupdate("n", add))
    assert {"n": 100 * _TRIES + 1} == store
    store["b"] = 1


def of_child(store: Store[Any]) -> tuple[int, int]:
    """How many keys and tasks a forked child knows of."""
    pid = os.fork()
    if pid == 0:
        updates: Any = store._updates
        os._exit(len(updates._waiting) * 16 + len(updates._tasks))
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return divmod(code, 16)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_forked_child_forgets_updates_of_its_parent(store) -> None:
    """The threads that they wait for are not there."""

    async def main() -> None:
        task = asyncio.create_task(store.aupdate("n", lambda n: n + 1, default=0))
        await asyncio.sleep(0)
        assert store._updates._waiting
        assert (0, 0) == of_child(store)
        assert 1 == await task

    run(main)


VARIABLE: ContextVar[str] = ContextVar("variable", default="none")


def test_functions_run_in_the_context_of_their_tasks(store) -> None:
    """Not in that of the task that serves them."""

    async def add(word: str) -> None:
        VARIABLE.set(word)
        await store.aupdate("words", lambda words: [*words, VARIABLE.get()], default=[])

    async def main() -> None:
        await asyncio.gather(*map(add, "abc"))

    run(main)
    assert ["a", "b", "c"] == sorted(store["words"])
