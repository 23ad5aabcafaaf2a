"""Transactions: all of a block or nothing, and nobody in between."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest

from holdfast.state.store import Store
from holdfast.state.transaction import Transaction
from holdfast.vfs.memory import MemoryVFS
from tests.support.interrupts import interrupted


@pytest.fixture
def store(tmp_path) -> Iterator[Store[Any]]:
    with Store(tmp_path / "a.jrn", sync="never") as made:
        yield made


@pytest.fixture
def other(tmp_path, store) -> Iterator[Store[Any]]:
    with Store(tmp_path / "a.jrn", sync="never") as made:
        yield made


def test_all_of_a_block_is_one_commit(store, other) -> None:
    """Seen by others when it has ended."""
    store.update(a=1, b=2)
    assert 1 == other["a"]
    with store.transaction() as tx:
        tx["a"] = tx["a"] + 1
        del tx["b"]
        tx["c"] = [1]
        assert {"a": 1, "b": 2} == dict(other.snapshot()) == dict(store)
    assert {"a": 2, "c": [1]} == store == other
    assert 2 == store.sequence


def test_a_block_reads_what_it_wrote(store) -> None:
    """Keys, values, by prefix, and as it would be stored."""
    store.update({"a/1": 1, "a/2": 2, "b": 3})
    with store.transaction() as tx:
        tx["a/0"] = (0,)
        del tx["a/1"]
        tx["b"] = 4
        assert {"a/0": [0], "a/2": 2, "b": 4} == dict(tx) == tx
        assert ["a/0", "a/2"] == list(tx.keys("a/"))
        assert [("a/0", [0]), ("a/2", 2)] == list(tx.items("a/"))
        assert [4] == list(tx.values("b"))
        assert (3, 3) == (len(tx), len(list(tx)))
        assert ("a/1" in tx, "a/0" in tx, "b" in tx) == (False, True, True)
        assert (None, 4) == (tx.get("a/1"), tx.get("b"))
        assert 4 == tx.pop("b")
        assert 5 == tx.setdefault("c", 5)
        assert 7 == tx.update("n", lambda n: n + 7, default=0)
        assert 8 == tx.update("n", lambda n: n + 1)
        assert ("a/0", [0]) == tx.popitem()
        tx.clear()
        tx.update({"x": 1}, y=2)
    assert {"x": 1, "y": 2} == store


def test_a_key_that_is_put_blindly_and_deleted_is_deleted(store) -> None:
    """Whether it was there or not."""
    store["a"] = 1
    with store.transaction() as tx:
        tx["a"] = 2
        del tx["a"]
    assert {} == store


def test_views_of_a_block_stand_still(store) -> None:
    """They show what was there when they were made."""
    store.update(a=1)
    with store.transaction() as tx:
        items = tx.items()
        tx["a"] = 2
        del tx["a"]
        tx["b"] = 1
        assert [("a", 1)] == list(items)


@pytest.mark.parametrize("reads", [True, False])
def test_an_exception_inside_writes_nothing(store, other, reads) -> None:
    """And gives back the lock."""
    store["a"] = 1
    with pytest.raises(ZeroDivisionError), store.transaction() as tx:
        if reads:
            assert 1 == tx["a"]
        tx["a"] = 2
        raise ZeroDivisionError
    assert {"a": 1} == store
    other["a"] = 3
    assert {"a": 3} == store


def test_what_cannot_be_written_is_refused_where_it_is_put(store) -> None:
    """The block may go on without it."""
    store["l"] = [1]
    with store.transaction() as tx:
        tx["a"] = 1
        for error, call in (
            (TypeError, lambda: tx.__setitem__("a", {1})),
            (TypeError, lambda: tx.__setitem__(5, 1)),
            (TypeError, lambda: tx[5]),
            (TypeError, lambda: 5 in tx),
            (ValueError, lambda: tx.__setitem__("\ud800", 1)),
            (TypeError, lambda: tx.update({"b": 1, "c": {1}})),
            (TypeError, lambda: tx.update("l", lambda old: old.append(1))),
            (KeyError, lambda: tx.update("none", int)),
            (KeyError, lambda: tx.pop("none")),
        ):
            with pytest.raises(error):
                call()
    assert {"a": 1, "l": [1]} == store


def test_a_block_that_changes_nothing_writes_nothing(store) -> None:
    """Nor does deleting what was never there."""
    with store.transaction():
        pass
    store["a"] = 1
    with store.transaction() as tx:
        assert 1 == tx["a"]
    with store.transaction() as tx:
        tx["b"] = 1
        assert "b" in tx
        assert "c" not in tx
        del tx["b"]
    assert 1 == store.sequence


def test_nobody_commits_between_read_and_end(store, other) -> None:
    """Threads that move what they have read lose nothing and make nothing."""
    store.update({str(n): 100 for n in range(4)})

    def move(handle: Store[int], number: int) -> None:
        for n in range(30):
            with handle.transaction() as tx:
                source, target = str((n + number) % 4), str((n * 7 + number) % 4)
                amount = tx[source] // 2
                tx[source] -= amount
                tx[target] += amount

    threads = [threading.Thread(target=move, args=((store, other)[n % 2], n)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert 400 == sum(store.values()) == sum(other.values())
    assert 121 >= store.sequence


def test_blind_block_takes_the_lock_at_its_end_alone(store, other) -> None:
    """Others write while it goes on; what it writes comes after that."""
    with store.transaction() as tx:
        tx["a"] = 1
        other["a"] = 2
        other["b"] = 2
        tx.update(c=3)
    assert {"a": 1, "b": 2, "c": 3} == other == store


@pytest.mark.parametrize("reads", [True, False])
def test_other_ways_to_write_are_refused_inside(store, reads) -> None:
    """They would wait for the block forever; reading the store is no harm."""
    store["a"] = 1
    with store.transaction() as tx:
        if reads:
            assert 1 == tx["a"]
        tx["a"] = 2
        for call in (
            lambda: store.update(a=3),
            lambda: store.pop("a"),
            lambda: store.update("a", int),
            lambda: store.setdefault("z", 1),
            lambda: store.transaction().__enter__(),
            lambda: store.import_lines([b'{"key":"a","value":1}']),
            store.clear,
            store.checkpoint,
            store.barrier,
            store.close,
        ):
            with pytest.raises(RuntimeError, match="use `tx`"):
                call()
        assert 1 == store["a"] == len(store)
    assert {"a": 2} == store
    store["a"] = 4


def test_other_threads_wait_for_the_end(store) -> None:
    """Their changes are applied to what the block left."""
    store["a"] = 1
    begun = threading.Event()

    def add() -> None:
        begun.set()
        store.update("a", lambda a: a * 10)

    thread = threading.Thread(target=add)
    with store.transaction() as tx:
        old = tx["a"]
        thread.start()
        assert begun.wait(10)
        tx["a"] = old + 1
    thread.join(60)
    assert 20 == store["a"]


def test_transaction_that_is_over_is_over(store) -> None:
    """It is neither read nor written."""
    with store.transaction() as tx:
        tx["a"] = 1
    for call in (lambda: tx["a"], lambda: tx.update(a=2), lambda: len(tx), tx.clear):
        with pytest.raises(RuntimeError, match="over"):
            call()
    assert {"a": 1} == store
    assert "over" in repr(tx)


def test_failed_commit_gives_back_the_lock(tmp_path) -> None:
    """Here it is too large."""
    large = bytes(31 << 20)
    with (
        Store(tmp_path / "b.jrn", codec="bytes") as store,
        Store(store.path, codec="bytes") as other,
    ):
        store["a"] = b"1"
        for reads in (True, False):
            with (
                pytest.raises(ValueError, match=r"b\.jrn: .* together.*Nothing was written"),
                store.transaction() as tx,
            ):
                if reads:
                    assert b"1" == tx["a"]
                tx.update(b=large, c=large)
        other["a"] = b"2"
        assert {"a": b"2"} == store


def test_tasks_come_one_after_another(store) -> None:
    """More of them than there are threads to wait on."""

    async def add(n: int) -> None:
        async with store.atransaction() as tx:
            old = tx.get("n", 0)
            await asyncio.sleep(0)
            tx["n"] = old + n

    async def main() -> None:
        await asyncio.wait_for(asyncio.gather(*map(add, range(50))), 60)

    asyncio.run(main())
    assert sum(range(50)) == store["n"]
    assert 50 == store.sequence


def test_a_task_writes_through_its_transaction_alone(store) -> None:
    """Another task may write, and waits; no thread of the loop is blocked."""

    async def main() -> None:
        async with store.atransaction() as tx:
            tx["a"] = 1
            for call in (
                store.aput("a", 2),
                store.aupdate("a", int, default=1),
                store.acheckpoint(),
                store.abarrier(),
                store.aclose(),
            ):
                with pytest.raises(RuntimeError, match="use `tx`"):
                    await call
            with pytest.raises(RuntimeError, match="use `tx`"):
                store["a"] = 2
            with pytest.raises(RuntimeError, match="use `tx`"):
                async with store.atransaction():
                    pass
            waiting = asyncio.create_task(store.aput("b", tx["a"] + 1))
            await asyncio.sleep(0.01)
            assert not waiting.done()
        await asyncio.wait_for(waiting, 60)
        with pytest.raises(ZeroDivisionError):
            async with store.atransaction() as tx:
                tx["a"] = 5
                raise ZeroDivisionError

    asyncio.run(main())
    assert {"a": 1, "b": 2} == store


def test_cancelled_task_gives_back_the_lock(store, other) -> None:
    """While it waits for the lock, and inside its block."""

    async def hold(inside: asyncio.Event) -> None:
        async with store.atransaction() as tx:
            tx["a"] = 1
            inside.set()
            await asyncio.sleep(60)

    async def main() -> None:
        with other.transaction() as held:
            assert held.get("a") is None
            inside = asyncio.Event()
            task = asyncio.create_task(hold(inside))
            await asyncio.sleep(0.01)
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        task = asyncio.create_task(hold(inside))
        await asyncio.wait_for(inside.wait(), 60)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    other["b"] = 1
    assert {"b": 1} == store


@pytest.mark.parametrize("wait", ["abarrier", "acheckpoint"])
def test_tasks_that_wait_for_the_lock_do_not_keep_it_held(store, wait) -> None:
    """As many as there are threads for waiting (I2)."""

    async def main() -> None:
        async with store.atransaction() as tx:
            tx["a"] = 1
            waiting = [asyncio.create_task(getattr(store, wait)()) for _ in range(20)]
            await asyncio.sleep(0.01)
        await asyncio.gather(*waiting)

    asyncio.run(asyncio.wait_for(main(), 60))
    assert {"a": 1} == store


def test_task_cancelled_at_the_end_of_its_block_gives_back_the_lock(store, other) -> None:
    """Also while somebody keeps the error; what it wrote is there or not (I2)."""
    kept: list[BaseException] = []

    async def add() -> None:
        async with store.atransaction() as tx:
            tx["n"] = tx.get("n", 0) + 1
            task = asyncio.current_task()
            assert task is not None
            asyncio.get_running_loop().call_soon(task.cancel)

    async def main() -> None:
        for number in range(30):
            try:
                await asyncio.create_task(add())
            except asyncio.CancelledError as error:
                kept.append(error)
            await store.aput("number", number)

    asyncio.run(asyncio.wait_for(main(), 60))
    other["b"] = 1
    assert {"n", "number", "b"} == set(store)
    assert 0 < len(kept) <= 30 >= store["n"]


@pytest.mark.parametrize("wait", ["barrier", "checkpoint", "close", "put", "clear", "transaction"])
@pytest.mark.parametrize("by_other", [False, True])
def test_thread_of_a_loop_does_not_wait_for_its_own_task(store, other, wait, by_other) -> None:
    """It would wait for ever: the task ends its block in that very thread."""
    handle = other if by_other else store
    store["a"] = other["b"] = 1

    async def hold(inside: asyncio.Event, go_on: asyncio.Event) -> None:
        async with store.atransaction() as tx:
            tx["a"] += 1
            inside.set()
            await go_on.wait()

    async def main() -> None:
        inside, go_on = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(hold(inside, go_on))
        await inside.wait()
        with pytest.raises(RuntimeError, match="another task"):
            if wait == "put":
                handle["a"] = 5
            elif wait == "transaction":
                handle.transaction().__enter__()
            else:
                getattr(handle, wait)()
        go_on.set()
        await task

    asyncio.run(asyncio.wait_for(main(), 60))
    assert {"a": 2, "b": 1} == store


async def add_one(store: Store[Any]) -> None:
    for _ in range(3):
        async with store.atransaction() as tx:
            old = tx.get("n", 0)
            await asyncio.sleep(0)
            tx["n"] = old + 1


async def add_many(store: Store[Any]) -> None:
    await asyncio.wait_for(asyncio.gather(*(add_one(store) for _ in range(20))), 60)


def test_tasks_of_two_loops_share_a_store(store) -> None:
    """Each loop in a thread of its own, more tasks in each than there are threads to wait on."""
    threads = [threading.Thread(target=asyncio.run, args=[add_many(store)]) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert 120 == store["n"] == store.sequence


def test_loop_after_loop_uses_a_store(store) -> None:
    """Also after one that was stopped in the middle of a block."""

    async def stopped() -> None:
        async with store.atransaction() as tx:
            tx["n"] = 1000
            raise KeyboardInterrupt

    asyncio.run(add_many(store))
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(stopped())
    asyncio.run(add_many(store))
    assert 120 == store["n"] == store.sequence


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("reads", [True, False])
def test_interrupt_anywhere_in_a_block_leaves_neither_lock_nor_mark(reads) -> None:
    """However long somebody keeps `tx`: it is over (I1)."""
    kept: list[Transaction[Any]] = []
    nth = 0
    for nth in range(1, 3000):
        disk = MemoryVFS()
        store, other = (Store[Any]("/a.jrn", vfs=disk) for _ in range(2))
        store["a"] = 1

        def block(store=store) -> None:
            with store.transaction() as tx:
                kept.append(tx)
                tx["a"] = tx["a"] + 1 if reads else 2

        is_over = not interrupted(block, nth=nth, places=("holdfast/state",))
        assert [] == disk.held_locks, f"event {nth}"
        store["b"] = other["c"] = nth
        with store.transaction() as tx:
            assert tx["a"] in (1, 2)
        assert dict(store) == dict(other)
        if is_over:
            break
    assert 20 < nth < 2999
    with pytest.raises(RuntimeError, match="over"):
        kept[0]["a"] = 3


def test_public_names_of_a_transaction_are_those_of_a_mapping(store) -> None:
    """Nobody can end it but its block."""
    with store.transaction() as tx:
        names = {name for name in dir(tx) if not name.startswith("_")}
    assert {name for name in dir(MutableMapping) if not name.startswith("_")} == names


def test_repr_says_how_much_is_pending(store) -> None:
    """Without taking the lock."""
    with store.transaction() as tx:
        assert isinstance(tx, Transaction)
        tx["a"] = 1
        assert "1 changes" in repr(tx)
