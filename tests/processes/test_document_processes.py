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
EMPTY = '{"total": 0, "by": {}, "drafts": {}, "by_command_line": 0}'


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a process of tests/support/document_process.py; all are ended with the test."""
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
    output, errors = process.communicate(timeout=3600)
    assert 0 == process.returncode, errors
    return output


@pytest.fixture
def quick_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: syncs are many, and the disk is not the subject."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else tmp_path))
    yield folder
    shutil.rmtree(folder)


WRITERS, THREADS, EACH = 4, 8, 250


def start_writers(start: Start, path: Path, number: int) -> dict[str, subprocess.Popen[str]]:
    """Start one round of writers, each with a name of its own."""
    names = [f"{letter}{number}" for letter in "abcd"[:WRITERS]]
    return {name: start("change", path, name, THREADS, EACH) for name in names}


def start_readers(start: Start, path: Path) -> list[subprocess.Popen[str]]:
    """Start a reader by the library and one by plain open(): 1.2 million reads in `make soak`."""
    return [start("read", path, scaled(30_000), way) for way in ("library", "plain")]


def check_readers(readers: list[subprocess.Popen[str]]) -> None:
    """No read was torn, missing or older than the last, and writers were at work meanwhile."""
    for reader in readers:
        bad, seen = map(int, finish(reader).split())
        assert 0 == bad
        assert seen > 20


@pytest.mark.slow
@pytest.mark.timeout(7000)
def test_no_update_is_lost_among_processes_and_threads(start: Start, quick_folder: Path) -> None:
    """4 processes x 8 threads x 250 changes in every way: all are there, all reads are whole."""
    path = quick_folder / "state.json"
    path.write_text(EMPTY)
    readers = start_readers(start, path)
    names: list[str] = []
    for number in range(1000):  # one round, and more as long as somebody reads
        writers = start_writers(start, path, number)
        names += writers
        for writer in writers.values():
            finish(writer)
        if all(reader.poll() is not None for reader in readers):
            break
    check_readers(readers)

    state = json.loads(path.read_text())
    assert len(names) * THREADS * EACH == state["total"]
    assert {f"{name}-{thread}": EACH for name in names for thread in range(THREADS)} == state["by"]
    assert dict.fromkeys(state["by"], EACH // 5) == state["drafts"]
    assert len(names) * THREADS * EACH // 50 == state["by_command_line"]
    assert [] == temporary(quick_folder)


@pytest.mark.slow
@pytest.mark.timeout(7000)
def test_no_update_is_lost_while_writers_are_killed(start: Start, quick_folder: Path) -> None:
    """The same, while further writers of eight threads are killed: what each was told stands."""
    path = quick_folder / "state.json"
    path.write_text(EMPTY)
    dice = random.Random(12)
    readers = start_readers(start, path)
    writers = start_writers(start, path, 0)
    told: dict[str, int] = {}
    victims = scaled(8)
    for number in range(victims):
        victim = start("acknowledge", path, f"victim{number}", THREADS)
        told |= kill(victim, after_lines=dice.randint(1, 200))
    for writer in writers.values():
        finish(writer)
    check_readers(readers)

    state = json.loads(path.read_text())
    by, steady = state["by"], {f"{name}-{n}": EACH for name in writers for n in range(THREADS)}
    assert steady == {name: by[name] for name in steady}
    assert {EACH // 5} == {state["drafts"][name] for name in steady}
    surprises = {name: by.get(name) for name in told if not 0 <= by.get(name, 0) - told[name] <= 1}
    assert {} == surprises
    assert state["total"] == sum(by.values())
    least = sum(steps // 50 for steps in steady.values())
    assert least <= state["by_command_line"] <= least + victims * THREADS * 5
    holdfast.sweep(quick_folder)
    assert [] == temporary(quick_folder)


def kill(process: subprocess.Popen[str], *, after_lines: int) -> dict[str, int]:
    """Kill a writer after so many lines; return the last number that each thread told."""
    assert process.stdout is not None
    assert process.stderr is not None
    lines = [process.stdout.readline() for _ in range(after_lines)]
    process.send_signal(signal.SIGKILL)
    with process:
        lines += process.stdout.readlines()  # not communicate(), which passes over what is buffered
        errors = process.stderr.read()
    assert -signal.SIGKILL == process.returncode, errors
    told: dict[str, int] = {}
    for line in lines:
        name, number = line.split()
        told[name] = int(number)
    return told


@pytest.mark.slow
def test_killed_writers_lose_nothing_on_this_disk(start: Start, tmp_path: Path) -> None:
    """Writers killed at random on a disk with real syncs: what they were told is there."""
    path = tmp_path / "state.json"
    path.write_text(EMPTY)
    dice = random.Random(11)
    told: dict[str, int] = {}
    steady = start("change", path, "steady", 1, 200)
    for number in range(scaled(12)):
        victim = start("acknowledge", path, f"victim{number}", 1)
        told |= kill(victim, after_lines=dice.randint(1, 12))
        found = holdfast.Document(path).read()["by"][f"victim{number}-0"]
        assert 0 <= found - told[f"victim{number}-0"] <= 1
    finish(steady)

    state = json.loads(path.read_text())
    assert 200 == state["by"]["steady-0"]
    assert state["total"] == sum(state["by"].values())
    holdfast.sweep(tmp_path)
    assert [] == temporary(tmp_path)
