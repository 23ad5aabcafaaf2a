"""A process that works on a store from many threads; run as a program by test_store_processes.py.

work PATH NOTES NAME GROUPS SYNC  all kinds of operations on keys of some groups, until standard
                                  input ends; each client notes what it begins and what it is told,
                                  and prints a line now and then
watch PATH NOTES NAME GROUPS SYNC the same by reading alone, with a store opened to be read
follow PATH NOTES NAME            notes the commits that it is shown
count PATH NOTES NAME EACH        `update` of shared counters from 16 threads, EACH times; notes the
                                  values it was given, and how long it took

SYNC: always, never or seconds.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count as counting
from typing import Any

from holdfast.errors import Truncated
from holdfast.state.store import Store
from tests.support.log_process import together

THREADS = 16
TICK = 20
CHECKPOINT_BYTES = 24 << 10
COUNTERS = [f"counter/{number}" for number in range(8)]


class Notes:
    """A file whose lines are one write each, so that a kill cannot cut one."""

    def __init__(self, folder: str, name: str) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self._fd = os.open(os.path.join(folder, name), flags, 0o666)

    def write(self, *facts: object) -> None:
        os.write(self._fd, (json.dumps(facts, separators=(",", ":")) + "\n").encode())


class Client:
    """What one thread does, one operation after another, each noted before and after."""

    def __init__(self, notes: str, name: str, groups: int) -> None:
        self.name = name
        self.dice = random.Random(name)
        self.groups = groups
        self._notes = Notes(notes, f"{name}.ops")
        self._numbers = counting()

    def begin(self, kind: str, *arguments: Any) -> str:
        tag = f"{self.name}.{next(self._numbers)}"
        self._notes.write(tag, kind, arguments, time.monotonic_ns())
        return tag

    def end(self, tag: str, result: object) -> None:
        self._notes.write(tag, time.monotonic_ns(), result)
        if int(tag.rpartition(".")[2]) % TICK == 0:
            os.write(1, b".\n")

    def keys(self) -> tuple[str, str]:
        """Two keys of one group; transactions join no others."""
        group = self.dice.randrange(self.groups)
        one, two = self.dice.sample("abcd", 2)
        return f"{group}/{one}", f"{group}/{two}"


def old_and_new(old: Any, number: int, tag: str) -> list[Any]:
    return [(old[0] if old else 0) + number, tag]


class Worker(Client):
    """Does everything that a store can do."""

    def __init__(self, store: Store[Any], notes: str, name: str, *, groups: int) -> None:
        super().__init__(notes, name, groups)
        self.store = store

    def step(self) -> None:
        key, other = self.keys()
        kinds: Sequence[Callable[[str, str], None]] = (
            self.get, self.put, self.add, self.delete, self.pop, self.batch, self.move, self.items,
            self.get, self.get, self.put, self.add, self.snapshot,
        )  # fmt: skip
        self.dice.choice(kinds)(key, other)

    def read(self) -> None:
        self.dice.choice((self.get, self.items, self.snapshot))(*self.keys())

    def get(self, key: str, other: str) -> None:
        tag = self.begin("get", key)
        self.end(tag, self.store.get(key))

    def put(self, key: str, other: str) -> None:
        number = self.dice.randrange(9)
        tag = self.begin("put", key, number)
        self.store[key] = [number, tag]
        self.end(tag, None)

    def add(self, key: str, other: str) -> None:
        number = self.dice.randrange(1, 9)
        tag = self.begin("add", key, number)
        found: list[Any] = []

        def change(old: Any) -> list[Any]:
            found[:] = [old]
            return old_and_new(old, number, tag)

        new = self.store.update(key, change, default=None)
        assert new == old_and_new(found[0], number, tag), (new, found)
        self.end(tag, found[0])

    def delete(self, key: str, other: str) -> None:
        tag = self.begin("delete", key)
        try:
            del self.store[key]
            was_there = True
        except KeyError:
            was_there = False
        self.end(tag, was_there)

    def pop(self, key: str, other: str) -> None:
        tag = self.begin("pop", key)
        self.end(tag, self.store.pop(key, None))

    def batch(self, key: str, other: str) -> None:
        number = self.dice.randrange(9)
        changes = [(key, number), (other, self.dice.choice((None, number)))]
        tag = self.begin("batch", changes)
        with self.store.transaction() as tx:
            for name, value in changes:
                if value is None:
                    tx.pop(name, None)
                else:
                    tx[name] = [value, tag]
        self.end(tag, None)

    def move(self, key: str, other: str) -> None:
        number = self.dice.randrange(1, 9)
        tag = self.begin("move", (key, other), number)
        with self.store.transaction() as tx:
            left, right = tx.get(key), tx.get(other)
            has = left[0] if left else 0
            if has >= number:
                tx[key] = [has - number, tag]
                tx[other] = old_and_new(right, number, tag)
        self.end(tag, (left, right))

    def items(self, key: str, other: str) -> None:
        prefix = key[:-1]
        tag = self.begin("items", prefix)
        self.end(tag, list(self.store.items(prefix=prefix)))

    def snapshot(self, key: str, other: str) -> None:
        """Of the whole store, looked at later; noted for one group."""
        prefix = key[:-1]
        tag = self.begin("items", prefix)
        seen = self.store.snapshot()
        end = [item for item in sorted(seen.items()) if item[0].startswith(prefix)]
        self.end(tag, end)


class Task(Worker):
    """The same by asyncio."""

    async def astep(self) -> None:
        key, _ = self.keys()
        await self.dice.choice((self.aget, self.aget, self.aput, self.aadd, self.aitems))(key)

    async def aget(self, key: str) -> None:
        tag = self.begin("get", key)
        self.end(tag, await self.store.aget(key))

    async def aput(self, key: str) -> None:
        number = self.dice.randrange(9)
        tag = self.begin("put", key, number)
        await self.store.aput(key, [number, tag])
        self.end(tag, None)

    async def aadd(self, key: str) -> None:
        number = self.dice.randrange(1, 9)
        tag = self.begin("add", key, number)
        found: list[Any] = []

        def change(old: Any) -> list[Any]:
            found[:] = [old]
            return old_and_new(old, number, tag)

        await self.store.aupdate(key, change, default=None)
        self.end(tag, found[0])

    async def aitems(self, key: str) -> None:
        prefix = key[:-1]
        tag = self.begin("items", prefix)
        self.end(tag, [list(item) for item in await self.store.aitems(prefix=prefix)])


def opened(path: str, sync: str = "always", **options: Any) -> Store[Any]:
    how: Any = sync if sync in {"always", "never"} else float(sync)
    return Store(path, sync=how, checkpoint_bytes=CHECKPOINT_BYTES, **options)


def work(path: str, notes: str, name: str, *rest: str) -> None:
    """Work from many threads, two of them with tasks, until standard input ends."""
    groups, sync = rest
    store = opened(path, sync)
    stop = threading.Event()

    def steadily(number: int) -> Callable[[], None]:
        return lambda: by_steps(Worker(store, notes, f"{name}.{number}", groups=int(groups)), stop)

    def tasks(number: int) -> Callable[[], None]:
        names = [f"{name}.{number}{letter}" for letter in "ab"]
        clients = [Task(store, notes, each, groups=int(groups)) for each in names]
        return lambda: asyncio.run(by_tasks(clients, stop))

    with together([*map(steadily, range(threads_of(groups))), tasks(90), tasks(91)]):
        sys.stdin.read()
        stop.set()
    store.close()


def threads_of(groups: str) -> int:
    """As many as make a few at a time for each key."""
    return min(THREADS - 2, 2 * int(groups))


def by_steps(worker: Worker, stop: threading.Event) -> None:
    while not stop.is_set():
        worker.step()


async def by_tasks(tasks: Sequence[Task], stop: threading.Event) -> None:
    async def run(task: Task) -> None:
        while not stop.is_set():
            await task.astep()

    await asyncio.gather(*map(run, tasks))


def watch(path: str, notes: str, name: str, *rest: str) -> None:
    """Read, with a store that is opened to be read."""
    groups, sync = rest
    with opened(path, sync, read_only=True) as store:
        worker = Worker(store, notes, f"{name}.0", groups=int(groups))
        while True:
            worker.read()


def follow(path: str, notes: str, name: str) -> None:
    """Note each commit that is shown, from the first that is kept; again after being overtaken."""
    store, out = opened(path), Notes(notes, f"{name}.seen")
    start: int | None = 1
    while True:
        try:
            for number, commit in enumerate(store.follow(start)):
                out.write(commit.sequence, dict(commit.changed), list(commit.deleted))
                start = commit.sequence + 1
                if number % TICK == 0:
                    os.write(1, b".\n")
        except Truncated as error:
            start = error.first
            out.write("overtaken", start)


def count(path: str, notes: str, name: str, each: str) -> None:
    """Wait for the start, and count on from all threads."""
    store, out = opened(path), Notes(notes, f"{name}.counts")
    os.write(1, b"ready\n")
    sys.stdin.readline()
    with together([lambda n=n: count_on(store, out, range(n, n + int(each)))  # type: ignore[misc]
                   for n in range(THREADS)]):  # fmt: skip
        pass
    store.close()


def count_on(store: Store[Any], out: Notes, numbers: Iterable[int]) -> None:
    for key, got in counted(store, numbers):
        out.write(key, got, time.monotonic_ns())


def counted(store: Store[Any], numbers: Iterable[int]) -> Iterator[tuple[str, int]]:
    for number in numbers:
        key = COUNTERS[number % len(COUNTERS)]
        yield key, store.update(key, lambda old: old + 1, default=0)


if __name__ == "__main__":
    os.makedirs(sys.argv[3], exist_ok=True)
    {"work": work, "watch": watch, "follow": follow, "count": count}[sys.argv[1]](*sys.argv[2:])
