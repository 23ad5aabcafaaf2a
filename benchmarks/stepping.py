"""Steps taken again and again until a moment, by one, by threads and by tasks; what each took."""

from __future__ import annotations

import asyncio
import threading
import time
from array import array
from itertools import chain
from typing import TYPE_CHECKING

from benchmarks.runner import quantile

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    Step = Callable[[], object]

__all__ = ["in_tasks", "in_threads", "sample_of", "walk"]


def walk(step: Step, end_ns: int) -> array[int]:
    """Step after step until a moment of `time.monotonic_ns`: the nanoseconds of each."""
    clock = time.monotonic_ns
    taken: array[int] = array("q")
    note = taken.append
    before = clock()
    while before < end_ns:
        step()
        after = clock()
        note(after - before)
        before = after
    return taken


def in_threads(steps: Sequence[Step], span_s: float) -> dict[str, float]:
    """A thread each, begun together."""
    begin = threading.Barrier(len(steps) + 1)
    found: list[array[int]] = []

    def work(step: Step) -> None:
        begin.wait()
        found.append(walk(step, time.monotonic_ns() + int(span_s * 1e9)))

    crew = [threading.Thread(target=work, args=(step,)) for step in steps]
    for thread in crew:
        thread.start()
    begin.wait()
    started = time.monotonic_ns()
    for thread in crew:
        thread.join()
    if len(found) != len(steps):
        raise RuntimeError(f"{len(steps) - len(found)} of {len(steps)} threads failed: see above")
    return sample_of(found, time.monotonic_ns() - started)


def in_tasks(
    step: Callable[[int], Awaitable[object]], tasks: int, span_s: float
) -> dict[str, float]:
    """A task each of one event loop; `step(index)` is awaited by the task of that index."""

    async def work(index: int, end_ns: int) -> array[int]:
        clock = time.monotonic_ns
        taken: array[int] = array("q")
        before = clock()
        while before < end_ns:
            await step(index)
            after = clock()
            taken.append(after - before)
            before = after
        return taken

    async def run() -> dict[str, float]:
        started = time.monotonic_ns()
        end_ns = started + int(span_s * 1e9)
        found = await asyncio.gather(*(work(index, end_ns) for index in range(tasks)))
        return sample_of(found, time.monotonic_ns() - started)

    return asyncio.run(run())


def sample_of(walks: Sequence[Sequence[int]], taken_ns: int) -> dict[str, float]:
    """Put walks together: time a step, 99th percentile, longest, and most over fewest of them."""
    counts = [len(walk) for walk in walks]
    each = list(chain.from_iterable(walks))
    return {
        "time": taken_ns / 1e3 / max(len(each), 1),
        "p99": quantile(each, 0.99) / 1e6 if each else 0.0,
        "worst wait": max(each, default=0) / 1e6,
        "unfairness": max(counts) / max(min(counts), 1),
    }
