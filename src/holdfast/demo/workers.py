"""The processes of the demonstration: started, watched, killed; and what they do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["run_all", "start", "work"]

_POLL_S = 0.25


def start(arguments: Sequence[str]) -> subprocess.Popen[str]:
    """Start one worker; its standard output is a pipe."""
    command = [sys.executable, "-m", "holdfast.demo.workers", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run_all(jobs: Sequence[Sequence[str]], progress: Callable[[], None]) -> None:
    """Run the jobs at the same time; a worker that fails is ignored, for its work is counted afterwards."""
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


def work(arguments: Sequence[str]) -> int:
    """Do what the arguments say; the body of one worker process."""
    kind, *rest = arguments
    if kind == "edits":
        _edit(*rest)
    elif kind == "writes":
        from holdfast.demo.kills import write_for_ever

        write_for_ever(Path(rest[0]), int(rest[1]))
    else:
        from holdfast.demo.full_disk import fill

        print(*fill(Path(rest[0]), limit=rest[1] == "limit"))
    return 0


def _edit(recipe: str, target: str, count: str) -> None:
    from holdfast.demo import edits

    edit = edits.edit_with_holdfast if recipe == "holdfast" else edits.edit_with_the_usual_recipe
    for _ in range(int(count)):
        try:
            edit(Path(target))
        except Exception:
            if recipe == "holdfast":
                raise


if __name__ == "__main__":
    sys.exit(work(sys.argv[1:]))
