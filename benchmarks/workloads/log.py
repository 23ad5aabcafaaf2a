"""`log-append`, `log-threads`, `log-asyncio`, `log-processes`: durable records of 120 bytes.

All are compared with one thread that writes into blocks of zeros and syncs, record by record.
"""

from __future__ import annotations

import asyncio
import functools
import os
import threading
import time
from contextlib import ExitStack
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from benchmarks.crew import Crew
from benchmarks.log_peers import ALONE, APPENDERS, RECORD, TOGETHER, ZEROED
from benchmarks.machine import settler
from benchmarks.peers import available
from benchmarks.runner import Contender, Experiment, quantile

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from benchmarks.crew import Go
    from benchmarks.log_peers import Appender
    from benchmarks.workloads import Setting

    Sample = dict[str, float]

__all__ = ["append_until", "log_append", "log_asyncio", "log_processes", "log_threads", "shared"]

_PROCESSES = 4
_IN_PROCESSES = ("append + fdatasync", "holdfast.Log", "sqlite3, one connection", "lmdb")
_SLOWEST = "sqlite3, one a thread"  # 64 of these take seconds for what the others do in 0.2
_IN_TASKS = ("holdfast.Log", "sqlite3, one writer thread")
_SLOW_SYNC_US = 2000


def log_append(setting: Setting) -> Generator[Experiment, None, None]:
    """One thread, one record after the other."""
    folder = setting.folder("log-append")
    times = 20 if setting.place.sync_us >= _SLOW_SYNC_US else 100
    with ExitStack() as stack:
        names = [name for name in APPENDERS if name != _SLOWEST]
        made = _opened(names, folder, stack)
        contenders = [
            Contender(name, functools.partial(_one_by_one, appender, times), name)
            for name, appender in made.items()
        ]
        yield Experiment(
            "log-append", setting.place.label, {"time": "µs", "p95": "µs"}, contenders, ZEROED,
            setting.pick(20, 150), setting.pick(4, 20), settler(folder),
        )  # fmt: skip


def _opened(names: Iterable[str], folder: str, stack: ExitStack) -> dict[str, Appender]:
    made: dict[str, Appender] = {}
    for name in available(names):
        made[name] = APPENDERS[name](os.path.join(folder, name))
        stack.callback(made[name].close)
    return made


def _one_by_one(appender: Appender, times: int) -> Sample:
    append, clock = appender.append, time.perf_counter_ns
    moments = [clock()]
    for _ in range(times):
        append(RECORD)
        moments.append(clock())
    taken = [(after - before) / 1e3 for before, after in pairwise(moments)]
    return {"time": sum(taken) / times, "p95": quantile(taken, 0.95)}


def log_threads(setting: Setting) -> Generator[Experiment, None, None]:
    """16 and 64 threads at one log; the floor is one thread that does nothing else."""
    for threads, names in ((16, TOGETHER), (64, [n for n in TOGETHER if n != _SLOWEST])):
        folder = setting.folder(f"log-threads-{threads}")
        with ExitStack() as stack:
            contenders = [
                Contender(
                    name,
                    functools.partial(
                        _in_threads,
                        appender,
                        threads=1 if name in ALONE else threads,
                        span_s=_span_s(setting),
                    ),
                    name,
                )
                for name, appender in _opened((*ALONE[:2], *names), folder, stack).items()
            ]
            yield _counting(setting, f"log-threads-{threads}", contenders, folder)


def _span_s(setting: Setting) -> float:
    return 0.4 if setting.place.sync_us >= _SLOW_SYNC_US else 0.1 if setting.quick else 0.2


def _counting(
    setting: Setting, name: str, contenders: list[Contender], folder: str, **metrics: str
) -> Experiment:
    return Experiment(
        name, setting.place.label, {"time": "µs a record", "worst wait": "ms", **metrics},
        contenders, ZEROED, setting.pick(5, 20), setting.pick(5, 30), settler(folder),
    )  # fmt: skip


def append_until(end_ns: int, append: Callable[[bytes], object]) -> tuple[int, int]:
    """Append record after record until a moment: how many, and the longest wait in ns."""
    clock = time.monotonic_ns
    count = worst = 0
    before = clock()
    while before < end_ns:
        append(RECORD)
        after = clock()
        worst = max(worst, after - before)
        count, before = count + 1, after
    return count, worst


def _in_threads(appender: Appender, *, threads: int, span_s: float) -> Sample:
    """All begin together; an append that is under way at the end is counted, with its time."""
    begin = threading.Barrier(threads + 1)
    found: list[tuple[int, int]] = []

    def work() -> None:
        begin.wait()
        found.append(append_until(time.monotonic_ns() + int(span_s * 1e9), appender.append))

    crew = [threading.Thread(target=work) for _ in range(threads)]
    for thread in crew:
        thread.start()
    begin.wait()
    started = time.monotonic_ns()
    for thread in crew:
        thread.join()
    if len(found) != threads:
        raise RuntimeError(f"{threads - len(found)} of {threads} threads failed: see above")
    return _counted(found, time.monotonic_ns() - started)


def _counted(found: list[tuple[int, int]], taken_ns: int) -> Sample:
    records = sum(count for count, _ in found)
    return {
        "time": taken_ns / 1e3 / max(records, 1),
        "worst wait": max(worst for _, worst in found) / 1e6,
    }


def log_asyncio(setting: Setting) -> Generator[Experiment, None, None]:
    """64 and 256 tasks of one event loop."""
    for tasks in (64, 256):
        folder = setting.folder(f"log-asyncio-{tasks}")
        span_s = _span_s(setting)
        with ExitStack() as stack:
            made = _opened((*ALONE[:2], *_IN_TASKS), folder, stack)
            contenders = [
                Contender(name, functools.partial(_alone, made[name], span_s), name)
                for name in ALONE[:2]
            ]
            log: Any = made["holdfast.Log"]
            database = made["sqlite3, one writer thread"]
            contenders += [
                Contender(name, functools.partial(_in_tasks, append, tasks, span_s), traced)
                for name, append, traced in (
                    ("holdfast.Log", log.aappend, "holdfast.Log"),
                    ("sqlite3, in threads", _threaded(database), "sqlite3, one writer thread"),
                )
            ]
            yield _counting(setting, f"log-asyncio-{tasks}", contenders, folder)


def _alone(appender: Appender, span_s: float) -> Sample:
    return _in_threads(appender, threads=1, span_s=span_s)


def _threaded(appender: Appender) -> Callable[[bytes], Any]:
    return functools.partial(asyncio.to_thread, appender.append)


def _in_tasks(append: Callable[[bytes], Any], tasks: int, span_s: float) -> Sample:
    async def work(end_ns: int) -> tuple[int, int]:
        clock = time.monotonic_ns
        count = worst = 0
        before = clock()
        while before < end_ns:
            await append(RECORD)
            after = clock()
            worst = max(worst, after - before)
            count, before = count + 1, after
        return count, worst

    async def run() -> Sample:
        started = time.monotonic_ns()
        end_ns = started + int(span_s * 1e9)
        found = await asyncio.gather(*(work(end_ns) for _ in range(tasks)))
        return _counted(found, time.monotonic_ns() - started)

    return asyncio.run(run())


def log_processes(setting: Setting) -> Generator[Experiment, None, None]:
    """Four processes at one log, each record by record; the floor is one of them alone."""
    folder = setting.folder("log-processes")
    names = available((*ALONE[:2], *_IN_PROCESSES))
    with Crew(_PROCESSES) as crew:
        contenders = [
            Contender(
                name,
                functools.partial(
                    _in_processes, crew, name, os.path.join(folder, name), _span_s(setting)
                ),
                name,
            )
            for name in names
        ]
        yield _counting(setting, "log-processes", contenders, folder, unfairness="most/least")


def _in_processes(crew: Crew, name: str, path: str, span_s: float) -> Sample:
    answers = crew.run(append_records, name, path, span_s)
    return shared([answer for answer in answers if answer is not None])


def shared(found: list[tuple[int, int, int]]) -> Sample:
    """Put together what processes say: records, longest wait and whole time of each."""
    counts = [count for count, _, _ in found]
    records = sum(counts)
    return {
        "time": max(taken for _, _, taken in found) / 1e3 / records,
        "worst wait": max(worst for _, worst, _ in found) / 1e6,
        "unfairness": max(counts) / max(min(counts), 1),
    }


def append_records(
    index: int, go: Go, name: str, path: str, span_s: float
) -> tuple[int, int, int] | None:
    """One of the four: how many records, the longest wait and the whole time in ns."""
    if index and name in ALONE:
        go()
        return None
    appender = APPENDERS[name](path)
    try:
        appender.append(RECORD)  # what a first use makes and loads is not timed
        start_ns = go()
        count, worst = append_until(start_ns + int(span_s * 1e9), appender.append)
        return count, worst, time.monotonic_ns() - start_ns
    finally:
        appender.close()
