"""What is done with a store as a whole: checkpoints, barriers, closing, for threads and tasks."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from typing import Any

import pytest

from holdfast.errors import Closed
from holdfast.state.store import Store
from holdfast.state.store_upkeep import StoreUpkeep
from holdfast.vfs.memory import MemoryVFS


def test_checkpoint_says_what_it_holds(tmp_path) -> None:
    """What comes later is in the log."""
    with Store(tmp_path / "a.jrn") as store:
        store.update(a=1)
        assert 1 == store.checkpoint()
        store["b"] = 2
        assert 2 == store.barrier() == store.sequence
        assert store.recovered is None
        assert str(tmp_path / "a.jrn") == store.path
    with Store(tmp_path / "a.jrn") as store:
        assert {"a": 1, "b": 2} == dict(store)


def test_every_wait_has_a_twin_for_tasks(tmp_path) -> None:
    """They do the same."""

    async def main() -> None:
        async with Store(tmp_path / "a.jrn", sync="never") as store:
            await store.aput("a", 1)
            assert 1 == await store.abarrier() == await store.acheckpoint()
            assert {"a": 1} == await store.asnapshot()
        with pytest.raises(Closed):
            await store.aget("a")
        await store.aclose()

    asyncio.run(main())


def test_store_tells_its_path_and_whether_it_is_closed(tmp_path) -> None:
    """Without opening anything."""
    store: StoreUpkeep[Any] = Store(tmp_path / "a.jrn")
    assert f"<holdfast.Store {str(tmp_path / 'a.jrn')!r}>" == repr(store)
    store.close()
    assert repr(store).endswith("closed>")


def test_store_that_is_gone_has_no_commits(tmp_path) -> None:
    """So that who follows from there misses none of the next one in its place."""
    with Store[Any](tmp_path / "a.jrn") as store:
        for number in range(5):
            store["a"] = number
        assert (5, 5) == (store.sequence, store.snapshot().sequence)
        shutil.rmtree(store.path)
        wait_for(lambda: len(store) == 0)
        assert (0, 0) == (store.sequence, store.snapshot().sequence)
        store["b"] = 1
        assert (1, 1) == (store.sequence, store.snapshot().sequence)


def wait_for(is_so: Callable[[], bool]) -> None:
    """Look until it is so; which folder a path names is looked at once a millisecond."""
    for _ in range(100_000):
        if is_so():
            return
    raise AssertionError("it never was")


def test_durable_is_behind_the_sequence_until_a_barrier() -> None:
    """Of a store that asks for no syncs."""
    store = Store("/s", sync="never", vfs=MemoryVFS())
    store["a"] = 1
    assert (1, 0) == (store.sequence, store.durable)
    assert 1 == store.barrier()
    assert (1, 1) == (store.sequence, store.durable)
