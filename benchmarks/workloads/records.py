"""`record-update`, `record-processes`, `record-lock`: records of 48 bytes, changed in place."""

from __future__ import annotations

import functools
import os
import random
import threading
import time
from contextlib import ExitStack
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from benchmarks.crew import Crew
from benchmarks.machine import settler
from benchmarks.peers import LOCKS
from benchmarks.record_peers import IN_PLACE, OURS, RECORD_PEERS, RECORDS, record_peers
from benchmarks.runner import Contender, Experiment, quantile
from benchmarks.stepping import sample_of, walk

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Generator

    from benchmarks.crew import Go
    from benchmarks.record_peers import RecordPeer
    from benchmarks.workloads import Setting

__all__ = ["pay_for_a_while", "record_lock", "record_processes", "record_update"]

_PROCESSES = 4
_HELD = 1_000
_FREE = 1_000
_RECORDS = 9_000
_FLOCK = "raw flock, kept open"
_ONE = f"{IN_PLACE}, one process"


def record_update(setting: Setting) -> Generator[Experiment, None, None]:
    """One thread, random records, one durable update after the other."""
    folder = setting.folder("record-update")
    times = setting.pick(50, 100)
    with ExitStack() as stack:
        contenders = []
        for name in record_peers():
            peer = RECORD_PEERS[name](os.path.join(folder, name))
            stack.callback(peer.close)
            contenders.append(Contender(name, functools.partial(_pay, peer, times)))
        yield Experiment(
            "record-update", setting.place.label, {"time": "µs", "p95": "µs"}, contenders, IN_PLACE,
            setting.pick(15, 100), setting.pick(4, 25), settler(folder), ours=OURS,
        )  # fmt: skip


def _pay(peer: RecordPeer, times: int) -> dict[str, float]:
    clock, pay = time.perf_counter_ns, peer.pay
    numbers = random.choices(range(RECORDS), k=times)
    moments = [clock()]
    for number in numbers:
        pay(number, 1)
        moments.append(clock())
    taken = [(after - before) / 1e3 for before, after in pairwise(moments)]
    return {"time": sum(taken) / times, "p95": quantile(taken, 0.95)}


def record_processes(setting: Setting) -> Generator[Experiment, None, None]:
    """Four processes at random records of one file; beside them raw calls of one process alone."""
    folder = setting.folder("record-processes")
    for name in record_peers():
        RECORD_PEERS[name](os.path.join(folder, name)).close()
    span_s = 0.1 if setting.quick else 0.3
    metrics = {"time": "µs", "p99": "ms", "worst wait": "ms", "unfairness": "most/least"}
    with Crew(_PROCESSES) as crew:
        contenders = [
            Contender(name, functools.partial(_in_processes, crew, folder, name, span_s))
            for name in (_ONE, *(name for name in record_peers() if "again" not in name))
        ]
        yield Experiment(
            "record-processes", setting.place.label, metrics, contenders, _ONE,
            setting.pick(5, 20), setting.pick(5, 30), settler(folder), ours=OURS,
        )  # fmt: skip


def _in_processes(crew: Crew, folder: str, name: str, span_s: float) -> dict[str, float]:
    answers = [found for found in crew.run(pay_for_a_while, folder, name, span_s) if found]
    return sample_of([walk for walk, _ in answers], max(taken_ns for _, taken_ns in answers))


def pay_for_a_while(
    index: int, go: Go, folder: str, name: str, span_s: float
) -> tuple[array[int], int] | None:
    """One of the four: the nanoseconds of its updates, and the whole time."""
    if index and name == _ONE:
        go()
        return None
    kind = IN_PLACE if name == _ONE else name
    peer = RECORD_PEERS[kind](os.path.join(folder, kind))
    dice = random.Random(index)
    try:
        peer.pay(0, 1)  # what a first use makes and loads is not timed
        start_ns = go()
        step: Callable[[], object] = lambda: peer.pay(dice.randrange(RECORDS), 1)  # noqa: E731
        return walk(step, start_ns + int(span_s * 1e9)), time.monotonic_ns() - start_ns
    finally:
        peer.close()


def record_lock(setting: Setting) -> Generator[Experiment, None, None]:
    """The lock of one record, taken and given back; by itself, and while 1,000 others are held."""
    import holdfast

    folder = setting.folder("record-lock")
    with ExitStack() as stack:
        file: Any = holdfast.RecordFile(os.path.join(folder, "records"), {"n": "Q"}, sync="never")
        stack.enter_context(file)
        file.append_many({"n": n} for n in range(_RECORDS))
        flock = LOCKS[_FLOCK](os.path.join(folder, "flock"))
        contenders = [
            Contender(_FLOCK, functools.partial(_taken, flock)),
            Contender(OURS, functools.partial(_taken, _One(file))),
            Contender(f"{OURS}, {_HELD:,} held", functools.partial(_beside_many, file)),
        ]
        yield Experiment(
            "record-lock", setting.place.label, {"time": "µs"}, contenders, _FLOCK,
            setting.pick(12, 40), setting.pick(3, 15), ours=OURS,
        )  # fmt: skip


class _One:
    """The lock of one record, random among those that nobody else has."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def acquire(self) -> None:
        self._lock = self._file.lock(random.randrange(_FREE))
        self._lock.__enter__()

    def release(self) -> None:
        self._lock.__exit__(None, None, None)


def _taken(lock: Any, times: int = 500) -> dict[str, float]:
    acquire, release = lock.acquire, lock.release
    begin = time.perf_counter_ns()
    for _ in range(times):
        acquire()
        release()
    return {"time": (time.perf_counter_ns() - begin) / 1e3 / times}


def _beside_many(file: Any) -> dict[str, float]:
    """Another thread holds so many, here and there in the file, all the while."""
    others = random.sample(range(_FREE, _RECORDS), _HELD)
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with file.lock(*others):
            held.set()
            done.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    try:
        return _taken(_One(file))
    finally:
        done.set()
        thread.join()
