"""The appenders that a log is compared with: each keeps every record, from threads too."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from typing import Any

import pytest

from benchmarks.log_peers import ALONE, APPENDERS, RECORD, TOGETHER, ZEROED, open_lmdb
from benchmarks.peers import missing
from benchmarks.workloads.log import append_until, shared
from benchmarks.workloads.log_reading import READERS, written

THREADS, EACH = 4, 5


def _append_in_threads(name: str, path: str) -> None:
    appender = APPENDERS[name](path)
    failed: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(EACH):
                appender.append(RECORD)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    appender.close()
    assert [] == failed


def _count(name: str, path: str) -> int:
    if name.startswith("sqlite3"):
        with sqlite3.connect(path) as database:
            found = database.execute("SELECT count(*), count(DISTINCT id) FROM log").fetchone()
        database.close()
        assert found[0] == found[1]
        return found[0]
    if name == "lmdb":
        environment = open_lmdb(path)
        entries = environment.stat()["entries"]
        environment.close()
        return entries
    if name == "holdfast.Log":
        from holdfast.primitives.log import Log

        with Log(path) as log:
            return sum(1 for record in log.read() if RECORD == record.data)
    size = os.path.getsize(path)
    assert 0 == size % 160
    return size // 160


@pytest.mark.parametrize("name", TOGETHER)
def test_every_record_of_every_thread_is_kept(tmp_path, name):
    """Four threads append at a time, and none of their records is lost or overwritten."""
    if absent := missing(name):
        pytest.skip(f"{', '.join(absent)} is not installed")
    path = str(tmp_path / "log")
    _append_in_threads(name, path)

    assert THREADS * EACH == _count(name, path)


@pytest.mark.parametrize("name", ALONE)
def test_floor_never_grows(tmp_path, name):
    """Blocks that are there are written, and again from the start when all are full."""
    path = tmp_path / "log"
    floor: Any = APPENDERS[name](str(path))
    size = path.stat().st_size
    floor._offset = size - 200  # one fits, the next one does not
    floor.append(RECORD)
    floor.append(RECORD)
    floor.close()
    found = path.read_bytes()

    assert size == len(found)
    assert RECORD == found[40:160]
    assert RECORD == found[size - 160 : size - 40]


def test_every_name_has_an_appender():
    """A row that names nothing would fail only when it is measured."""
    assert {*ALONE, *TOGETHER} <= {*APPENDERS}
    assert ZEROED == ALONE[0]


def test_appending_ends_with_the_moment_and_counts():
    """What was begun before it is counted, with its longest wait; a past moment has none."""
    seen: list[bytes] = []
    count, worst = append_until(time.monotonic_ns() + 20_000_000, seen.append)

    assert len(seen) == count
    assert 0 < worst
    assert (0, 0) == append_until(0, seen.append)
    assert len(seen) == count


def test_starved_process_makes_the_worst_unfairness():
    """One that got nothing counts as one record, not as nobody."""
    found = shared([(1_000_000, 30, 5_000_000), (0, 0, 2_000_000)])

    assert {"time": 0.005, "worst wait": 3e-05, "unfairness": 1e6} == found


@pytest.mark.parametrize("batch", [1, 64])
def test_every_reader_reads_every_record(tmp_path, batch):
    """All are given the same records, and the figures are of reading all of them."""
    places = written(str(tmp_path), 128, batch)

    assert {"holdfast.Log", "sqlite3", "lines of a text file"} <= {*places}
    assert {128} == {READERS[name](path) for name, path in places.items() if name != "raw reads"}
    assert READERS["raw reads"](places["raw reads"]) >= 128 * len(RECORD)
