"""`replace-small`, `replace-large`, `seam-cost`: one durable replace of a file that exists."""

from __future__ import annotations

import functools
import os
import time
from typing import TYPE_CHECKING

from benchmarks.machine import settler
from benchmarks.peers import WRITERS, available
from benchmarks.runner import Contender, Experiment

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from benchmarks.peers import Write
    from benchmarks.workloads import Setting

__all__ = ["replace_large", "replace_small", "seam_cost"]

_UNIT = {"time": "µs"}


def replace_small(setting: Setting) -> Generator[Experiment, None, None]:
    """4 KiB."""
    yield _replacing(setting, "replace-small", 4096, rounds=setting.pick(60, 400))


def replace_large(setting: Setting) -> Generator[Experiment, None, None]:
    """1 MiB."""
    yield _replacing(setting, "replace-large", 1 << 20, rounds=setting.pick(15, 100))


def _replacing(setting: Setting, name: str, size: int, *, rounds: int) -> Experiment:
    folder = setting.folder(name)
    contenders = []
    for number, writer in enumerate(available(WRITERS)):
        path = os.path.join(folder, f"state-{number}.json")
        sample = functools.partial(
            _timed, WRITERS[writer](), path, os.urandom(size), times=_times(setting)
        )
        contenders.append(Contender(writer, sample, writer))
    return Experiment(
        name, setting.place.label, _UNIT, contenders, "raw calls", rounds,
        setting.pick(4, 30), _settle(setting, folder),
    )  # fmt: skip


def _timed(write: Write, path: str, data: bytes, *, times: int = 1) -> dict[str, float]:
    begin = time.perf_counter_ns()
    for _ in range(times):
        write(path, data)
    return {"time": (time.perf_counter_ns() - begin) / 1e3 / times}


def _times(setting: Setting) -> int:
    """On a disk one operation at a time, as it comes in life; in memory the code itself, warm."""
    return 1 if setting.place.is_disk else 10


def _settle(setting: Setting, folder: str) -> Callable[[], None] | None:
    return settler(folder) if setting.place.is_disk else None


def seam_cost(setting: Setting) -> Generator[Experiment, None, None]:
    """The same eight calls, by `os` and through the seam."""
    from holdfast.vfs import SYSTEM

    data = os.urandom(4096)
    folder = setting.folder("seam-cost")

    def through_the_seam(path: str, data: bytes) -> None:
        place, name = os.path.split(path)
        opened = SYSTEM.folder(place)
        temp = name + ".tmp"
        file = opened.open(temp, "new")
        file.write(data)
        file.sync()
        file.close()
        opened.rename(temp, name)
        opened.sync()
        opened.close()

    writers = {
        "raw calls": _inline,
        "raw calls, again": _inline,
        "through the seam": through_the_seam,
    }
    contenders = [
        Contender(
            name,
            functools.partial(
                _timed, write, os.path.join(folder, str(i)), data, times=_times(setting)
            ),
        )
        for i, (name, write) in enumerate(writers.items())
    ]
    yield Experiment(
        "seam-cost", setting.place.label, _UNIT, contenders, "raw calls",
        setting.pick(150, 1000), setting.pick(2, 15), _settle(setting, folder),
    )  # fmt: skip


def _inline(path: str, data: bytes) -> None:
    """What the seam does, call for call, written out by hand."""
    place, name = os.path.split(path)
    folder = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    temp = name + ".tmp"
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    fd = os.open(temp, flags, 0o666, dir_fd=folder)
    os.write(fd, data)
    os.fsync(fd)
    os.close(fd)
    os.rename(temp, name, src_dir_fd=folder, dst_dir_fd=folder)
    os.fsync(folder)
    os.close(folder)
