"""`ycsb`: the six mixes of the Yahoo cloud serving benchmark, with small values and short scans.

A few keys get most of the requests (zipfian); in D the newest do. A scan reads the ten or the
hundred keys of a prefix.
"""

from __future__ import annotations

import functools
import itertools
import random
from bisect import bisect_left
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.log_peers import ZEROED
from benchmarks.machine import settler
from benchmarks.runner import Contender, Experiment
from benchmarks.stepping import in_threads
from benchmarks.store_peers import OURS, STORES, names_of, operation
from benchmarks.store_peers.shape import VALUE, VALUES, changed, key_of
from benchmarks.workloads.store import KEYS, grown, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from benchmarks.store_peers.shape import StorePeer
    from benchmarks.workloads import Setting

    Sample = dict[str, float]

__all__ = ["MIXES", "Mix", "requests", "ycsb", "zipfian"]

_SKEW = 0.99
_PLANNED = 4_096
_DIGITS = (1, 2)  # of the key are left out of a prefix: 10 keys, or 100
_THREADS = 16
_LEFT_OUT = {f"{OURS} sync=never", "ZODB FileStorage"}
_STARVED = {
    "sqlite3, one a thread",
    "diskcache, synchronous=2",
}  # sixteen of them: see store-threads


class Mix(NamedTuple):
    """Shares of the requests, which add up to one."""

    reads: float = 0.0
    updates: float = 0.0
    inserts: float = 0.0
    scans: float = 0.0
    modifies: float = 0.0
    newest: bool = False


MIXES = {
    "a": Mix(reads=0.5, updates=0.5),
    "b": Mix(reads=0.95, updates=0.05),
    "c": Mix(reads=1.0),
    "d": Mix(reads=0.95, inserts=0.05, newest=True),
    "e": Mix(scans=0.95, inserts=0.05),
    "f": Mix(reads=0.5, modifies=0.5),
}


def ycsb(setting: Setting) -> Generator[Experiment, None, None]:
    """Each mix by one thread and by sixteen; the floor is a dict and one thread."""
    folder = setting.folder("ycsb")
    new = {name: itertools.count(KEYS) for name in STORES}
    with ExitStack() as stack:
        names = names_of(lambda kind: kind.threads)
        found = opened([name for name in names if name not in _LEFT_OUT], folder, stack)
        peers = {name: grown(name, peer) for name, peer in found.items()}
        for (letter, mix), threads in itertools.product(MIXES.items(), (1, _THREADS)):
            contenders = [
                Contender(
                    name,
                    functools.partial(
                        _run, mix, peer, new[name],
                        threads=1 if name.startswith(ZEROED) else threads,
                        span_s=0.05 if setting.quick else 0.2,
                    ),
                    operation(name),
                )
                for name, peer in peers.items()
                if _suits(mix, threads, name)
            ]  # fmt: skip
            yield Experiment(
                f"ycsb-{letter}-{threads}", setting.place.label,
                {"time": "µs a request", "p99": "ms", "worst wait": "ms"}, contenders, ZEROED,
                setting.pick(3, 12), setting.pick(2, 20), settler(folder), ours=OURS,
            )  # fmt: skip


def _suits(mix: Mix, threads: int, name: str) -> bool:
    if mix.scans and not STORES[name].scans:
        return False
    return threads == 1 or name not in _STARVED


def _run(mix: Mix, peer: StorePeer, new: Iterator[int], *, threads: int, span_s: float) -> Sample:
    seeds = [random.getrandbits(32) for _ in range(threads)]
    return in_threads([requests(mix, peer, new, KEYS, seed) for seed in seeds], span_s)


def requests(
    mix: Mix, peer: StorePeer, new: Iterator[int], keys: int, seed: int
) -> Callable[[], object]:
    """Plan some thousands of requests, to be made one by one, over and over."""
    chance = random.Random(seed)
    ranks = zipfian(keys)
    mine: list[int] = []  # another thread may have taken a number and not yet put its key

    def insert() -> None:
        number = next(new)
        peer.put(key_of(number), VALUE)
        mine.append(number)

    def newest(rank: int) -> None:
        older = rank - len(mine)
        peer.get(key_of(mine[-1 - rank] if older < 0 else keys - 1 - older))

    def planned() -> Callable[[], object]:
        rank = ranks(chance)
        key = key_of(_scattered(rank, keys))
        kind = chance.choices(range(5), mix[:5])[0]
        if kind == 0 and mix.newest:
            return functools.partial(newest, rank)
        return (
            functools.partial(peer.get, key),
            functools.partial(peer.put, key, chance.choice(VALUES)),
            insert,
            functools.partial(peer.scan, key[: -chance.choice(_DIGITS)]),
            functools.partial(peer.update, key, changed),
        )[kind]

    following = itertools.cycle([planned() for _ in range(_PLANNED)])

    def make() -> None:
        next(following)()

    return make


def zipfian(keys: int) -> Callable[[random.Random], int]:
    """Ranks from 0: the r-th is asked for as often as 1 / (r + 1) ** 0.99."""
    shares = list(itertools.accumulate(_weights(keys)))
    total = shares[-1]
    return lambda chance: min(bisect_left(shares, chance.random() * total), keys - 1)


@functools.cache
def _weights(keys: int) -> tuple[float, ...]:
    return tuple(1 / (rank + 1) ** _SKEW for rank in range(keys))


def _scattered(rank: int, keys: int) -> int:
    """The popular keys lie anywhere, not side by side."""
    return rank * 7_919 % keys
