"""`log-read`, `log-memory`: how fast a log is read, and what a reader of a large one holds.

`python -m benchmarks.workloads.log_reading NAME PATH` reads all that there is; it prints kibibytes.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from benchmarks.log_peers import RECORD, open_database, open_lmdb
from benchmarks.peers import missing
from benchmarks.runner import Contender, Experiment
from benchmarks.workloads.memory import forget_peak, resident_kib

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from benchmarks.workloads import Setting

    Count = Callable[[str], int]

__all__ = ["READERS", "log_memory", "log_read", "written"]

_RAW = "raw reads"
_PIECE_BYTES = 256 << 10
_BATCH = 64
_LARGE = bytes(1024)
_LARGE_BATCH = 256


def _raw(path: str) -> int:
    """Read every file in pieces, and look at nothing."""
    total = 0
    names = [os.path.join(path, name) for name in os.listdir(path)] if os.path.isdir(path) else []
    for name in names or [path]:
        fd = os.open(name, os.O_RDONLY | os.O_CLOEXEC)
        try:
            while piece := os.read(fd, _PIECE_BYTES):
                total += len(piece)
        finally:
            os.close(fd)
    return total


def _log(path: str) -> int:
    from holdfast.primitives.log import Log

    count = 0
    with Log(path) as log:
        for _ in log.read():
            count += 1
    return count


def _lines(path: str) -> int:
    count = 0
    with open(path, "rb") as file:
        for _ in file:
            count += 1
    return count


def _database(path: str) -> int:
    database, count = open_database(path), 0
    for _ in database.execute("SELECT id, data FROM log ORDER BY id"):
        count += 1
    database.close()
    return count


def _lmdb(path: str) -> int:
    environment, count = open_lmdb(path), 0
    with environment.begin() as transaction:
        for _ in transaction.cursor():
            count += 1
    environment.close()
    return count


READERS: dict[str, Count] = {
    _RAW: _raw,
    "holdfast.Log": _log,
    "lines of a text file": _lines,
    "sqlite3": _database,
    "lmdb": _lmdb,
}


def log_read(setting: Setting) -> Generator[Experiment, None, None]:
    """Records of 120 bytes in the page cache: one a frame, then 64 a frame."""
    records = setting.pick(30_000, 200_000) // _BATCH * _BATCH
    for name, batch in (("single", 1), ("batches", _BATCH)):
        folder = setting.folder(f"log-read-{name}")
        made = written(folder, records, batch)
        contenders = [
            Contender(who, functools.partial(_timed, READERS[who], path, records), "")
            for who, path in made.items()
        ]
        yield Experiment(
            f"log-read-{name}", f"{setting.place.label}, {records:,} records",
            {"time": "µs a record"}, contenders, _RAW, setting.pick(5, 25), setting.pick(4, 20),
        )  # fmt: skip


def written(folder: str, records: int, batch: int) -> dict[str, str]:
    """Write the same records for every reader; return where each finds them."""
    log, lines = os.path.join(folder, "log"), os.path.join(folder, "lines")
    _write_log(log, RECORD, records=records, batch=batch)
    with open(lines, "wb") as file:
        file.write((RECORD.translate(bytes(max(i, 11) for i in range(256))) + b"\n") * records)
    places = {_RAW: log, "holdfast.Log": log, "lines of a text file": lines}
    places["sqlite3"] = os.path.join(folder, "database")
    database = open_database(places["sqlite3"])
    database.execute("BEGIN")
    database.executemany("INSERT INTO log (data) VALUES (?)", ((RECORD,) for _ in range(records)))
    database.execute("COMMIT")
    database.close()
    if not missing("lmdb"):
        places["lmdb"] = os.path.join(folder, "lmdb")
        environment = open_lmdb(places["lmdb"])
        with environment.begin(write=True) as transaction:
            for number in range(records):
                transaction.put(number.to_bytes(8, "big"), RECORD, append=True)
        environment.close()
    return places


def _write_log(path: str, record: bytes, *, records: int, batch: int) -> None:
    from holdfast.primitives.log import Log

    with Log(path, sync="never") as log:
        if batch == 1:
            for _ in range(records):
                log.append(record)
        else:
            for _ in range(records // batch):
                log.append_many([record] * batch)
        log.barrier()


def _timed(read: Count, path: str, records: int) -> dict[str, float]:
    begin = time.perf_counter_ns()
    count = read(path)
    taken_us = (time.perf_counter_ns() - begin) / 1e3
    if read is not _raw and count != records:
        raise RuntimeError(f"{path}: {count} records of {records} were read")
    return {"time": taken_us / records}


def log_memory(setting: Setting) -> Generator[Experiment, None, None]:
    """A log of 10 GiB (1 GiB when quick, or where the disk has no room for more), read once."""
    folder = setting.folder("log-memory")
    size_gib = setting.pick(1, 10)
    if shutil.disk_usage(folder).free < (size_gib + 4) << 30:
        size_gib = 1
    path = os.path.join(folder, "log")
    _write_log(path, _LARGE, records=size_gib << 20, batch=_LARGE_BATCH)
    contenders = [
        Contender(name, functools.partial(_measured, name, path)) for name in (_RAW, "holdfast.Log")
    ]
    try:
        yield Experiment(
            "log-memory", f"{setting.place.label}, {size_gib} GiB",
            {"peak above start": "MiB", "time": "s"}, contenders, _RAW,
            1, 1, least=1, warm_up=False,
        )  # fmt: skip
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _measured(name: str, path: str) -> dict[str, float]:
    words = (sys.executable, "-m", "benchmarks.workloads.log_reading", name, path)
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{name}: exit code {done.returncode}. {done.stderr.strip()[-500:]}")
    kib, taken_s = done.stdout.split()
    return {"peak above start": int(kib) / 1024, "time": float(taken_s)}


def _child(name: str, path: str) -> None:
    read = READERS[name]
    small = path + "-small"
    if name != _RAW and not os.path.exists(small):
        _write_log(small, RECORD, records=_BATCH, batch=_BATCH)
    if name != _RAW:
        read(small)  # what a first use loads is not held by the reader
    forget_peak()
    before = resident_kib("VmRSS")
    begin = time.perf_counter()
    if not read(path):
        raise RuntimeError(f"{path}: nothing was read")
    print(resident_kib("VmHWM") - before, f"{time.perf_counter() - begin:.3f}")


if __name__ == "__main__":
    _child(sys.argv[1], sys.argv[2])
