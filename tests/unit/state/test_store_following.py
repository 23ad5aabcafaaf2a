"""Following a store: every commit once, in order, with its keys."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from holdfast.errors import DecodeError, Truncated
from holdfast.state.store import Store
from holdfast.state.store_following import Commit


@pytest.fixture
def store(tmp_path) -> Iterator[Store[Any]]:
    with Store(tmp_path / "a.jrn") as made:
        yield made


def test_commits_come_with_their_keys(store) -> None:
    """From a sequence on, or from the call on."""
    store["a"] = 1
    later = store.follow(timeout_s=0.01)
    with store.transaction() as tx:
        tx["b"] = [2]
        tx["a"] = None
    del store["a"]
    commits: list[Commit[Any]] = [Commit(2, {"b": [2], "a": None}, ()), Commit(3, {}, ("a",))]

    assert commits == list(later)
    assert [Commit(1, {"a": 1}, ()), *commits] == list(store.follow(1, timeout_s=0.01))


def test_missing_store_is_followed_from_its_first_commit(tmp_path, store) -> None:
    """It is made later, by another handle."""
    following = store.follow(timeout_s=60)
    with Store(tmp_path / "a.jrn") as other:
        other["a"] = 1
    assert Commit(1, {"a": 1}, ()) == next(following)
    following.close()  # type: ignore[attr-defined]


def test_commits_that_wait_for_no_sync_are_shown_at_once(tmp_path, store) -> None:
    """To whoever follows."""
    with Store(tmp_path / "a.jrn", sync="never") as relaxed:
        relaxed["a"] = 1
        for handle in (store, relaxed):
            assert [Commit(1, {"a": 1}, ())] == list(handle.follow(1, timeout_s=0.01))


def test_closing_ends_a_wait(store) -> None:
    """Also without a time-out."""
    store["a"] = 1
    seen: list[Commit[Any]] = []
    thread = threading.Thread(target=lambda: seen.extend(store.follow(1)))
    thread.start()
    store.close()
    thread.join(60)
    assert not thread.is_alive()


def test_what_a_checkpoint_dropped_is_truncated(tmp_path) -> None:
    """A snapshot says where to go on."""
    with Store(tmp_path / "a.jrn", sync="never", checkpoint_bytes=None) as store:
        for n in range(6):
            store["a"] = "x" * (1 << 20) + str(n)
        store.checkpoint()
        with pytest.raises(Truncated):
            list(store.follow(1, timeout_s=0.01))
        snapshot = store.snapshot()
        store["b"] = 1
        assert [Commit(7, {"b": 1}, ())] == list(
            store.follow(snapshot.sequence + 1, timeout_s=0.01)
        )


def test_value_that_does_not_fit_is_told(tmp_path, store) -> None:
    """With its key."""
    store["a"] = "text"
    with Store(tmp_path / "a.jrn", int) as counts, pytest.raises(DecodeError, match="'a'"):
        list(counts.follow(1, timeout_s=0.01))
    with pytest.raises(ValueError, match="from 1"):
        store.follow(0)


def test_tasks_follow_too(store) -> None:
    """While the loop goes on."""

    async def main() -> list[Commit[Any]]:
        seen: list[Commit[Any]] = []

        async def watch() -> None:
            async for commit in store.afollow(1, timeout_s=60):
                seen.append(commit)
                if commit.sequence == 3:
                    return

        watching = asyncio.create_task(watch())
        for n in range(3):
            await store.aput("a", n)
        await asyncio.wait_for(watching, 60)
        return seen

    assert [Commit(n + 1, {"a": n}, ()) for n in range(3)] == asyncio.run(main())


def test_tasks_follow_what_comes_next(store) -> None:
    """Without a start."""
    store["a"] = 1

    async def main() -> list[Commit[Any]]:
        return [commit async for commit in store.afollow(timeout_s=0.01)]

    assert [] == asyncio.run(main())
