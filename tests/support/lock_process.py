"""A child process that does what it is told with one lock, a line at a time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Self

PROLOGUE = """
import asyncio, encodings.ascii, fcntl, os, signal, sys, threading, time
from holdfast.errors import LockTimeout
from holdfast.primitives.lock import FileLock
path = sys.argv[1]
def say(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\\n")  # at once: a forked child says things too
    sys.stdout.flush()
def hear():
    return sys.stdin.readline().strip()
def until(condition):
    for _ in range(5000):
        if condition():
            return
        time.sleep(0.001)
    raise SystemExit("waited in vain")
"""


class Child:
    """A running script that sees `path`, `say`, `hear` and what PROLOGUE imports."""

    def __init__(self, script: str, path: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROLOGUE + script, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    @property
    def pid(self) -> int:
        return self.process.pid

    def hear(self) -> str:
        """The next line that the child says; empty when it has ended."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def say(self, line: str = "go") -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def end(self) -> int:
        """The exit status, once it has ended."""
        return self.process.wait(timeout=60)


HOLD = """
lock = FileLock(path)
lock.acquire()
say("held")
hear()
lock.release()
say("released")
"""
