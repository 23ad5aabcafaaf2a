"""A process that appends to a log or reads it; run as a program by test_log_processes.py.

write PATH NOTES NAME SYNC KEEP   append from four threads in every way, until standard input ends;
                                  each notes in NOTES what it begins and what it is told, and prints
                                  a line now and then
read PATH NOTES NAME SYNC         read all, again and again; notes what it has seen
follow PATH NOTES NAME SYNC       the same by following

SYNC: always, never or seconds. KEEP: bytes, or 0 for all.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from holdfast.errors import Truncated
from holdfast.primitives.log import Log
from tests.support.log_history import Entry, digest_of

SEGMENT_BYTES = 48 << 10
TICK = 20
OUTSTANDING = 8


class Notes:
    """A file of one source; each line is one write, so that a kill cannot cut it."""

    def __init__(self, folder: str, name: str) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self._fd = os.open(os.path.join(folder, name), flags, 0o666)
        self._ended = 0

    def write(self, *facts: object) -> None:
        os.write(self._fd, (" ".join(map(str, facts)) + "\n").encode())

    def ended(self, number: int, count: int, sequence: int) -> None:
        self.write("a", number, count, sequence)
        self._ended += 1
        if self._ended % TICK == 0:
            os.write(1, b".\n")


class Source:
    """What appends records in an order of its own."""

    def __init__(self, log: Log, notes: str, name: str) -> None:
        self.log = log
        self.name = name
        self.notes = Notes(notes, name)
        self.number = 0

    def batch(self, count: int) -> tuple[int, list[bytes]]:
        first = self.number
        self.number += count
        self.notes.write("b", first, count)
        numbers = range(first, first + count)
        return first, [Entry(self.name, number, first, count).encode() for number in numbers]

    def append(self) -> None:
        first, [record] = self.batch(1)
        self.notes.ended(first, 1, self.log.append(record))

    def append_many(self) -> None:
        count = 2 + self.number % 7
        first, records = self.batch(count)
        self.notes.ended(first, count, self.log.append_many(records))

    def keep_up(self) -> None:
        """Let the disk keep up with who does not wait for it."""
        if self.number % 50 < 5:
            self.log.barrier()

    def submit(self, pending: deque[tuple[int, Future[int]]]) -> None:
        first, [record] = self.batch(1)
        pending.append((first, self.log.submit(record)))
        if len(pending) >= OUTSTANDING:
            self.settle(pending)

    def settle(self, pending: deque[tuple[int, Future[int]]]) -> None:
        while pending:
            number, future = pending.popleft()
            self.notes.ended(number, 1, future.result())

    async def aappend(self) -> None:
        if self.number % 3:
            first, [record] = self.batch(1)
            self.notes.ended(first, 1, await self.log.aappend(record))
        else:
            first, records = self.batch(3)
            self.notes.ended(first, 3, await self.log.aappend_many(records))


def write(path: str, notes: str, name: str, sync: str, keep: str) -> None:
    """Append until standard input ends; then everything is settled and closed."""
    log = Log(path, sync=sync_of(sync), segment_bytes=SEGMENT_BYTES, keep_bytes=int(keep) or None)
    stop = threading.Event()
    ways: list[Callable[[], None]] = [
        lambda: steadily(Source(log, notes, f"{name}.0"), stop),
        lambda: steadily(Source(log, notes, f"{name}.1"), stop),
        lambda: by_futures(Source(log, notes, f"{name}.2"), stop),
        lambda: asyncio.run(by_tasks([Source(log, notes, f"{name}.3{c}") for c in "abc"], stop)),
    ]
    with together(ways):
        sys.stdin.read()
        stop.set()
    log.close()


def steadily(source: Source, stop: threading.Event) -> None:
    while not stop.is_set():
        source.append()
        source.append_many()
        source.keep_up()


def by_futures(source: Source, stop: threading.Event) -> None:
    pending: deque[tuple[int, Future[int]]] = deque()
    while not stop.is_set():
        source.submit(pending)
        source.keep_up()
    source.settle(pending)


async def by_tasks(sources: list[Source], stop: threading.Event) -> None:
    async def work(source: Source) -> None:
        while not stop.is_set():
            await source.aappend()
            await source.log.abarrier()

    await asyncio.gather(*map(work, sources))


@contextmanager
def together(ways: list[Callable[[], None]]) -> Iterator[None]:
    """Run each on a thread; a failure of one ends the process with its traceback."""

    def run(way: Callable[[], None]) -> None:
        try:
            way()
        except BaseException:
            sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
            sys.stderr.flush()
            os._exit(1)

    threads = [threading.Thread(target=run, args=[way]) for way in ways]
    for thread in threads:
        thread.start()
    yield
    for thread in threads:
        thread.join()


def sync_of(text: str) -> Any:
    return text if text in {"always", "never"} else float(text)


class Reader:
    """Adds up what it is shown, and refuses gaps, steps back and what may not be shown yet."""

    def __init__(self, log: Log, notes: Notes, *, only_durable: bool) -> None:
        self.log = log
        self.notes = notes
        self.only_durable = only_durable
        self.begin(None)

    def begin(self, start: int | None) -> None:
        self.first = self.last = start
        self.digest = 0

    def take(self, sequence: int, data: bytes) -> None:
        if self.last is None:
            self.first = sequence
        elif sequence != self.last + (1 if self.digest else 0):
            raise AssertionError(f"record {sequence} came after {self.last}")
        self.last = sequence
        self.digest += digest_of(sequence, data)

    def note(self) -> None:
        if not self.digest:
            return
        self.notes.write(self.first, self.last, self.digest)
        if self.only_durable and self.last is not None and self.log.durable < self.last:
            raise AssertionError(f"{self.last} was shown, and {self.log.durable} is durable")


def read(path: str, notes: str, name: str, sync: str) -> None:
    """Read all again and again; no pass may end before the one before it."""
    log = Log(path, sync=sync_of(sync))
    reader = Reader(log, Notes(notes, name), only_durable=sync == "always")
    reached = 0
    while True:
        reader.begin(None)
        try:
            for sequence, data in log.read():
                reader.take(sequence, data)
        except Truncated:
            continue  # retention was faster
        if (reader.last or 0) < reached and log.first <= reached:
            raise AssertionError(f"{reached} was shown, and now the end is {reader.last}")
        reached = max(reached, reader.last or 0)
        reader.note()
        os.write(1, b".\n")


def follow(path: str, notes: str, name: str, sync: str) -> None:
    """Follow from the first that is kept."""
    log = Log(path, sync=sync_of(sync))
    reader = Reader(log, Notes(notes, name), only_durable=sync == "always")
    start: int | None = None
    while True:
        reader.begin(start)
        try:
            for count, (sequence, data) in enumerate(log.follow(start)):
                reader.take(sequence, data)
                if count % 50 == 0:
                    reader.note()
                    os.write(1, b".\n")
        except Truncated as error:
            start = error.first


if __name__ == "__main__":
    Path(sys.argv[3]).mkdir(exist_ok=True)
    {"write": write, "read": read, "follow": follow}[sys.argv[1]](*sys.argv[2:])
