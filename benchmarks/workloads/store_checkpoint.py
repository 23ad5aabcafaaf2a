"""`store-checkpoint`: what a writer and a reader wait for while a large state is written out.

Both rest for a moment after each step, so that none of them waits for the other's interpreter.
"""

from __future__ import annotations

import functools
import os
import random
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.crew import Crew
from benchmarks.machine import settler
from benchmarks.runner import Contender, Experiment, quantile
from benchmarks.store_peers import OURS, STORES, names_of
from benchmarks.store_peers.databases import OneAThread
from benchmarks.store_peers.shape import VALUES, key_of, pair

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from benchmarks.crew import Go
    from benchmarks.store_peers.shape import StorePeer
    from benchmarks.workloads import Setting

    Sample = dict[str, float]

__all__ = ["Scene", "Waits", "one_of_three", "store_checkpoint", "waits"]

_SQLITE = "sqlite3, one a thread"
_PEERS = (_SQLITE, "rocksdict")
_REST_S = 0.000_2
_QUIET_S = 0.2
_BATCH = 1_000
_METRICS = {
    "writer p99": "ms", "writer worst": "ms", "reader p99": "ms", "reader worst": "ms",
    "checkpoint": "ms",
}  # fmt: skip


class Scene(NamedTuple):
    """What three processes do together."""

    name: str
    path: str
    keys: int
    idle: bool

    @property
    def over(self) -> str:
        """The file that says that the checkpoint is made."""
        return self.path + ".over"


class Waits(NamedTuple):
    """The 99th percentile and the longest of some steps, in milliseconds."""

    p99: float
    worst: float


def waits(step: Callable[[], object], is_over: Callable[[], bool]) -> Waits:
    """Step after step until it is over; at least one."""
    clock = time.perf_counter_ns
    taken = []
    while True:
        before = clock()
        step()
        taken.append((clock() - before) / 1e6)
        if is_over():
            return Waits(quantile(taken, 0.99), max(taken))
        time.sleep(_REST_S)


def store_checkpoint(setting: Setting) -> Generator[Experiment, None, None]:
    """In three threads of one process, and in three processes; `idle` makes no checkpoint."""
    names = [name for name in names_of() if name == OURS or name in _PEERS]
    keys = setting.pick(100_000, 500_000)
    yield from _in_threads(setting, names, keys)
    yield from _in_processes(setting, [name for name in names if STORES[name].processes], keys)


def _in_threads(setting: Setting, names: list[str], keys: int) -> Generator[Experiment, None, None]:
    folder = setting.folder("store-checkpoint-threads")
    with ExitStack() as stack:
        contenders = []
        for name in names:
            peer = _made(name, os.path.join(folder, name))
            stack.callback(peer.close)
            _fill(peer, keys)
            contenders += [
                Contender(f"{name}, idle", functools.partial(_threads, peer, keys, idle=True)),
                Contender(name, functools.partial(_threads, peer, keys, idle=False)),
            ]
        yield _experiment(setting, "store-checkpoint-threads", contenders, keys, folder)


def _made(name: str, path: str) -> StorePeer:
    """SQLite would write back in between, and leave nothing to wait for."""
    return OneAThread("sqlite3", path, grows=True) if name == _SQLITE else STORES[name].make(path)


def _experiment(
    setting: Setting, name: str, contenders: list[Contender], keys: int, folder: str
) -> Experiment:
    return Experiment(
        name, f"{setting.place.label}, {keys:,} keys", _METRICS, contenders, contenders[0].name,
        setting.pick(2, 10), setting.pick(5, 25), settler(folder), least=2,
        ours=OURS,
    )  # fmt: skip


def _fill(peer: StorePeer, keys: int) -> None:
    turn = random.randrange(len(VALUES))
    for start in range(0, keys, _BATCH):
        peer.put_many([pair(n, turn) for n in range(start, min(start + _BATCH, keys))])


def _threads(peer: StorePeer, keys: int, *, idle: bool) -> Sample:
    _fill(peer, keys // 10)  # there is something to write out
    over = threading.Event()
    found: dict[str, Waits] = {}
    steps = {
        "writer": lambda: peer.put(_any_key(keys), random.choice(VALUES)),
        "reader": lambda: peer.get(_any_key(keys)),
    }

    def work(role: str) -> None:
        found[role] = waits(steps[role], over.is_set)

    crew = [threading.Thread(target=work, args=(role,)) for role in steps]
    for thread in crew:
        thread.start()
    try:
        taken_ms = _quiet() if idle else _written_out(peer)
    finally:
        over.set()
        for thread in crew:
            thread.join()
    return _sample(found["writer"], found["reader"], taken_ms)


def _any_key(keys: int) -> str:
    return key_of(random.randrange(keys))


def _quiet() -> float:
    time.sleep(_QUIET_S)
    return 0.0


def _written_out(peer: StorePeer) -> float:
    begin = time.perf_counter_ns()
    peer.settle()
    return (time.perf_counter_ns() - begin) / 1e6


def _sample(writer: Waits, reader: Waits, taken_ms: float) -> Sample:
    return {
        "writer p99": writer.p99, "writer worst": writer.worst,
        "reader p99": reader.p99, "reader worst": reader.worst,
        "checkpoint": taken_ms,
    }  # fmt: skip


def _in_processes(
    setting: Setting, names: list[str], keys: int
) -> Generator[Experiment, None, None]:
    folder = setting.folder("store-checkpoint-processes")
    for name in names:
        peer = _made(name, os.path.join(folder, name))
        _fill(peer, keys)
        peer.close()
    with Crew(3) as crew:
        scenes = {
            f"{name}, idle" if idle else name: Scene(name, os.path.join(folder, name), keys, idle)
            for name in names
            for idle in (True, False)
        }
        contenders = [
            Contender(who, functools.partial(_together, crew, scene))
            for who, scene in scenes.items()
        ]
        yield _experiment(setting, "store-checkpoint-processes", contenders, keys, folder)


def _together(crew: Crew, scene: Scene) -> Sample:
    if os.path.exists(scene.over):
        os.unlink(scene.over)
    writer, reader, taken_ms = crew.run(one_of_three, scene)
    return _sample(writer, reader, taken_ms)


def one_of_three(index: int, go: Go, scene: Scene) -> Waits | float:
    """The first one writes, the second reads, the third one makes the checkpoint."""
    keys = scene.keys
    peer = _made(scene.name, scene.path)
    is_over = functools.partial(os.path.exists, scene.over)
    try:
        if index == 2:
            _fill(peer, keys // 10)
        peer.get(key_of(0))
        go()
        if index == 0:
            return waits(lambda: peer.put(_any_key(keys), random.choice(VALUES)), is_over)
        if index == 1:
            return waits(lambda: peer.get(_any_key(keys)), is_over)
        return _third(peer, scene)
    finally:
        peer.close()


def _third(peer: StorePeer, scene: Scene) -> float:
    try:
        return _quiet() if scene.idle else _written_out(peer)
    finally:
        os.close(os.open(scene.over, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC))
