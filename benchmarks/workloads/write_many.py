"""`write-many-new`, `write-many-replacing`: 1,000 files of 4 KiB, together and one by one."""

from __future__ import annotations

import ctypes
import functools
import os
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import TYPE_CHECKING

from benchmarks.machine import flushes_of, settler
from benchmarks.peers import WRITERS, available
from benchmarks.runner import Contender, Experiment

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from benchmarks.workloads import Setting

    Many = Callable[[dict[str, bytes]], object]

__all__ = ["TOGETHER", "write_many"]

_FILES = 1000
_POOL = 16
_ONE_BY_ONE = ("raw calls", "holdfast.write_bytes", "atomicwrites", "boltons.atomic_save")


def write_many(setting: Setting) -> Generator[Experiment, None, None]:
    """New files in a new folder a round, then over files that exist."""
    for name, make in (("write-many-new", _new), ("write-many-replacing", _replacing)):
        root = setting.folder(name)
        contenders = [
            Contender(
                who, functools.partial(_timed, many, make(root, who), setting.place.device), who
            )
            for who, many in _contenders(setting).items()
        ]
        yield Experiment(
            name, setting.place.label, _metrics(setting), contenders, "raw calls",
            setting.pick(2, 12), setting.pick(5, 45), settler(root),
            least=2, warm_up=not setting.quick,
        )  # fmt: skip


def _metrics(setting: Setting) -> dict[str, str]:
    counted = flushes_of(setting.place.device) is not None
    return {"time": "ms", "flushes": "count"} if counted else {"time": "ms"}


def _together() -> Many:
    from holdfast import write_many

    return write_many


def _one_by_one(write: Callable[[str, bytes], object], files: dict[str, bytes]) -> None:
    for path, data in files.items():
        write(path, data)


class _RawPool:
    """Write all, start write-back on each, sync them in a pool, rename, one sync of the folder."""

    def __init__(self) -> None:
        self.start: Callable[[int, int, int, int], int] | None
        try:
            start = ctypes.CDLL(None).sync_file_range
        except (OSError, AttributeError):
            self.start = None
        else:
            start.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)
            self.start = start

    def __call__(self, files: dict[str, bytes]) -> None:
        fds = [self._begin(path + ".tmp", data) for path, data in files.items()]
        with ThreadPoolExecutor(_POOL) as pool:
            list(pool.map(os.fsync, fds))
        for fd, path in zip(fds, files, strict=True):
            os.close(fd)
            os.rename(path + ".tmp", path)
        fd = os.open(os.path.dirname(next(iter(files))), os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(fd)
        os.close(fd)

    def _begin(self, temp: str, data: bytes) -> int:
        fd = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        os.write(fd, data)
        if self.start is not None:
            self.start(fd, 0, 0, 2)
        return fd


TOGETHER: dict[str, Callable[[], Many]] = {
    "raw pool of 16": _RawPool,
    "holdfast.write_many": _together,
}


def _contenders(setting: Setting) -> dict[str, Many]:
    one_by_one = available(_ONE_BY_ONE[: setting.pick(2, len(_ONE_BY_ONE))])
    found: dict[str, Many] = {
        name: functools.partial(_one_by_one, WRITERS[name]()) for name in one_by_one
    }
    return found | {name: make() for name, make in TOGETHER.items()}


def _new(root: str, contender: str) -> Iterator[dict[str, bytes]]:
    for number in count():
        folder = os.path.join(root, f"{contender}-{number}")
        os.mkdir(folder)
        yield {os.path.join(folder, f"{i:04}.json"): os.urandom(4096) for i in range(_FILES)}


def _replacing(root: str, contender: str) -> Iterator[dict[str, bytes]]:
    folder = os.path.join(root, contender)
    os.mkdir(folder)
    paths = [os.path.join(folder, f"{i:04}.json") for i in range(_FILES)]
    for path in paths:
        with open(path, "wb") as file:
            file.write(os.urandom(4096))
    while True:
        yield {path: os.urandom(4096) for path in paths}


def _timed(many: Many, batches: Iterator[dict[str, bytes]], device: str) -> dict[str, float]:
    files = next(batches)
    settler(os.path.dirname(next(iter(files))))()  # the new folder itself is not in the figure
    flushes = flushes_of(device) or 0
    begin = time.perf_counter_ns()
    many(files)
    taken = (time.perf_counter_ns() - begin) / 1e6
    return {"time": taken, "flushes": (flushes_of(device) or 0) - flushes}
