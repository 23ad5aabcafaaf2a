"""`document-update`, `document-contended`: one field of a 1 KiB JSON file changed under a lock."""

from __future__ import annotations

import fcntl
import functools
import json
import os
import time
from typing import TYPE_CHECKING

from benchmarks.crew import Crew
from benchmarks.machine import settler
from benchmarks.peers import available
from benchmarks.runner import Contender, Experiment

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any

    from benchmarks.crew import Go
    from benchmarks.workloads import Setting

    Change = Callable[[dict[str, Any]], None]
    Update = Callable[[Change], object]

__all__ = ["UPDATERS", "count_up", "document", "document_contended", "document_update"]

_RAW = "best hand-written recipe"
_PROCESSES = 4


class _ByHand:
    """flock on a kept descriptor of a sidecar, kept folder descriptor: nothing left to save."""

    def __init__(self, path: str, indent: int | None) -> None:
        self.path, self.indent = path, indent
        self.temp = f"{path}.{os.getpid()}.tmp"
        self.lock = os.open(path + ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        self.folder = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def __call__(self, change: Change) -> None:
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        try:
            with open(self.path, "rb") as file:
                value = json.loads(file.read())
            change(value)
            self._replace(json.dumps(value, indent=self.indent, ensure_ascii=False).encode())
        finally:
            fcntl.flock(self.lock, fcntl.LOCK_UN)

    def _replace(self, data: bytes) -> None:
        fd = os.open(self.temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        try:
            os.write(fd, data)
            os.fsync(fd)
        finally:
            os.close(fd)
        os.rename(self.temp, self.path)
        os.fsync(self.folder)

    def __del__(self) -> None:
        os.close(self.lock)
        os.close(self.folder)


def _holdfast(path: str, _indent: int | None) -> Update:
    from holdfast import Document

    return Document(path).update


def _filelock_atomicwrites(path: str, indent: int | None) -> Update:
    from atomicwrites import atomic_write
    from filelock import FileLock

    lock = FileLock(path + ".lock")

    def update(change: Change) -> None:
        with lock:
            with open(path, encoding="utf-8") as file:
                value = json.load(file)
            change(value)
            with atomic_write(path, overwrite=True) as file:
                json.dump(value, file, indent=indent, ensure_ascii=False)

    return update


UPDATERS: dict[str, Callable[[str, int | None], Update]] = {
    _RAW: _ByHand,
    "holdfast.Document.update": _holdfast,
    "filelock + atomicwrites": _filelock_atomicwrites,
}


def document(path: str, indent: int | None) -> str:
    """About 1 KiB of settings with a counter in the middle."""
    value = {f"setting-{i:02}": {"on": True, "level": i / 4, "name": f"n{i}"} for i in range(8)}
    value["counter"] = 0  # type: ignore[assignment]
    value |= {f"other-{i:02}": {"on": False, "level": i / 4, "name": f"m{i}"} for i in range(8)}
    with open(path, "w", encoding="utf-8") as file:
        json.dump(value, file, indent=indent)
    return path


def count_up(value: dict[str, Any]) -> None:
    """The change: one more."""
    value["counter"] += 1


def document_update(setting: Setting) -> Generator[Experiment, None, None]:
    """One process; the file compact (the C encoder serves the recipe) and with an indent of two."""
    for name, indent in (("document-update", None), ("document-update-indented", 2)):
        folder = setting.folder(name)
        contenders = []
        for number, updater in enumerate(available(UPDATERS)):
            path = document(os.path.join(folder, f"state-{number}.json"), indent)
            update = UPDATERS[updater](path, indent)
            contenders.append(Contender(updater, functools.partial(_timed, update), updater))
        yield Experiment(
            name, setting.place.label, {"time": "µs"}, contenders, _RAW,
            setting.pick(60, 400), setting.pick(3, 25),
            settler(folder) if setting.place.is_disk else None,
        )  # fmt: skip


def _timed(update: Update) -> dict[str, float]:
    begin = time.perf_counter_ns()
    update(count_up)
    return {"time": (time.perf_counter_ns() - begin) / 1e3}


def document_contended(setting: Setting) -> Generator[Experiment, None, None]:
    """Four processes count in one file; what is not there at the end was lost."""
    folder = setting.folder("document-contended")
    metrics = {"worst wait": "ms", "an update": "µs", "lost": "updates"}
    updates = setting.pick(25, 250)
    with Crew(_PROCESSES) as crew:
        contenders = [
            Contender(
                name,
                functools.partial(
                    _race, crew, name, document(os.path.join(folder, f"{i}.json"), None), updates
                ),
                name,
            )
            for i, name in enumerate(available(UPDATERS))
        ]
        yield Experiment(
            "document-contended", setting.place.label, metrics, contenders, _RAW,
            setting.pick(4, 10), setting.pick(5, 45), settler(folder),
        )  # fmt: skip


def _race(crew: Crew, name: str, path: str, updates: int) -> dict[str, float]:
    before = _counter(path)
    begin = time.monotonic_ns()
    waits = [wait for found in crew.run(race, name, path, updates) for wait in found]
    taken_us = (time.monotonic_ns() - begin) / 1e3
    total = updates * _PROCESSES
    return {
        "worst wait": max(waits),
        "an update": taken_us / total,
        "lost": total - (_counter(path) - before),
    }


def _counter(path: str) -> int:
    with open(path, encoding="utf-8") as file:
        found: int = json.load(file)["counter"]
    return found


def race(_index: int, go: Go, name: str, path: str, updates: int) -> list[float]:
    """One of the four: return what each update took, waiting and all, in ms."""
    update = UPDATERS[name](path, None)
    found = []
    go()
    for _ in range(updates):
        begin = time.perf_counter_ns()
        update(count_up)
        found.append((time.perf_counter_ns() - begin) / 1e6)
    return found
