"""The workers of the bank as processes: started, killed without warning, started again."""

from __future__ import annotations

import select
import subprocess
import sys
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

_PATIENCE_S = 30.0


class Worker:
    """A place for one process at a time, with the port that the present one serves."""

    def __init__(self, command: list[str], words: Path) -> None:
        self.words = words
        self.port = 0
        self._command = command
        self._process: subprocess.Popen[str] | None = None

    def spawn(self) -> subprocess.Popen[str]:
        """Start a process, and do not wait until it serves."""
        with self.words.open("a") as words:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,  # it ends when this end is closed, also if we are killed
                stdout=subprocess.PIPE,
                stderr=words,
                text=True,
            )
        return self._process

    def start(self) -> None:
        """Start a process; it serves on return.

        Raises:
            RuntimeError: it does not serve; what it wrote is in its file.
        """
        process = self.spawn()
        if process.stdout is None or not select.select([process.stdout], [], [], _PATIENCE_S)[0]:
            raise RuntimeError(f"a worker does not serve after {_PATIENCE_S:.0f} s")
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"a worker ended by itself: {self.words.read_text()}")
        self.port = int(line)

    def kill(self) -> None:
        """SIGKILL: whatever it was doing, it does no more."""
        if self._process is not None:
            self._process.kill()
            self._reap()

    def stop(self) -> int | None:
        """Ask it to end, and return its exit code; None if it was not running."""
        if self._process is None:
            return None
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
        return self._reap()

    def _reap(self) -> int | None:
        process, self._process = self._process, None
        if process is None:
            return None
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        return process.wait()


class Fleet:
    """Several workers on one folder; `with` ends them all, however it is left."""

    def __init__(self, program: Path, books: Path, *, workers: int, checkpoint_bytes: int) -> None:
        self.killed = 0
        command = [sys.executable, str(program), str(books), "--until-eof"]
        command += ["--checkpoint-bytes", str(checkpoint_bytes)]
        names = [books.parent / f"worker-{number}.txt" for number in range(workers)]
        self.workers = [Worker(command, words) for words in names]

    def __enter__(self) -> Self:
        try:
            for worker in self.workers:
                worker.start()
        except BaseException:
            self.kill_all()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.kill_all()

    def port(self, dice: Random) -> int:
        """The port of one of them; it may be dead by now."""
        return dice.choice(self.workers).port

    def kill_one(self, dice: Random, pause_s: float) -> None:
        """Kill one and start another in its place, now and then once more while it opens.

        Raises:
            RuntimeError: the new one does not serve, or ended before it was killed.
        """
        worker = dice.choice(self.workers)
        worker.kill()
        self.killed += 1
        if dice.random() < 1 / 3:
            opening = worker.spawn()
            try:
                opening.wait(pause_s)
            except subprocess.TimeoutExpired:
                self.killed += 1
            else:
                raise RuntimeError(f"a worker ended by itself: {worker.words.read_text()}")
            worker.kill()
        worker.start()

    def kill_all(self) -> None:
        """Kill all of them; nothing is started again."""
        for worker in self.workers:
            worker.kill()

    def said(self) -> str:
        """What they wrote to their standard errors: nothing, if all is well."""
        return "".join(w.words.read_text() for w in self.workers if w.words.exists())
