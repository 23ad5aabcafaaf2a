"""Documents changed by many processes and threads at once, some of them killed."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import holdfast
from tests.support.budget import scaled
from tests.support.leftovers import temporary

ROOT = Path(__file__).resolve().parents[2]
EMPTY = '{"total": 0, "by": {}, "by_command_line": 0}'


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a process of tests/support/document_process.py; all of them are ended with the test."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.support.document_process", *map(str, arguments)]
        pipe = subprocess.PIPE
        started.append(subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=pipe, text=True))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
            process.communicate()


def finish(process: subprocess.Popen[str]) -> str:
    """Wait for a process that must succeed, and return what it printed."""
    output, errors = process.communicate(timeout=600)
    assert 0 == process.returncode, errors
    return output


@pytest.fixture
def quick_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: nothing here depends on the disk, and syncs are many."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else tmp_path))
    yield folder
    shutil.rmtree(folder)


@pytest.mark.timeout(900)
def test_no_update_is_lost_among_processes_and_threads(start: Start, quick_folder: Path) -> None:
    """4 processes x 8 threads x 250 changes in every way: all are there, and no reader sees a torn file."""
    path = quick_folder / "state.json"
    path.write_text(EMPTY)
    each = 250
    writers = [start("change", path, name, 8, each) for name in "abcd"]
    readers = [start("read", path, scaled(50_000)) for _ in range(2)]
    for writer in writers:
        finish(writer)

    state = json.loads(path.read_text())
    assert 4 * 8 * each == state["total"]
    assert {f"{name}-{thread}": each for name in "abcd" for thread in range(8)} == state["by"]
    assert 4 * 8 * each // 50 == state["by_command_line"]
    assert ["0\n", "0\n"] == [finish(reader) for reader in readers]
    assert [] == temporary(quick_folder)


def test_killed_writers_lose_nothing_that_was_acknowledged(start: Start, tmp_path: Path) -> None:
    """Writers killed at random: each acknowledged change is there, at most one more a writer, and others go on."""
    path = tmp_path / "state.json"
    path.write_text(EMPTY)
    dice = random.Random(11)
    acknowledged: dict[str, int] = {}
    steady = start("change", path, "steady", 1, 200)
    for number in range(scaled(12)):
        name = f"killed-{number}"
        process = start("acknowledge", path, name)
        assert process.stdout is not None
        for _ in range(dice.randint(1, 12)):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        rest, _ = process.communicate(timeout=60)
        assert -signal.SIGKILL == process.returncode
        state = holdfast.Document(path).read()
        acknowledged[name] = state["by"][name]
        lines = [int(line) for line in rest.split() if line.isdigit()]
        assert max(lines, default=0) <= state["by"][name] <= max(lines, default=20) + 1
    finish(steady)

    state = json.loads(path.read_text())
    assert 200 == state["by"]["steady-0"]
    assert acknowledged == {name: state["by"][name] for name in acknowledged}
    assert state["total"] == sum(state["by"].values())
    holdfast.sweep(tmp_path)
    assert [] == temporary(tmp_path)
