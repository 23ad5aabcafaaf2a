"""The processes of the demonstration: started and awaited; what they do is in `workers`."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["run_all", "start"]

_POLL_S = 0.25


def start(arguments: Sequence[str]) -> subprocess.Popen[str]:
    """Start one worker; its standard output is a pipe."""
    command = [sys.executable, "-m", "holdfast.demo.workers", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run_all(jobs: Sequence[Sequence[str]], progress: Callable[[], None]) -> None:
    """Run the jobs at the same time; one that fails is ignored: its work is counted afterwards."""
    running = [start(job) for job in jobs]
    try:
        for process in running:
            while True:
                try:
                    process.communicate(timeout=_POLL_S)
                    break
                except subprocess.TimeoutExpired:
                    progress()
    finally:
        for process in running:
            if process.poll() is None:
                process.kill()
                process.communicate()
