"""Steps until a moment, and what is read off them."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from benchmarks.stepping import in_tasks, in_threads, sample_of, walk
from benchmarks.workloads.store_checkpoint import waits


def test_walk_ends_with_the_moment_and_notes_each_step():
    """What was begun before it is counted; a past moment has none."""
    seen: list[int] = []
    found = walk(lambda: seen.append(1), time.monotonic_ns() + 20_000_000)

    assert len(seen) == len(found)
    assert 0 < len(found)
    assert 0 == len(walk(lambda: seen.append(1), 0))


def test_sample_puts_walks_together():
    """Ten steps of 1 ms and one of 3 ms in 11 ms; one walked ten times as far as the other."""
    found = sample_of([[1_000_000] * 10, [3_000_000]], 11_000_000)

    assert (1000.0, 3.0, 10.0) == (found["time"], found["worst wait"], found["unfairness"])
    assert found["p99"] == pytest.approx(2.8)


def test_one_that_never_came_to_its_turn_makes_the_worst_unfairness():
    """It counts as one step, not as nobody."""
    assert 5.0 == sample_of([[1] * 5, []], 10)["unfairness"]


def test_every_thread_takes_its_own_step():
    """Two steps, two threads."""
    seen: set[int] = set()
    found = in_threads([lambda: seen.add(threading.get_ident())] * 2, 0.02)

    assert 2 == len(seen)
    assert found["time"] > 0


def test_thread_that_fails_fails_the_sample(capsys, monkeypatch):
    """A contender that raises must not look like a fast one."""
    monkeypatch.setattr(threading, "excepthook", lambda _: None)

    def step() -> None:
        raise ValueError

    with pytest.raises(RuntimeError, match="1 of 1 threads failed"):
        in_threads([step], 0.01)


def test_every_task_takes_its_own_step():
    """Three tasks, each with its index."""
    seen: set[int] = set()

    async def step(index: int) -> None:
        seen.add(index)
        await asyncio.sleep(0)

    found = in_tasks(step, 3, 0.01)

    assert {0, 1, 2} == seen
    assert found["time"] > 0


def test_waits_takes_one_step_at_least():
    """A checkpoint that is over at once still has a figure."""
    seen: list[int] = []
    found = waits(lambda: seen.append(1), lambda: True)

    assert [1] == seen
    assert found.worst == found.p99 > 0
