"""What another process does with the records and blocks of a lock file, told line by line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

PRELUDE = """
import os, sys, signal, threading
from holdfast.errors import LockTimeout
from holdfast.primitives.block_locks import BlockLocks
from holdfast.primitives.record_locks import RecordLocks
records, blocks = RecordLocks(sys.argv[1]), BlockLocks(sys.argv[1])
def say(*words): print(*words, flush=True)
def hear(): return sys.stdin.readline()
"""


class Child:
    """Runs a program; killed at the end if it has not come to its own."""

    def __init__(self, program: str, path: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PRELUDE + program, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def hear(self) -> str:
        """Wait for its next line."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def tell(self) -> None:
        """Let it go on."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        """Kill it, as `kill -9`, and wait for its end."""
        self.process.kill()
        self.process.wait()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()
