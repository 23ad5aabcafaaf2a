"""`store-get`, `store-get-shared`: a value by its key, while nobody writes and while others do."""

from __future__ import annotations

import functools
import os
import random
import time
from contextlib import ExitStack
from itertools import cycle
from typing import TYPE_CHECKING

from benchmarks.crew import Crew
from benchmarks.log_peers import ZEROED
from benchmarks.runner import Contender, Experiment
from benchmarks.stepping import sample_of, walk
from benchmarks.store_peers import OURS, STORES, names_of
from benchmarks.store_peers.shape import VALUES, key_of, pair
from benchmarks.workloads.store import opened

if TYPE_CHECKING:
    from array import array
    from collections.abc import Generator

    from benchmarks.crew import Go
    from benchmarks.store_peers.shape import StorePeer
    from benchmarks.workloads import Setting

    Sample = dict[str, float]

__all__ = ["read_beside_a_writer", "store_get", "store_get_shared"]

_DICT = "dict"
_GETS = 20_000
_BATCH = 1_000
_SHARED_KEYS = 1_000
_PAUSE_S = 0.002  # what a writer that is not the bottleneck leaves between two puts


def store_get(setting: Setting) -> Generator[Experiment, None, None]:
    """20,000 gets of random keys, all in the page cache; beside a dict."""
    folder = setting.folder("store-get")
    keys = setting.pick(20_000, 100_000)
    gets = setting.pick(_GETS / 4, _GETS)
    with ExitStack() as stack:
        contenders = [
            Contender(
                _DICT if name == ZEROED else name,
                functools.partial(_gets, _filled(peer, keys), keys, gets),
            )
            for name, peer in opened(_readers(keys), folder, stack).items()
        ]
        yield Experiment(
            "store-get", f"{setting.place.label}, {keys:,} keys", {"time": "µs"}, contenders,
            _DICT, setting.pick(5, 25), setting.pick(4, 20), ours=OURS,
        )  # fmt: skip


def _readers(keys: int) -> list[str]:
    """All that differ in how they read; `shelve` takes minutes to fill with more than a few."""
    writers_only = {f"{ZEROED}, again", f"{OURS} sync=never", "sqlite3, one writer thread"}
    writers_only |= {"rocksdict, recycled logs", "diskcache, synchronous=2"}
    writers_only |= {"shelve"} if keys > 20_000 else set()
    return [name for name in names_of() if name not in writers_only]


def _filled(peer: StorePeer, keys: int) -> StorePeer:
    numbers = range(keys)
    for start in range(0, keys, _BATCH):
        peer.put_many([pair(number) for number in numbers[start : start + _BATCH]])
    peer.settle()
    return peer


def _gets(peer: StorePeer, keys: int, gets: int) -> Sample:
    get = peer.get
    wanted = [key_of(random.randrange(keys)) for _ in range(gets)]
    begin = time.perf_counter_ns()
    for key in wanted:
        get(key)
    return {"time": (time.perf_counter_ns() - begin) / 1e3 / gets}


def store_get_shared(setting: Setting) -> Generator[Experiment, None, None]:
    """One process gets random keys while another one puts, 2 ms apart, as durably as it can."""
    folder = setting.folder("store-get-shared")
    unsuited = {f"{OURS} sync=never", "sqlite3, one writer thread", "sqlitedict"}
    names = [name for name in names_of(lambda kind: kind.processes) if name not in unsuited]
    for name in names:
        peer = STORES[name].make(os.path.join(folder, name))
        _filled(peer, _SHARED_KEYS).close()
    span_s = 0.1 if setting.quick else 0.3
    with Crew(2) as crew:
        contenders = [
            Contender(
                name,
                functools.partial(_beside, crew, name, os.path.join(folder, name), span_s),
            )
            for name in names
        ]
        yield Experiment(
            "store-get-shared", setting.place.label,
            {"time": "µs", "p99": "ms", "worst wait": "ms"}, contenders, "lmdb",
            setting.pick(5, 20), setting.pick(5, 20), ours=OURS,
        )  # fmt: skip


def _beside(crew: Crew, name: str, path: str, span_s: float) -> Sample:
    _, (read, taken_ns) = crew.run(read_beside_a_writer, name, path, span_s)
    return sample_of([read], taken_ns)


def read_beside_a_writer(
    index: int, go: Go, name: str, path: str, span_s: float
) -> tuple[array[int], int]:
    """The first one puts, the second one gets: its gets and the whole time in ns."""
    peer = STORES[name].make(path)
    order = [key_of(number) for number in range(_SHARED_KEYS)]
    random.Random(index).shuffle(order)
    following, values = cycle(order).__next__, cycle(VALUES).__next__

    def put() -> None:
        peer.put(following(), values())
        time.sleep(_PAUSE_S)

    def get() -> None:
        peer.get(following())

    step = get if index else put
    try:
        step()
        start_ns = go()
        return walk(step, start_ns + int(span_s * 1e9)), time.monotonic_ns() - start_ns
    finally:
        peer.close()
