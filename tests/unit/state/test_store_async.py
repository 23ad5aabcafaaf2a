"""A store for tasks: the same answers, and the loop goes on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from holdfast.state.store import Store


@pytest.fixture
def store(tmp_path) -> Iterator[Store[Any]]:
    with Store(tmp_path / "a.jrn") as made:
        yield made


def test_tasks_read_and_write(store, tmp_path) -> None:
    """What others wrote too."""

    async def main() -> None:
        assert (None, 5) == (await store.aget("a"), await store.aget("a", 5))
        with pytest.raises(KeyError):
            await store.adelete("a")
        assert not (tmp_path / "a.jrn").exists()
        await store.aput("a", [1])
        (await store.aget("a")).append(2)
        with Store(tmp_path / "a.jrn") as other:
            assert [1] == other["a"]
            other.update({"b/1": 1, "b/2": 2})
        assert 1 == await store.aget("b/1")
        assert [("b/1", 1), ("b/2", 2)] == list(await store.aitems("b/"))
        await store.adelete("a")
        assert "a" not in store

    asyncio.run(main())


def test_tasks_that_write_at_once_share_commits(store) -> None:
    """Each of them is in the store when it returns."""

    async def put(n: int) -> None:
        await store.aput(str(n), n)
        assert n == await store.aget(str(n))

    async def main() -> None:
        await asyncio.gather(*map(put, range(200)))

    asyncio.run(main())
    assert {str(n): n for n in range(200)} == dict(store)


def test_one_task_of_several_deletes(store) -> None:
    """The others are told that it is gone."""
    store["a"] = 1

    async def main() -> list[Any]:
        return await asyncio.gather(*(store.adelete("a") for _ in range(5)), return_exceptions=True)

    results = asyncio.run(main())
    assert 1 == results.count(None)
    assert 4 == sum(isinstance(result, KeyError) for result in results)


def test_what_is_wrong_is_refused_before_anything_is_queued(store) -> None:
    """As without asyncio."""

    async def main() -> None:
        for call in (
            store.aput("a", {1}),
            store.aput(5, 1),  # type: ignore[arg-type]
            store.aget(5),  # type: ignore[arg-type]
            store.adelete(5),  # type: ignore[arg-type]
            store.aupdate(5, int),  # type: ignore[arg-type]
        ):
            with pytest.raises(TypeError):
                await call

    asyncio.run(main())
    assert {} == store


class Noting:
    """A codec that notes which threads ask."""

    name = "noting"

    def __init__(self) -> None:
        self.threads: set[int] = set()

    def encode(self, value: str) -> bytes:
        self.threads.add(threading.get_ident())
        return value.encode()

    def decode(self, data: bytes) -> str:
        self.threads.add(threading.get_ident())
        return data.decode()


def test_own_codec_runs_in_the_thread_of_the_loop_alone(tmp_path) -> None:
    """Whichever call it is."""
    codec = Noting()

    async def main() -> None:
        async with Store(tmp_path / "a.jrn", codec=codec) as store:
            await asyncio.gather(*(store.aput(str(n), "x") for n in range(50)))
            await asyncio.gather(*(store.aupdate("1", lambda text: text + "y") for _ in range(50)))
            assert "x" + "y" * 50 == await store.aget("1")
            async with store.atransaction() as tx:
                tx["1"] += "z"
            assert 50 == len(dict(await store.aitems()))

    asyncio.run(main())
    assert {threading.get_ident()} == codec.threads


def test_block_reads_while_more_tasks_wait_for_its_end_than_there_are_threads(store) -> None:
    """The threads on which it reads are not those on which they wait."""

    async def main() -> None:
        async with store.atransaction() as tx:
            tx["a"] = 1
            waits = [store.abarrier, store.acheckpoint] * 20
            waiting = [asyncio.create_task(wait()) for wait in waits]
            await asyncio.sleep(0)
            assert [] == list(await store.aitems())
            assert {} == dict(await store.asnapshot())
        told = await asyncio.gather(*waiting)
        assert [1] * 20 == told[::2]  # a checkpoint that had begun may hold nothing yet

    asyncio.run(asyncio.wait_for(main(), 20))
