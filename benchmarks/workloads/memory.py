"""`stream-memory`: how much more a process holds while it replaces a file by a long stream.

`python -m benchmarks.workloads.memory NAME PATH MEBIBYTES` is the child; it prints kibibytes.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from benchmarks.peers import missing
from benchmarks.runner import Contender, Experiment

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from contextlib import AbstractContextManager
    from typing import Self

    from benchmarks.workloads import Setting

    Open = Callable[[str], AbstractContextManager[Any]]

__all__ = ["forget_peak", "resident_kib", "stream_memory"]

_RAW = "raw calls"


class _Raw:
    """A temp file, one write a piece, sync, rename, sync of the folder."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __enter__(self) -> Self:
        self.fd = os.open(self.path + ".tmp", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        return self

    def write(self, data: bytes) -> None:
        os.write(self.fd, data)

    def __exit__(self, *exc: object) -> None:
        os.fsync(self.fd)
        os.close(self.fd)
        os.rename(self.path + ".tmp", self.path)
        folder = os.open(os.path.dirname(self.path), os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)


def _holdfast() -> Open:
    from holdfast import open as durable_open

    return lambda path: durable_open(path, "wb")


def _atomicwrites() -> Open:
    from atomicwrites import atomic_write

    return lambda path: atomic_write(path, mode="wb", overwrite=True)


def _boltons() -> Open:
    from boltons.fileutils import atomic_save

    return lambda path: atomic_save(path, text_mode=False, overwrite=True)


def _safer(*, temp_file: bool) -> Open:
    import safer

    return lambda path: safer.open(path, "wb", temp_file=temp_file)


_OPENERS: dict[str, Callable[[], Open]] = {
    _RAW: lambda: _Raw,
    "holdfast.open": _holdfast,
    "atomicwrites": _atomicwrites,
    "boltons.atomic_save": _boltons,
    "safer (temp file)": functools.partial(_safer, temp_file=True),
    "safer (memory)": functools.partial(_safer, temp_file=False),
}


def stream_memory(setting: Setting) -> Generator[Experiment, None, None]:
    """1 GiB (128 MiB when quick) in pieces of 1 MiB, over the file of the round before."""
    size_mib = setting.pick(128, 1024)
    folder = setting.folder("stream-memory")
    contenders = [
        Contender(
            name, functools.partial(_measured, name, os.path.join(folder, name), size_mib), name
        )
        for name in _OPENERS
        if not missing(name)
    ]
    yield Experiment(
        "stream-memory", f"{setting.place.label}, {size_mib} MiB",
        {"peak above start": "MiB", "time": "ms"}, contenders, _RAW,
        setting.pick(1, 3), setting.pick(1, 40), least=1, warm_up=False,
    )  # fmt: skip


def _measured(name: str, path: str, size_mib: int) -> dict[str, float]:
    words = (sys.executable, "-m", "benchmarks.workloads.memory", name, path, str(size_mib))
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{name}: exit code {done.returncode}. {done.stderr.strip()[-500:]}")
    kib, taken_ms = done.stdout.split()
    return {"peak above start": int(kib) / 1024, "time": float(taken_ms)}


def forget_peak() -> None:
    """Let the peak of this process (`VmHWM`) count from here."""
    with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


def resident_kib(field: str) -> int:
    """Read `VmRSS` (now) or `VmHWM` (peak) of this process."""
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(field))


def _child(name: str, path: str, size_mib: int) -> None:
    opener = _OPENERS[name]()
    with opener(path) as file:  # what a first use loads is not held by the stream
        file.write(b"before")
    piece = os.urandom(1 << 20)
    forget_peak()
    before = resident_kib("VmRSS")
    begin = time.perf_counter_ns()
    with opener(path) as file:
        for _ in range(size_mib):
            file.write(piece)
    taken_ms = (time.perf_counter_ns() - begin) / 1e6
    print(resident_kib("VmHWM") - before, f"{taken_ms:.3f}")


if __name__ == "__main__":
    _child(sys.argv[1], sys.argv[2], int(sys.argv[3]))
