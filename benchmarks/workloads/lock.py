"""`lock-uncontended`, `lock-paused`, `lock-contended`, `lock-hand-off`."""

from __future__ import annotations

import functools
import os
import random
import threading
import time
from itertools import pairwise
from typing import TYPE_CHECKING

from benchmarks.crew import Crew, sleep_until
from benchmarks.peers import LOCKS, available
from benchmarks.runner import Contender, Experiment, quantile

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from benchmarks.crew import Go
    from benchmarks.peers import Lock
    from benchmarks.workloads import Setting

__all__ = ["lock_contended", "lock_hand_off", "lock_uncontended"]

_RAW = "raw flock, kept open"
_PROCESSES = 4
_HELD_S = 0.0002  # like a fast sync
_WAITERS = 5
_STAGGER_NS = 4_000_000
_LINGER_NS = 60_000_000  # longer than the polling interval of any peer
_HAND_OFF_HELD_S = 0.0005


def lock_uncontended(setting: Setting) -> Generator[Experiment, None, None]:
    """Acquire and release at once, hot and after a pause (cold caches, an idle processor)."""
    folder = setting.folder("lock-uncontended")
    locks = {name: LOCKS[name](os.path.join(folder, name)) for name in available(LOCKS)}
    hot = [Contender(name, functools.partial(_hot, lock), name) for name, lock in locks.items()]
    hot.append(
        Contender(
            "holdfast, with",
            functools.partial(_hot_with, locks["holdfast.FileLock"]),
            "holdfast.FileLock",
        )
    )
    hot.append(Contender("threading.Lock", functools.partial(_hot, threading.Lock())))
    common = (setting.place.label, {"time": "µs"})
    yield Experiment(
        "lock-uncontended", *common, hot, _RAW, setting.pick(12, 40), setting.pick(2, 15)
    )
    cold = [Contender(name, functools.partial(_cold, lock), name) for name, lock in locks.items()]
    yield Experiment("lock-paused", *common, cold, _RAW, setting.pick(6, 40), setting.pick(3, 15))


def _hot(lock: Lock, times: int = 500) -> dict[str, float]:
    acquire, release = lock.acquire, lock.release
    begin = time.perf_counter_ns()
    for _ in range(times):
        acquire()
        release()
    return {"time": (time.perf_counter_ns() - begin) / 1e3 / times}


def _hot_with(lock: Lock, times: int = 500) -> dict[str, float]:
    begin = time.perf_counter_ns()
    for _ in range(times):
        with lock:  # type: ignore[attr-defined]
            pass
    return {"time": (time.perf_counter_ns() - begin) / 1e3 / times}


def _cold(lock: Lock, times: int = 10) -> dict[str, float]:
    found = []
    for _ in range(times):
        time.sleep(0.003)
        begin = time.perf_counter_ns()
        lock.acquire()
        lock.release()
        found.append((time.perf_counter_ns() - begin) / 1e3)
    return {"time": quantile(found, 0.5)}


def lock_contended(setting: Setting) -> Generator[Experiment, None, None]:
    """Four processes, each again and again, 0.2 ms inside: what a waiter waits."""
    folder = setting.folder("lock-contended")
    sections = setting.pick(60, 500)
    metrics = {"worst wait": "ms", "median wait": "ms", "a section": "µs"}
    with Crew(_PROCESSES) as crew:
        contenders = _crewed(_contend, crew, folder, sections)
        yield Experiment(
            "lock-contended", setting.place.label, metrics, contenders, _RAW,
            setting.pick(4, 15), setting.pick(6, 40),
        )  # fmt: skip


def lock_hand_off(setting: Setting) -> Generator[Experiment, None, None]:
    """Five wait, come one by one: from a release to the next one's acquire, and in which order."""
    folder = setting.folder("lock-hand-off")
    metrics = {"hand-off": "ms", "worst hand-off": "ms", "out of turn": "of 5"}
    with Crew(_WAITERS + 1) as crew:
        contenders = _crewed(_queue, crew, folder)
        yield Experiment(
            "lock-hand-off", setting.place.label, metrics, contenders, _RAW,
            setting.pick(6, 30), setting.pick(6, 40),
        )  # fmt: skip


def _crewed(
    sample: Callable[..., dict[str, float]], crew: Crew, folder: str, *args: int
) -> list[Contender]:
    return [
        Contender(
            name, functools.partial(sample, crew, name, os.path.join(folder, name), *args), name
        )
        for name in available(LOCKS)
        if name != "raw flock, reopened"
    ]


def _contend(crew: Crew, name: str, path: str, sections: int) -> dict[str, float]:
    begin = time.monotonic_ns()
    waits = [wait for found in crew.run(contend, name, path, sections) for wait in found]
    taken_us = (time.monotonic_ns() - begin) / 1e3
    return {
        "worst wait": max(waits),
        "median wait": quantile(waits, 0.5),
        "a section": taken_us / (sections * _PROCESSES),
    }


def contend(_index: int, go: Go, name: str, path: str, sections: int) -> list[float]:
    """One of the four: return what it waited each time, in ms."""
    lock = LOCKS[name](path)
    waits = []
    go()
    for _ in range(sections):
        begin = time.perf_counter_ns()
        lock.acquire()
        waits.append((time.perf_counter_ns() - begin) / 1e6)
        time.sleep(_HELD_S)
        lock.release()
    return waits


def _queue(crew: Crew, name: str, path: str) -> dict[str, float]:
    turns: list[tuple[int, int, int]] = sorted(
        crew.run(queue, name, path, random.randrange(_LINGER_NS)), key=lambda turn: turn[1]
    )
    waits = [(after[1] - before[2]) / 1e6 for before, after in pairwise(turns)]
    asked = [turn[0] for turn in turns]
    wrong = sum(mine != due for mine, due in zip(asked, sorted(asked), strict=True))
    return {"hand-off": quantile(waits, 0.5), "worst hand-off": max(waits), "out of turn": wrong}


def queue(index: int, go: Go, name: str, path: str, linger_ns: int) -> tuple[int, int, int]:
    """The first holds, the others come one by one: when each asked, got it, and gave it back."""
    lock = LOCKS[name](path)
    if index == 0:
        lock.acquire()
        asked = got = go()
        sleep_until(asked + (_WAITERS + 2) * _STAGGER_NS + linger_ns)
    else:
        sleep_until(go() + index * _STAGGER_NS + random.randrange(_STAGGER_NS // 2))
        asked = time.monotonic_ns()
        lock.acquire()
        got = time.monotonic_ns()
        time.sleep(_HAND_OFF_HELD_S)
    released = time.monotonic_ns()
    lock.release()
    return asked, got, released
