"""One log appended to by many processes and threads, some of them killed, read by others."""

from __future__ import annotations

import math
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from time import monotonic

import pytest

from holdfast.primitives.log import Log
from tests.support.budget import soak_s
from tests.support.log_history import (
    Sight,
    Told,
    decode,
    digest_of,
    problems,
    read_notes,
    wrong_sights,
)

ROOT = Path(__file__).resolve().parents[2]


class Place:
    """One process after another in the same part; each life has a name of its own."""

    def __init__(self, log: Path, notes: Path, *, part: str, name: str, more: list[str]) -> None:
        self._arguments = [part, str(log), str(notes)], more
        self._name = name
        self._lives = count()
        self.process: subprocess.Popen[str] | None = None
        self.start()

    def start(self) -> None:
        before, after = self._arguments
        name = f"{self._name}{next(self._lives)}"
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.log_process", *before, name, *after],
            cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True,
        )  # fmt: skip

    def hear(self, lines: int) -> None:
        """Wait until it has come so far; fail if it has ended."""
        process = self.process
        assert process is not None
        assert process.stdout is not None
        for _ in range(lines):
            if not process.stdout.readline():
                _, errors = process.communicate()
                pytest.fail(f"{self._name} ended with {process.returncode}: {errors}")

    def kill(self) -> None:
        """Kill it; it must have been well until then."""
        process = self.process
        assert process is not None
        process.send_signal(signal.SIGKILL)
        _, errors = process.communicate()
        assert ("", -signal.SIGKILL) == (errors, process.returncode)

    def finish(self) -> None:
        """Let it come to its end."""
        process = self.process
        assert process is not None
        _, errors = process.communicate()
        assert ("", 0) == (errors, process.returncode)


class World:
    """A log, the processes that write and read it, and what they have noted."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.log = folder / "events.log"
        self.notes = folder / "notes"
        self.seen = folder / "seen"
        self.writers: list[Place] = []
        self.readers: list[Place] = []

    def write(self, *syncs: str, keep_bytes: int = 0) -> None:
        for letter, sync in zip("abcdefgh", syncs, strict=False):
            more = [sync, str(keep_bytes)]
            place = Place(self.log, self.notes, part="write", name=letter, more=more)
            self.writers.append(place)

    def read(self, *syncs: str) -> None:
        for sync in syncs:
            for part in ("read", "follow"):
                name = f"{part}-{sync}-"
                place = Place(self.log, self.seen, part=part, name=name, more=[sync])
                self.readers.append(place)

    def kill_at_random(self, seconds: float, dice: random.Random) -> int:
        """Kill one after another, each after some progress; return how many there were."""
        end, kills = monotonic() + seconds, 0
        while monotonic() < end:
            victim = dice.choice(self.writers * 2 + self.readers)
            victim.hear(dice.randint(1, 12))
            victim.kill()
            victim.start()
            kills += 1
        return kills

    def end(self) -> None:
        """Let writers finish; kill readers, which have no end."""
        for place in self.writers:
            place.finish()
        for place in self.readers:
            place.hear(3)
            place.kill()

    def kill_what_is_left(self) -> None:
        for place in self.writers + self.readers:
            if place.process is not None and place.process.poll() is None:
                place.process.kill()
                place.process.communicate()

    def told(self) -> dict[str, Told]:
        return {
            path.name: read_notes(path.read_text().splitlines()) for path in self.notes.iterdir()
        }

    def sights(self) -> list[Sight]:
        paths = list(self.seen.iterdir()) if self.seen.is_dir() else []
        lines = [line for path in paths for line in path.read_text().splitlines()]
        return [Sight(*map(int, line.split())) for line in lines]

    def check(self) -> int:
        """Prove the history; return how many records were acknowledged."""
        log = Log(self.log, sync="never")
        records = list(log.read())
        first = records[0].sequence
        assert list(range(first, first + len(records))) == [record.sequence for record in records]
        told = self.told()
        assert [] == problems([decode(record.data) for record in records], told, first=first)
        digests = [digest_of(*record) for record in records]
        assert [] == wrong_sights(digests, self.sights(), first=first)
        report = log.check()
        assert report.ok, str(report)
        return sum(len(each.acknowledged) for each in told.values())


Worlds = Callable[[float, float], Iterator[tuple[World, float]]]


@pytest.fixture
def worlds(tmp_path: Path) -> Iterator[Worlds]:
    """Gives one world after another, each for some seconds, until the time is over.

    On this disk, with real syncs.
    """
    yield from _worlds_in(tmp_path)


@pytest.fixture
def quick_worlds(tmp_path: Path) -> Iterator[Worlds]:
    """The same in memory where there is such a place: no zeros ahead, and many more records."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else tmp_path))
    yield from _worlds_in(folder)
    shutil.rmtree(folder)


def _worlds_in(folder: Path) -> Iterator[Worlds]:
    made: list[World] = []

    def worlds(seconds: float, most_s: float) -> Iterator[tuple[World, float]]:
        for number in range(math.ceil(seconds / most_s)):
            world = World(folder / str(number))
            made.append(world)
            yield world, min(most_s, seconds - number * most_s)
            shutil.rmtree(world.folder)

    yield worlds
    for world in made:
        world.kill_what_is_left()


@pytest.mark.slow
@pytest.mark.timeout(7000)
def test_nothing_acknowledged_is_lost_while_processes_are_killed(worlds: Worlds) -> None:
    """4 processes x 4 threads, in every way and with every sync, on this disk."""
    dice = random.Random(7)
    for world, seconds in worlds(soak_s(14), 20):
        world.write("always", "never", "0.02", "always")
        world.read("always", "never")
        kills = world.kill_at_random(seconds, dice)
        world.end()
        assert world.check() > 1000
        assert kills > seconds / 2


@pytest.mark.slow
@pytest.mark.timeout(7000)
def test_nothing_is_lost_while_retention_drops_old_segments(quick_worlds: Worlds) -> None:
    """The same, where there are only the last segments, so that readers are overtaken."""
    dice = random.Random(8)
    for world, seconds in quick_worlds(min(soak_s(10), 100), 50):
        world.write("always", "0.02", "always", "always", keep_bytes=512 << 10)
        world.read("always")
        kills = world.kill_at_random(seconds, dice)
        world.end()
        assert world.check() > 1000
        assert kills > seconds / 2
        assert Log(world.log).first > 1


@pytest.mark.slow
@pytest.mark.timeout(7000)
def test_no_writer_starves(worlds: Worlds) -> None:
    """Four processes that always sync get about the same share of the log."""
    for world, seconds in worlds(min(soak_s(5), 20), 20):
        world.write("always", "always", "always", "always")
        end = monotonic() + seconds
        while monotonic() < end:
            for writer in world.writers:
                writer.hear(1)
        world.end()
        world.check()
        shares = dict.fromkeys("abcd", 0)
        for name, told in world.told().items():
            shares[name[0]] += len(told.acknowledged)
        assert min(shares.values()) > max(shares.values()) / 4, shares
