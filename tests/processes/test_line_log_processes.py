"""Line logs of real processes: many append and rotate at once, and are killed at random."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from holdfast.primitives.line_log import LineLog
from tests.support.budget import soak_s

PROGRAM = Path(__file__).resolve().parents[1] / "support" / "line_log_process.py"
ROOT = PROGRAM.parents[2]
PROCESSES, THREADS = 4, 4
MAX_BYTES = 2000
WAIT_S = 60


class Writers:
    """Processes that append for ever; what they have acknowledged goes into files."""

    def __init__(self, log: Path, folder: Path) -> None:
        self._log, self._folder = log, folder
        self._running: list[subprocess.Popen[bytes]] = []
        self.started = 0

    def start(self) -> None:
        self.started += 1
        name = f"w{self.started}"
        argv = [sys.executable, str(PROGRAM), "append", str(self._log), name, str(THREADS)]
        with (self._folder / name).open("wb") as acked:
            self._running.append(
                subprocess.Popen([*argv, str(MAX_BYTES)], stdout=acked, cwd=ROOT, env=environment())
            )

    def kill(self, number: int) -> int:
        child = self._running.pop(number)
        child.send_signal(signal.SIGKILL)
        return child.wait(WAIT_S)

    def kill_all(self) -> list[int]:
        return [self.kill(0) for _ in range(len(self._running))]

    def acked(self) -> dict[str, int]:
        """How many lines each writer was told that it has appended."""
        lines = [line for path in self._folder.iterdir() for line in path.read_text().splitlines()]
        found: dict[str, int] = defaultdict(int)
        for writer, number in (line.split() for line in lines):
            found[writer] = max(found[writer], int(number))
        return found


def environment() -> dict[str, str]:
    paths = [str(ROOT), str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


@pytest.fixture
def writers(tmp_path: Path) -> Iterator[Writers]:
    (tmp_path / "acked").mkdir()
    made = Writers(tmp_path / "app.log", tmp_path / "acked")
    yield made
    made.kill_all()


def history(log: Path) -> dict[str, list[int]]:
    """The numbers that each writer has in the log, in the order in which they stand there."""
    found: dict[str, list[int]] = defaultdict(list)
    with LineLog(log) as opened:
        for record in opened.read():
            words = record.text.split(" ")
            whole = len(words) == 3 and words[1].isdigit()
            if whole and words[2] == "x" * (int(words[1]) % 50):
                found[words[0]].append(int(words[1]))
    return found


def test_every_acknowledged_line_stands_once_and_in_order(tmp_path, writers) -> None:
    """4 processes x 4 threads append and rotate, and are killed at random: nothing is lost."""
    dice = random.Random(5)
    for _ in range(PROCESSES):
        writers.start()
    end_s = time.monotonic() + soak_s(4)
    while time.monotonic() < end_s:
        time.sleep(dice.uniform(0.2, 0.5))  # the moment of a kill is the subject
        assert -signal.SIGKILL == writers.kill(dice.randrange(PROCESSES)), "one had failed before"
        writers.start()
    assert [-signal.SIGKILL] * PROCESSES == writers.kill_all()

    acked, found = writers.acked(), history(tmp_path / "app.log")
    lost = {w: n for w, n in acked.items() if found[w][:n] != list(range(1, n + 1))}
    assert {} == lost
    assert [] == [w for w, numbers in found.items() if numbers != sorted(set(numbers))]
    assert [] == [w for w, n in acked.items() if len(found[w]) > n + 1], "a ghost"
    assert sum(acked.values()) > 100
    assert len(list(tmp_path.glob("app.log.[0-9]*"))) > 5, "no rotation"
    with LineLog(tmp_path / "app.log") as log:
        report = log.check()
        log.append("and goes on")
        assert ["and goes on"] == [record.text for record in log.read()][-1:]
    assert report.ok, str(report)


def test_no_process_starves(tmp_path, writers) -> None:
    """Each of four gets its turn: none has less than a twentieth of what the busiest has."""
    for _ in range(PROCESSES):
        writers.start()
    end_s = time.monotonic() + WAIT_S
    while len(writers.acked()) < PROCESSES * THREADS and time.monotonic() < end_s:
        time.sleep(0.05)
    before = writers.acked()
    time.sleep(1.0)
    after = writers.acked()
    writers.kill_all()

    by_process = Counter[str]()
    for writer, number in after.items():
        by_process[writer.split("-")[0]] += number - before.get(writer, 0)
    assert PROCESSES == len(by_process)
    assert min(by_process.values()) * 20 >= max(by_process.values()), by_process


@contextmanager
def flock_by_command(lock: Path) -> Iterator[None]:
    """flock(1) holds the lock of the log."""
    with subprocess.Popen(
        ["flock", str(lock), "sh", "-c", "echo held; read line"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        assert b"held\n" == child.stdout.readline()
        yield
        child.communicate(b"\n", timeout=WAIT_S)


def test_flock_of_the_shell_excludes_appends(tmp_path) -> None:
    """While flock(1) holds NAME.lock nothing is appended; afterwards it is."""
    from threading import Thread

    with LineLog(tmp_path / "app.log") as log:
        log.append("before")
        with flock_by_command(tmp_path / "app.log.lock"):
            thread = Thread(target=log.append, args=["after"])
            thread.start()
            thread.join(0.2)
            held = (tmp_path / "app.log").read_text()
        thread.join(WAIT_S)

    assert "before\n" == held
    assert "before\nafter\n" == (tmp_path / "app.log").read_text()


def test_forked_child_appends_on_its_own(tmp_path) -> None:
    """A child has nothing pending and nothing open of its parent; both go on with one object."""
    log = LineLog(tmp_path / "app.log", sync=60)
    log.append("of the parent")
    child = os.fork()
    if child == 0:
        code = 1
        try:
            log.append("of the child", sync="always")
            log.close()
            code = 0
        finally:
            os._exit(code)
    assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    log.append("of the parent again")
    log.close()

    assert ["of the parent", "of the child", "of the parent again"] == (
        (tmp_path / "app.log").read_text().splitlines()
    )


@pytest.mark.parametrize("how", ["nocreate", "create", "copytruncate"])
def test_rotation_as_logrotate_does_it_is_followed(tmp_path, how) -> None:
    """A rename, with and without a new file, and copy and truncate: a follower sees every line."""
    path = tmp_path / "app.log"
    seen: list[str] = []
    with LineLog(path) as log, LineLog(path) as other:
        lines = other.follow(timeout_s=WAIT_S)
        for number in range(6):
            log.append(f"line {number}")
            if number in {1, 4}:  # the line is not read before
                rotate_by_hand(path, how)
            else:
                while len(seen) <= number:
                    seen.append(next(lines).text)
        assert isinstance(lines, Generator)
        lines.close()

    assert [f"line {number}" for number in range(6)] == seen


def rotate_by_hand(path: Path, how: str) -> None:
    """As logrotate does it, with two old files."""
    first, second = (path.with_name(f"{path.name}.{number}") for number in (1, 2))
    if first.exists():
        first.replace(second)
    if how == "copytruncate":
        first.write_bytes(path.read_bytes())
        os.truncate(path, 0)
        return
    path.rename(first)
    if how == "create":
        path.touch()
