"""Programs that stand still in a system call: they wait for a byte on their standard input."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PATIENCE_S = 10.0
VERSIONS = ("3.11", "3.12", "3.13", "3.14")


class Stopped:
    """A running program, and the thread of it that waits."""

    def __init__(self, process: subprocess.Popen[bytes], ready: bytes) -> None:
        self._process = process
        self.pid = process.pid
        self.tid = int(ready)

    def instruction_pointer(self) -> int:
        """Where the thread stands, once it does: in read(0, ...)."""
        end = time.monotonic() + PATIENCE_S
        fields: list[str] = []
        while time.monotonic() < end:
            fields = Path(f"/proc/{self.pid}/task/{self.tid}/syscall").read_text().split()
            if fields[:2] == [_read_number(), "0x0"]:
                return int(fields[-1], 16)
        raise AssertionError(f"the program does not wait: {fields}")

    def go_on(self, byte: bytes = b".") -> None:
        """Let it read its byte, and wait until it says that it waits for the next."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(byte)
        self._process.stdin.flush()
        self.tid = int(self._process.stdout.readline())


def _read_number() -> str:
    return "0" if os.uname().machine == "x86_64" else "63"


@contextmanager
def stopped(command: Sequence[str | Path], *, cwd: Path | None = None) -> Iterator[Stopped]:
    """Run a program that prints its thread's number and then waits for a byte."""
    process = subprocess.Popen(
        [str(word) for word in command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=cwd,
    )
    try:
        assert process.stdout is not None
        yield Stopped(process, process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def script(folder: Path, text: str, name: str = "program.py") -> Path:
    """Write a Python program; `wait()` in it is where it stands still."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(WAIT + textwrap.dedent(text), encoding="utf-8")
    return path


WAIT = """\
import os, sys, threading
def announce(): os.write(1, b"%d\\n" % threading.get_native_id())
"""


def line_of(path: Path, mark: str) -> int:
    """The number of the one line that ends with `# mark`."""
    lines = path.read_text(encoding="utf-8").splitlines()
    (found,) = [at for at, line in enumerate(lines, start=1) if line.endswith(f"# {mark}")]
    return found


def interpreter(version: str) -> str | None:
    """An interpreter of that version on this machine."""
    if version == f"{sys.version_info[0]}.{sys.version_info[1]}":
        return sys.executable
    for path in (shutil.which(f"python{version}"), *_of_pyenv(version)):
        if path and _answers(path, version):
            return path
    return None


def _of_pyenv(version: str) -> list[str]:
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    return [str(path) for path in root.glob(f"versions/{version}.*/bin/python{version}")]


def _answers(path: str, version: str) -> bool:
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run([path, "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip() == version
