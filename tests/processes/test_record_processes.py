"""Many processes at one file of records, some of them killed."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path
from signal import SIGKILL

import pytest

from holdfast.primitives.record_file import RecordFile
from tests.support.budget import scaled
from tests.support.record_bytes import FIELDS, record

ROOT = Path(__file__).resolve().parents[2]


def start(path: Path, worker: int, count: int) -> subprocess.Popen[str]:
    """Start a process that changes records."""
    command = [sys.executable, "-m", "tests.support.record_process", str(path)]
    return subprocess.Popen(
        [*command, str(worker), str(count)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("kill", [False, True])
def test_no_acknowledged_change_is_lost_and_no_lock_is_left(tmp_path: Path, kill: bool) -> None:
    """Of any of four processes; a killed one has at most one change that it did not tell."""
    path = tmp_path / "r.rec"
    with RecordFile(path, FIELDS, chunk_bytes=4096) as records:
        records.append_many([record(number) for number in range(9)])
    changes = 1_000_000 if kill else scaled(200)  # none ends before it is killed
    workers = [start(path, worker, changes) for worker in range(4)]
    told: Counter[int] = Counter()
    appended: list[int] = []
    for worker in workers:
        stream = worker.stdout
        assert stream is not None
        if kill:
            for _ in range(30):
                count(stream.readline(), told, appended)
            worker.kill()
        for line in stream:
            count(line, told, appended)
        stream.close()
        assert (-SIGKILL if kill else 0) == worker.wait(60)
    with RecordFile(path) as records:
        found = [int(str(one["value"])) for one in records]
        untold = sum(found[:8]) - told.total()
        assert 0 <= untold <= 4 * kill
        assert all(found[number] >= told[number] for number in range(8))
        assert record(8) == records[8]
        assert len({*appended}) == len(appended) <= len(records) - 9
        assert records.check().ok
        with records.lock(*range(8), timeout_s=0):
            records.update(0, {"value": 0})


def count(line: str, told: Counter[int], appended: list[int]) -> None:
    """Take down what a line tells."""
    if line.endswith("\n"):
        number, *more = line.split()
        told[int(number)] += 1
        appended += map(int, more)
