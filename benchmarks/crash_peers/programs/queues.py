"""persist-queue: a queue in files, and one in a database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.crash_peers.states import contents, numbers

if TYPE_CHECKING:
    from collections.abc import Callable

VARIANTS = {
    "queue": "`Queue(path).put(item)`",
    "sqlite-queue": "`SQLiteQueue(path, auto_commit=True).put(item)`",
}


def _queue(variant: str) -> Any:
    import persistqueue

    if variant == "queue":
        return persistqueue.Queue("state", tempdir="state")
    return persistqueue.SQLiteQueue("state", auto_commit=True)


def saver(variant: str) -> Callable[[int], None]:
    queue = _queue(variant)
    return lambda n: queue.put(contents(n))


def load(variant: str) -> int:
    queue = _queue(variant)
    return numbers([queue.get(block=False) for _ in range(queue.qsize())])
