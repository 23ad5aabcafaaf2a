"""`store-put`, `store-threads`, `store-processes`, `store-asyncio`, `store-batch`: durable puts.

Keys of 16 bytes, values of 84. All are compared with one thread that writes as much into blocks of
zeros and syncs, put by put.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import os
import random
import time
from contextlib import ExitStack
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from benchmarks.crew import Crew
from benchmarks.log_peers import ZEROED
from benchmarks.machine import settler
from benchmarks.runner import Contender, Experiment, quantile
from benchmarks.stepping import in_tasks, in_threads, sample_of, walk
from benchmarks.store_peers import OURS, STORES, names_of, operation
from benchmarks.store_peers.shape import VALUES, key_of, pair

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Generator, Iterable

    from benchmarks.crew import Go
    from benchmarks.store_peers.shape import StorePeer
    from benchmarks.workloads import Setting

    Sample = dict[str, float]

__all__ = [
    "KEYS",
    "grown",
    "opened",
    "put_for_a_while",
    "store_asyncio",
    "store_batch",
    "store_processes",
    "store_put",
    "store_threads",
]

_FLOORS = (ZEROED, f"{ZEROED}, again")
_PROCESSES = 4
_THREADS = 16
_BATCH = 1_000
KEYS = 4_000
_REWRITTEN = 12  # times: more than SQLite keeps in its log, and more than one of our segments holds
_ROLLED = 3
_ONCE_A_PUT = "shelve"  # writes all of its index with each sync
_SLOW_SYNC_US = 2000
_COUNTED = {"time": "µs a put", "p99": "ms", "worst wait": "ms", "unfairness": "most/least"}


def store_put(setting: Setting) -> Generator[Experiment, None, None]:
    """One thread, put by put: into a new store, and into one that has been written for a while."""
    yield _young(setting)
    folder = setting.folder("store-put-steady")
    times = _times(setting)
    with ExitStack() as stack:
        names = [name for name in names_of() if name != _ONCE_A_PUT]
        contenders = [
            Contender(
                name, functools.partial(_one_by_one, grown(name, peer), times), operation(name)
            )
            for name, peer in opened(names, folder, stack).items()
        ]
        yield Experiment(
            "store-put-steady", f"{setting.place.label}, {KEYS:,} keys",
            {"time": "µs", "p95": "µs"}, contenders, ZEROED,
            setting.pick(15, 100), setting.pick(5, 25), settler(folder), ours=OURS,
        )  # fmt: skip


def _young(setting: Setting) -> Experiment:
    folder = setting.folder("store-put-young")
    contenders = [
        Contender(
            name,
            functools.partial(
                _newly_made, name, os.path.join(folder, name), _times(setting), itertools.count()
            ),
            operation(name),
        )
        for name in names_of()
    ]
    return Experiment(
        "store-put-young", setting.place.label, {"time": "µs", "p95": "µs"}, contenders, ZEROED,
        setting.pick(5, 25), setting.pick(4, 20), settler(folder), ours=OURS,
    )  # fmt: skip


def _times(setting: Setting) -> int:
    return 20 if setting.place.sync_us >= _SLOW_SYNC_US else 50 if setting.quick else 100


def opened(names: Iterable[str], folder: str, stack: ExitStack) -> dict[str, StorePeer]:
    """Make the stores, each in a folder of its own; they are closed with the stack."""
    made: dict[str, StorePeer] = {}
    for name in names:
        made[name] = STORES[name].make(os.path.join(folder, name))
        stack.callback(made[name].close)
    return made


def grown(name: str, peer: StorePeer, keys: int = KEYS) -> StorePeer:
    """Write all keys several times over, so that logs have come round and trees have their size."""
    for turn in range(1, _REWRITTEN + 1):
        peer.put_many([pair(number, turn) for number in range(keys)])
        if STORES[name].rolls and turn % _ROLLED == 0:
            peer.settle()
    return peer


def _newly_made(name: str, path: str, times: int, numbers: Iterable[int]) -> Sample:
    peer = STORES[name].make(f"{path}-{next(iter(numbers))}")
    try:
        peer.put(*pair(0))  # what makes the files is not timed
        return _timed(peer.put, [pair(number) for number in range(1, times + 1)])
    finally:
        peer.close()


def _one_by_one(peer: StorePeer, times: int) -> Sample:
    turn = random.randrange(len(VALUES))
    return _timed(peer.put, [pair(random.randrange(KEYS), turn + i) for i in range(times)])


def _timed(put: Callable[[str, bytes], object], pairs: list[tuple[str, bytes]]) -> Sample:
    clock = time.perf_counter_ns
    moments = [clock()]
    for key, value in pairs:
        put(key, value)
        moments.append(clock())
    taken = [(after - before) / 1e3 for before, after in pairwise(moments)]
    return {"time": sum(taken) / len(pairs), "p95": quantile(taken, 0.95)}


def store_threads(setting: Setting) -> Generator[Experiment, None, None]:
    """16 threads at one store, each with keys of its own; the floor is one thread alone."""
    folder = setting.folder("store-threads")
    with ExitStack() as stack:
        names = names_of(lambda kind: kind.threads)
        contenders = [
            Contender(
                name,
                functools.partial(
                    _many_threads, grown(name, peer), KEYS,
                    threads=1 if name in _FLOORS else _THREADS, span_s=_span_s(setting),
                ),
                operation(name),
            )
            for name, peer in opened(names, folder, stack).items()
        ]  # fmt: skip
        yield _counting(setting, "store-threads", contenders, folder)


def _span_s(setting: Setting) -> float:
    return 0.4 if setting.place.sync_us >= _SLOW_SYNC_US else 0.1 if setting.quick else 0.2


def _counting(setting: Setting, name: str, contenders: list[Contender], folder: str) -> Experiment:
    return Experiment(
        name, setting.place.label, _COUNTED, contenders, ZEROED,
        setting.pick(5, 20), setting.pick(5, 30), settler(folder), ours=OURS,
    )  # fmt: skip


def _many_threads(peer: StorePeer, keys: int, *, threads: int, span_s: float) -> Sample:
    return in_threads([_putter(peer, keys, seed) for seed in range(threads)], span_s)


def _putter(peer: StorePeer, keys: int, seed: int) -> Callable[[], object]:
    """Put keys in random order, again and again, each time with another value."""
    order = list(range(keys))
    random.Random(seed).shuffle(order)
    names = itertools.cycle([key_of(number) for number in order]).__next__
    values = itertools.cycle(VALUES).__next__
    put = peer.put
    return lambda: put(names(), values())


def store_processes(setting: Setting) -> Generator[Experiment, None, None]:
    """Four processes at one store; the floor is one of them alone."""
    folder = setting.folder("store-processes")
    names = names_of(lambda kind: kind.processes)
    for name in names:
        peer = STORES[name].make(os.path.join(folder, name))
        grown(name, peer).close()
    with Crew(_PROCESSES) as crew:
        contenders = [
            Contender(
                name,
                functools.partial(
                    _in_processes, crew, name, os.path.join(folder, name), _span_s(setting)
                ),
                operation(name),
            )
            for name in (*_FLOORS, *names)
        ]
        yield _counting(setting, "store-processes", contenders, folder)


def _in_processes(crew: Crew, name: str, path: str, span_s: float) -> Sample:
    answers = [found for found in crew.run(put_for_a_while, name, path, span_s) if found]
    return sample_of([walk for walk, _ in answers], max(taken_ns for _, taken_ns in answers))


def put_for_a_while(
    index: int, go: Go, name: str, path: str, span_s: float
) -> tuple[array[int], int] | None:
    """One of the four: its puts and the whole time in ns."""
    if index and name in _FLOORS:
        go()
        return None
    peer = STORES[name].make(path)
    try:
        step = _putter(peer, KEYS, index)
        step()  # what a first use makes and loads is not timed
        start_ns = go()
        return walk(step, start_ns + int(span_s * 1e9)), time.monotonic_ns() - start_ns
    finally:
        peer.close()


def store_asyncio(setting: Setting) -> Generator[Experiment, None, None]:
    """64 and 256 tasks of one event loop."""
    for tasks in (64, 256):
        folder = setting.folder(f"store-asyncio-{tasks}")
        span_s = _span_s(setting)
        writer = "sqlite3, one writer thread"
        with ExitStack() as stack:
            made: Any = opened((*_FLOORS, OURS, writer), folder, stack)
            contenders = [
                Contender(
                    name,
                    functools.partial(_many_threads, made[name], KEYS, threads=1, span_s=span_s),
                    operation(name),
                )
                for name in _FLOORS
            ]  # fmt: skip
            ways = (
                (OURS, made[OURS].aput),
                ("sqlite3, in threads", functools.partial(asyncio.to_thread, made[writer].put)),
            )
            contenders += [
                Contender(
                    name, functools.partial(_in_tasks, put, tasks, span_s),
                    operation(OURS if name == OURS else writer),
                )
                for name, put in ways
            ]  # fmt: skip
            yield _counting(setting, f"store-asyncio-{tasks}", contenders, folder)


def _in_tasks(put: Callable[[str, bytes], Any], tasks: int, span_s: float) -> Sample:
    keys = [key_of(number) for number in range(tasks)]
    values = itertools.cycle(VALUES).__next__
    return in_tasks(lambda index: put(keys[index], values()), tasks, span_s)


def store_batch(setting: Setting) -> Generator[Experiment, None, None]:
    """1,000 puts in one durable transaction, over the same keys each time."""
    folder = setting.folder("store-batch")
    with ExitStack() as stack:
        contenders = [
            Contender(name, functools.partial(_all_at_once, peer), operation(name))
            for name, peer in opened(names_of(), folder, stack).items()
        ]
        yield Experiment(
            "store-batch", setting.place.label, {"time": "µs a put"}, contenders, ZEROED,
            setting.pick(10, 60), setting.pick(4, 20), settler(folder), ours=OURS,
        )  # fmt: skip


def _all_at_once(peer: StorePeer) -> Sample:
    turn = random.randrange(len(VALUES))
    pairs = [pair(number, turn) for number in range(_BATCH)]
    begin = time.perf_counter_ns()
    peer.put_many(pairs)
    return {"time": (time.perf_counter_ns() - begin) / 1e3 / len(pairs)}
