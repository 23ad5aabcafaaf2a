"""Runs the command line: inside this process, or as the program that a user starts."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

SRC = Path(__file__).parents[2] / "src"
PROGRAM = (sys.executable, "-m", "holdfast")
LIMIT_S = 60


class Result(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


def environment(**extra: str) -> dict[str, str]:
    """The environment of a child, with this source tree first."""
    path = os.pathsep.join([str(SRC), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    return {**os.environ, "PYTHONPATH": path, **extra}


def run_program(
    *argv: str | Path, stdin: bytes = b"", cwd: Path | None = None, **env: str
) -> Result:
    """Run `holdfast argv` as a process of its own, to its end."""
    done = subprocess.run(
        [*PROGRAM, *map(str, argv)],
        input=stdin,
        capture_output=True,
        cwd=cwd,
        env=environment(**env),
        timeout=LIMIT_S,
        check=False,
    )
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


def start_program(*argv: str | Path, **options: object) -> subprocess.Popen[bytes]:
    """Start `holdfast argv`; standard input and output are pipes."""
    return subprocess.Popen(
        [*PROGRAM, *map(str, argv)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        **options,  # type: ignore[call-overload]
    )


def start_shell(line: str, *, cwd: Path) -> subprocess.Popen[bytes]:
    """Start a line of bash in which `holdfast` is the program; output and errors are pipes."""
    function = f'holdfast() {{ "{sys.executable}" -m holdfast "$@"; }}\n'
    return subprocess.Popen(
        ["bash", "-c", function + line],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=cwd,
        env=environment(),
    )


def run_shell(line: str, *, cwd: Path) -> Result:
    """Run a line of bash in which `holdfast` is the program, to its end."""
    child = start_shell(line, cwd=cwd)
    out, err = child.communicate(timeout=LIMIT_S)
    return Result(child.returncode, out.decode(), err.decode())


def wait_for_waiter(path: str | Path) -> None:
    """Return when the kernel lists a process that waits for the lock of this file.

    Raises:
        TimeoutError: nobody does within half a minute.
    """
    inode = f":{os.stat(path).st_ino} "
    for _ in range(3000):
        with open("/proc/locks", encoding="ascii") as table:
            if any("->" in line and inode in line for line in table):
                return
        time.sleep(0.01)
    raise TimeoutError(f"nobody waits for {path}")
