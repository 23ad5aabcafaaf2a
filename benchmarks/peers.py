"""The operations that are compared: raw system calls, holdfast, and the other libraries.

Each is made by a factory, so that a library that is not installed is missing by name and imports
nothing. What each guarantees is not written here: `tracing` reads it off its system calls.
"""

from __future__ import annotations

import fcntl
import functools
import os
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Write = Callable[[str, bytes], object]

__all__ = ["LOCKS", "WRITERS", "Lock", "available"]

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_NUMBERS = count()


class Lock(Protocol):
    """What every lock can do."""

    def acquire(self) -> object: ...
    def release(self) -> object: ...


def _raw_temp(path: str, data: bytes, *, sync: bool) -> str:
    temp = f"{path}.{next(_NUMBERS)}.tmp"
    fd = os.open(temp, _NEW, 0o666)
    try:
        os.write(fd, data)
        if sync:
            os.fsync(fd)
    finally:
        os.close(fd)
    return temp


def _raw_durable() -> Write:
    def write(path: str, data: bytes) -> None:
        os.rename(_raw_temp(path, data, sync=True), path)
        fd = os.open(os.path.dirname(path), _FOLDER)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    return write


def _raw_file_synced() -> Write:
    return lambda path, data: os.rename(_raw_temp(path, data, sync=True), path)


def _raw_unsynced() -> Write:
    return lambda path, data: os.rename(_raw_temp(path, data, sync=False), path)


def _holdfast() -> Write:
    from holdfast import write_bytes

    return write_bytes


def _holdfast_open() -> Write:
    from holdfast import open as durable_open

    def write(path: str, data: bytes) -> None:
        with durable_open(path, "wb") as file:
            file.write(data)

    return write


def _holdfast_unsynced() -> Write:
    from holdfast import write_bytes

    return lambda path, data: write_bytes(path, data, sync="never")


def _atomicwrites() -> Write:
    from atomicwrites import atomic_write

    def write(path: str, data: bytes) -> None:
        with atomic_write(path, mode="wb", overwrite=True) as file:
            file.write(data)

    return write


def _boltons() -> Write:
    from boltons import fileutils

    save: Any = fileutils.atomic_save  # its context manager gives more than it declares

    def write(path: str, data: bytes) -> None:
        with save(path, text_mode=False, overwrite=True) as file:
            file.write(data)

    return write


def _safer(*, temp_file: bool) -> Write:
    import safer

    def write(path: str, data: bytes) -> None:
        with safer.open(path, "wb", temp_file=temp_file) as file:
            file.write(data)

    return write


WRITERS: dict[str, Callable[[], Write]] = {
    "raw calls": _raw_durable,
    "raw calls, again": _raw_durable,  # how far from 1.00 this lands is what the run can resolve
    "raw, file sync only": _raw_file_synced,
    "raw, no sync": _raw_unsynced,
    "holdfast.write_bytes": _holdfast,
    "holdfast.open": _holdfast_open,
    "holdfast sync=never": _holdfast_unsynced,
    "atomicwrites": _atomicwrites,
    "boltons.atomic_save": _boltons,
    "safer (temp file)": functools.partial(_safer, temp_file=True),
    "safer (memory)": functools.partial(_safer, temp_file=False),
}


class _RawFlock:
    """`flock` on a kept descriptor; `acquire` and `release` are C calls, no frame of ours."""

    def __init__(self, path: str) -> None:
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        self.acquire = functools.partial(fcntl.flock, self.fd, fcntl.LOCK_EX)
        self.release = functools.partial(fcntl.flock, self.fd, fcntl.LOCK_UN)

    def __del__(self) -> None:
        os.close(self.fd)


class _RawReopened:
    """`flock` on a descriptor opened and closed each time."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.fd = -1

    def acquire(self) -> None:
        self.fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        fcntl.flock(self.fd, fcntl.LOCK_EX)

    def release(self) -> None:
        os.close(self.fd)


def _holdfast_lock(path: str) -> Lock:
    from holdfast import FileLock

    return FileLock(path)


class _Timed:
    """holdfast with a time limit: the wait goes another way than the one without."""

    def __init__(self, path: str) -> None:
        lock = _holdfast_lock(path)
        self.acquire = functools.partial(lock.acquire, timeout_s=60.0)  # type: ignore[call-arg]
        self.release = lock.release


def _filelock(path: str) -> Lock:
    from filelock import FileLock

    lock: Lock = FileLock(path)
    return lock


def _portalocker(path: str) -> Lock:
    import portalocker

    lock: Lock = portalocker.Lock(path, timeout=60)
    return lock


def _portalocker_blocking(path: str) -> Lock:
    import portalocker

    lock: Lock = portalocker.Lock(path, flags=portalocker.LockFlags.EXCLUSIVE)
    return lock


def _fasteners(path: str) -> Lock:
    from fasteners import InterProcessLock

    lock: Lock = InterProcessLock(path)
    return lock


LOCKS: dict[str, Callable[[str], Lock]] = {
    "raw flock, kept open": _RawFlock,
    "raw flock, reopened": _RawReopened,
    "holdfast.FileLock": _holdfast_lock,
    "holdfast, timeout": _Timed,
    "filelock": _filelock,
    "portalocker": _portalocker,
    "portalocker blocking": _portalocker_blocking,
    "fasteners": _fasteners,
}

_PACKAGES = {
    "atomicwrites": "atomicwrites",
    "boltons.atomic_save": "boltons",
    "safer (temp file)": "safer",
    "safer (memory)": "safer",
    "filelock": "filelock",
    "filelock + atomicwrites": "filelock atomicwrites",
    "portalocker": "portalocker",
    "portalocker blocking": "portalocker",
    "fasteners": "fasteners",
    "lmdb": "lmdb",
    "apsw": "apsw",
    "rocksdict": "rocksdict",
    "rocksdict, recycled logs": "rocksdict",
    "diskcache": "diskcache",
    "diskcache, synchronous=2": "diskcache",
    "sqlitedict": "sqlitedict",
    "ZODB FileStorage": "ZODB",
}


def missing(name: str) -> list[str]:
    """The packages that this contender needs and that are not installed."""
    from importlib.util import find_spec

    return [package for package in _PACKAGES.get(name, "").split() if find_spec(package) is None]


def available(names: Iterable[str]) -> list[str]:
    """The contenders among `names` whose library is installed."""
    return [name for name in names if not missing(name)]
