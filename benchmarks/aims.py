"""What holdfast wants to reach, and whether a run did: met, missed, or not measured and why."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal, NamedTuple

from benchmarks.log_peers import ZEROED
from benchmarks.record_peers import IN_PLACE
from benchmarks.runner import Spread, differences, median_interval, ratios, spread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from benchmarks.machine import Place
    from benchmarks.runner import Measured

__all__ = ["AIMS", "NOT_RUN", "Aim", "Outcome", "doubt", "judge"]

_TIMES = {"x", "ms", "µs"}
NOT_RUN = "not run"


class Aim(NamedTuple):
    """One figure of one contender, against a limit.

    `how`: the figure itself, its ratio to or difference from `against` of the same round, or how
    many times faster than `against` it is. `who` may be a pattern: the worst that matches counts.
    So may `against`, with `|` between several: the best that matches counts.
    """

    text: str
    experiment: str
    metric: str
    who: str
    how: Literal["value", "ratio", "difference", "speed-up"]
    limit: float
    unit: str = "x"
    against: str = "raw calls"
    pick: Literal["median", "worst"] = "median"
    only: Callable[[Place], bool] = lambda _: True
    only_text: str = ""


class Outcome(NamedTuple):
    """An aim at one place, with what was found."""

    aim: Aim
    place: str
    found: Spread | None
    verdict: str


def _on_disk(place: Place) -> bool:
    return place.is_disk


def _in_memory(place: Place) -> bool:
    return not place.is_disk


def _slow_flush(place: Place) -> bool:
    return place.sync_us >= 2000


def _fast_flush(place: Place) -> bool:
    return not _slow_flush(place)


_ON_DISK = {"only": _on_disk, "only_text": "on a disk"}
_MANY = "holdfast.write_many"
_BY_HAND = "best hand-written recipe"
_FLOCK = "raw flock, kept open"
_LOG = "holdfast.Log"
_STORE = "holdfast.Store"
_SQLITE = "sqlite3*|apsw"
_RECORDS = "holdfast.RecordFile"

AIMS: tuple[Aim, ...] = (
    Aim("replace 4 KiB, durable: ≤ 1.08 x the raw calls", "replace-small", "time",
        "holdfast.write_bytes", "ratio", 1.08, **_ON_DISK),  # type: ignore[arg-type]
    Aim("replace 4 KiB in memory: ≤ 1.32 x the raw calls (30 µs where they take 22.7)",
        "replace-small", "time", "holdfast.write_bytes", "ratio", 1.32,
        only=_in_memory, only_text="in memory"),
    Aim("the seam costs nothing visible: ≤ 1.02 x the same calls inline", "seam-cost", "time",
        "through the seam", "ratio", 1.02, **_ON_DISK),  # type: ignore[arg-type]
    Aim("write_many, 1,000 new files: ≥ 5 x faster than one by one", "write-many-new", "time",
        _MANY, "speed-up", 5.0),
    Aim("write_many, 1,000 replaced: ≥ 5 x faster than one by one", "write-many-replacing", "time",
        _MANY, "speed-up", 5.0),
    Aim("write_many, new, slow flush: ≥ 20 x faster than one by one", "write-many-new", "time",
        _MANY, "speed-up", 20.0, only=_slow_flush, only_text="where one sync takes ≥ 2 ms"),
    Aim("write_many, replaced, slow flush: ≥ 20 x faster than one by one", "write-many-replacing",
        "time", _MANY, "speed-up", 20.0, only=_slow_flush, only_text="where one sync takes ≥ 2 ms"),
    Aim("FileLock, uncontended: ≤ 2 µs", "lock-uncontended", "time", "holdfast.FileLock", "value",
        2.0, "µs"),
    Aim("FileLock, uncontended, by `with`: ≤ 2 µs", "lock-uncontended", "time", "holdfast, with",
        "value", 2.0, "µs"),
    Aim("FileLock, hand-off: median ≤ 0.15 ms", "lock-hand-off", "hand-off", "holdfast.FileLock",
        "value", 0.15, "ms"),
    Aim("FileLock: first come, first served", "lock-hand-off", "out of turn", "holdfast.FileLock",
        "value", 0.0, "of 5", pick="worst"),
    Aim("FileLock: no starvation, worst wait ≤ 2 x raw flock's", "lock-contended", "worst wait",
        "holdfast.FileLock", "ratio", 2.0, against=_FLOCK),
    Aim("Document.update, 1 KiB JSON: ≤ 1.10 x the best by hand", "document-update", "time",
        "holdfast.Document.update", "ratio", 1.10, against=_BY_HAND),
    Aim("the same, with an indent of two: ≤ 1.10 x", "document-update-indented", "time",
        "holdfast.Document.update", "ratio", 1.10, against=_BY_HAND),
    Aim("Document, 4 processes: worst wait ≤ 1/10 of filelock + atomicwrites", "document-contended",
        "worst wait", "holdfast.Document.update", "ratio", 0.10, against="filelock + atomicwrites"),
    Aim("Document, 4 processes: no update lost", "document-contended", "lost",
        "holdfast.Document.update", "value", 0.0, "lost", pick="worst"),
    Aim("Log.append, one thread: ≤ 1.05 x the zeroed floor", "log-append", "time", _LOG, "ratio",
        1.05, against=ZEROED, **_ON_DISK),  # type: ignore[arg-type]
    Aim("Log.append, 16 threads: ≥ 5 x the floor's rate", "log-threads-16", "time", _LOG,
        "speed-up", 5.0, against=ZEROED),
    Aim("Log.append, 64 threads: ≥ 8 x the floor's rate", "log-threads-64", "time", _LOG,
        "speed-up", 8.0, against=ZEROED),
    Aim("Log.aappend, 64 tasks: ≥ 15 x the floor's rate", "log-asyncio-64", "time", _LOG,
        "speed-up", 15.0, against=ZEROED),
    Aim("Log.aappend, 256 tasks: ≥ 15 x the floor's rate", "log-asyncio-256", "time", _LOG,
        "speed-up", 15.0, against=ZEROED),
    Aim("Log.append, 4 processes: ≥ 1.3 x one writer's floor", "log-processes", "time", _LOG,
        "speed-up", 1.3, against=ZEROED, only=_fast_flush, only_text="where one sync takes < 2 ms"),
    Aim("Log.append, 4 processes, slow flush: ≥ 3 x one writer's floor", "log-processes", "time",
        _LOG, "speed-up", 3.0, against=ZEROED, only=_slow_flush,
        only_text="where one sync takes ≥ 2 ms"),
    Aim("Log.append, 4 processes: none gets more than twice what another gets", "log-processes",
        "unfairness", _LOG, "value", 2.0, "x"),
    Aim("Log.read: ≥ 1M records/s, one a frame", "log-read-single", "time", _LOG, "value", 1.0,
        "µs"),
    Aim("Log.read: ≥ 2M records/s, 64 a frame", "log-read-batches", "time", _LOG, "value", 0.5,
        "µs"),
    Aim("Log.read of a large log: < 16 MiB held", "log-memory", "peak above start", _LOG, "value",
        16.0, "MiB", pick="worst"),
    *(
        aim
        for age in ("young", "steady")
        for aim in (
            Aim(f"Store.put, one thread, {age}: ≤ 1.10 x the zeroed floor", f"store-put-{age}",
                "time", _STORE, "ratio", 1.10, against=ZEROED, **_ON_DISK),  # type: ignore[arg-type]
            Aim(f"the same, {age}: ahead of SQLite and apsw, WAL FULL", f"store-put-{age}",
                "time", _STORE, "speed-up", 1.0, against=_SQLITE, **_ON_DISK),  # type: ignore[arg-type]
            Aim(f"the same, {age}: ahead of LMDB", f"store-put-{age}",
                "time", _STORE, "speed-up", 1.0, against="lmdb", **_ON_DISK),  # type: ignore[arg-type]
            Aim(f"the same, {age}: ahead of RocksDB, also with recycled logs", f"store-put-{age}",
                "time", _STORE, "speed-up", 1.0, against="rocksdict*", **_ON_DISK),  # type: ignore[arg-type]
        )
    ),
    Aim("Store.put, 16 threads: ≥ 3 x SQLite's best rate", "store-threads", "time", _STORE,
        "speed-up", 3.0, against=_SQLITE, only=_fast_flush,
        only_text="where one sync takes < 2 ms"),
    Aim("Store.put, 16 threads, slow flush: no fewer in a sync than SQLite's best", "store-threads",
        "time", _STORE, "speed-up", 1.0, against=_SQLITE, only=_slow_flush,
        only_text="where one sync takes ≥ 2 ms"),
    Aim("Store.put, 16 threads: ≥ 10 x LMDB's rate", "store-threads", "time", _STORE,
        "speed-up", 10.0, against="lmdb"),
    Aim("Store.get: ≤ 1 µs", "store-get", "time", _STORE, "value", 1.0, "µs"),
    Aim("Store.get: ahead of LMDB", "store-get", "time", _STORE, "speed-up", 1.0, against="lmdb"),
    Aim("Store, reopened after a kill: ≥ 2M records/s replayed from batches",
        "store-reopen-batches", "time", _STORE, "value", 0.5, "µs"),
    Aim("Store, reopened after a kill: 1M keys from a checkpoint in < 1 s",
        "store-reopen-checkpoint", "time", _STORE, "value", 1.0, "µs"),
    Aim("Store of many small values: ≤ 2 x a dict of the same", "store-memory", "held",
        f"{_STORE}*", "ratio", 2.0, against="dict", pick="worst"),
    *(
        Aim(f"Store, a checkpoint of a large state {among}: a {role}'s p99 ≤ 5 ms above idle",
            f"store-checkpoint-{name}", f"{role} p99", _STORE, "difference", 5.0, "ms",
            against=f"{_STORE}, idle")
        for name, among in (("threads", "in a thread"), ("processes", "in a process"))
        for role in ("writer", "reader")
    ),
    Aim("RecordFile.update: ≤ 1.10 x one in-place write + sync", "record-update", "time", _RECORDS,
        "ratio", 1.10, against=IN_PLACE, **_ON_DISK),  # type: ignore[arg-type]
    Aim("RecordFile, 4 processes at random records: ≥ 1.3 x one writer in place",
        "record-processes", "time", _RECORDS, "speed-up", 1.3, against=f"{IN_PLACE}, one process"),
    Aim("the lock of a record, with 1,000 others held: ≤ 5 µs", "record-lock", "time",
        f"{_RECORDS}, 1,000 held", "value", 5.0, "µs"),
    Aim("import holdfast: ≤ +15 ms", "import-time", "time", "holdfast", "difference", 15.0, "ms",
        against="bare interpreter"),
    Aim("import, and load Document: ≤ +15 ms", "import-time", "time", "holdfast.Document",
        "difference", 15.0, "ms", against="bare interpreter"),
    Aim("any CLI verb: ≤ 40 ms (the slowest)", "cli-verbs", "time", "holdfast *", "value", 40.0,
        "ms"),
    Aim("replace by a stream: < 4 MiB held", "stream-memory", "peak above start", "holdfast.open",
        "value", 4.0, "MiB", pick="worst"),
)  # fmt: skip


def judge(measured: Iterable[Measured], places: Sequence[Place]) -> list[Outcome]:
    """Judge every aim at every place where its experiment ran; those that ran nowhere come once."""
    runs = list(measured)
    outcomes = []
    for aim in AIMS:
        mine = [
            _judge_one(aim, run, places) for run in runs if run.experiment.name == aim.experiment
        ]
        judged = [outcome for outcome in mine if outcome is not None]
        reason = f"not measured: {aim.only_text}" if mine and aim.only_text else NOT_RUN
        outcomes += judged or [Outcome(aim, "", None, reason)]
    return outcomes


def doubt(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Mark each verdict on a time: the processors were in other hands. Counts stay as they are."""
    return [
        outcome._replace(verdict=outcome.verdict.partition(" (")[0] + " (busy)")
        if outcome.found is not None and outcome.aim.unit in _TIMES
        else outcome
        for outcome in outcomes
    ]


def _judge_one(aim: Aim, run: Measured, places: Sequence[Place]) -> Outcome | None:
    label = run.experiment.place
    place = next(place for place in places if label.partition(",")[0] == place.label)
    if not aim.only(place):
        return None
    names = [name for name in run.samples if fnmatchcase(name, aim.who)]
    if not names or (aim.how != "value" and not _rivals(aim, run)):
        return Outcome(aim, label, None, "not measured: a contender is missing")
    higher = aim.how == "speed-up"
    found = [_figures(aim, run, name) for name in names]
    figures = (min if higher else max)(found, key=lambda figures: spread(figures).median)
    return Outcome(aim, label, spread(figures), _verdict(aim, figures))


def _rivals(aim: Aim, run: Measured) -> list[list[float]]:
    patterns = aim.against.split("|")
    return [
        samples[aim.metric]
        for name, samples in run.samples.items()
        if any(fnmatchcase(name, pattern) for pattern in patterns)
    ]


def _verdict(aim: Aim, figures: Sequence[float]) -> str:
    found = spread(figures)
    figure = found.worst if aim.pick == "worst" else found.median
    met = figure >= aim.limit if aim.how == "speed-up" else figure <= aim.limit
    low, high = median_interval(figures)
    unsure = aim.pick == "median" and low <= aim.limit <= high and low < high
    return ("met" if met else "MISSED") + (" (unsure)" if unsure else "")


def _figures(aim: Aim, run: Measured, name: str) -> list[float]:
    mine = run.samples[name][aim.metric]
    if aim.how == "value":
        return mine
    other = min(_rivals(aim, run), key=lambda samples: spread(samples).median)
    if aim.how == "ratio":
        return ratios(mine, other)
    if aim.how == "speed-up":
        return ratios(other, mine)
    return differences(mine, other)
