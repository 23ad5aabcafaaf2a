"""A store, the processes that work on it, and what they have noted."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from tests.support.linearizability import Op
from tests.support.store_history import read_histories

ROOT = Path(__file__).resolve().parents[2]


class Place:
    """One process after another in the same part; each life has a name of its own."""

    def __init__(self, store: Path, notes: Path, *, part: str, name: str, more: Sequence[str]):
        self._before, self._more = [part, str(store), str(notes)], [*more]
        self._name, self._lives = name, count()
        self.deaths: dict[str, float] = {}
        self.start()

    def start(self) -> None:
        self.life = f"{self._name}{next(self._lives)}"
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.store_process",
             *self._before, self.life, *self._more],
            cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True,
        )  # fmt: skip

    def hear(self, lines: int) -> None:
        """Wait until it has come so far.

        Raises:
            AssertionError: it has ended.
        """
        assert self.process.stdout is not None
        for _ in range(lines):
            if not self.process.stdout.readline():
                _, errors = self.process.communicate()
                raise AssertionError(f"{self.life} ended: {self.process.returncode}: {errors}")

    def say(self, text: str) -> None:
        """Give it a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def kill(self) -> None:
        """Kill it, and note when it was dead; it must have been well until then."""
        self.process.send_signal(signal.SIGKILL)
        _, errors = self.process.communicate()
        self.deaths[self.life] = time.monotonic_ns()
        found = (errors, self.process.returncode)
        assert found == ("", -signal.SIGKILL), f"{self.life}: {found}"

    def finish(self) -> None:
        """Let it come to its end."""
        _, errors = self.process.communicate()
        found = (errors, self.process.returncode)
        assert found == ("", 0), f"{self.life}: {found}"

    def end_anyhow(self) -> None:
        """Leave nothing running."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


class World:
    """Processes of all parts around one store."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.store = folder / "state.store"
        self.notes = folder / "notes"
        self.workers: list[Place] = []
        self.others: list[Place] = []

    def work(self, *syncs: str, groups: int) -> None:
        """Start a process for each."""
        for letter, sync in zip("abcdefgh", syncs, strict=False):
            more = [str(groups), sync]
            self.workers.append(self._place("work", letter, more))

    def add(self, part: str, name: str, *more: str) -> Place:
        """Start one that has no end."""
        self.others.append(self._place(part, name, more))
        return self.others[-1]

    def _place(self, part: str, name: str, more: Sequence[str]) -> Place:
        return Place(self.store, self.notes, part=part, name=name, more=more)

    def kill_at_random(self, seconds: float, dice: random.Random) -> int:
        """Kill one after another, each after some progress; how many there were."""
        end, kills = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            victim = dice.choice(self.workers * 2 + self.others)
            victim.hear(dice.randint(1, 8))
            victim.kill()
            victim.start()
            kills += 1
        return kills

    def end(self) -> None:
        """Let workers finish; kill the others, which have no end."""
        for place in self.workers:
            place.finish()
        for place in self.others:
            place.hear(1)
            place.kill()

    def end_anyhow(self) -> None:
        """Leave nothing running."""
        for place in (*self.workers, *self.others):
            place.end_anyhow()

    def history(self) -> list[Op]:
        """What all clients noted."""
        deaths: dict[str, float] = {}
        for place in (*self.workers, *self.others):
            deaths |= place.deaths
        return read_histories(self.notes, deaths)
