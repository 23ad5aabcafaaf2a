"""Ways to append one durable record to a log: raw system calls, holdfast, and databases.

Each is made from a path by a factory and closed after its rounds. One object serves many threads;
several processes may each make one for the same path. What it guarantees is read off its system
calls by `tracing`.
"""

from __future__ import annotations

import fcntl
import functools
import os
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

__all__ = [
    "ALONE",
    "APPENDERS",
    "RECORD",
    "RECORD_BYTES",
    "TOGETHER",
    "ZEROED",
    "Appender",
    "open_database",
    "open_lmdb",
]

RECORD_BYTES = 120
RECORD = bytes(range(RECORD_BYTES))
_FRAME = bytes(40) + RECORD  # what a log writes for it: a header, and a multiple of eight bytes
_RING_BYTES = 4 << 20
_NEW = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
ZEROED = "zeroed floor"
"""Into blocks that hold zeros already, then fdatasync: the least that makes a record durable."""


class Appender(Protocol):
    """What every one can do."""

    def append(self, data: bytes) -> object: ...
    def close(self) -> object: ...


class _Zeroed:
    """Frames into a file of zeros, again from its start when it is full: nothing ever grows."""

    def __init__(self, path: str, *, dsync: bool = False) -> None:
        self._fd = os.open(path, _NEW, 0o666)
        self._offset = 0
        self._dsync = dsync
        os.pwrite(self._fd, bytes(_RING_BYTES), 0)
        os.fsync(self._fd)

    def append(self, data: bytes) -> None:
        if self._offset + len(_FRAME) > _RING_BYTES:
            self._offset = 0
        if self._dsync:
            os.pwritev(self._fd, [_FRAME], self._offset, os.RWF_DSYNC)
        else:
            os.pwrite(self._fd, _FRAME, self._offset)
            os.fdatasync(self._fd)
        self._offset += len(_FRAME)

    def close(self) -> None:
        os.close(self._fd)


class _Grown:
    """What is written by hand: append, then sync; a turn at a time, also between processes."""

    def __init__(self, path: str, *, sync: Callable[[int], object] | None = os.fdatasync) -> None:
        self._fd = os.open(path, _NEW | os.O_APPEND, 0o666)
        self._sync = sync
        self._turn = threading.Lock()

    def append(self, data: bytes) -> None:
        with self._turn:
            fcntl.flock(self._fd, fcntl.LOCK_EX)
            try:
                os.write(self._fd, _FRAME)
                if self._sync is not None:
                    self._sync(self._fd)
            finally:
                fcntl.flock(self._fd, fcntl.LOCK_UN)

    def close(self) -> None:
        os.close(self._fd)


def _log(path: str) -> Appender:
    from holdfast.primitives.log import Log

    return Log(path)


def open_database(path: str) -> sqlite3.Connection:
    """Open an SQLite database as a log: WAL, each commit synced."""
    import sqlite3

    database = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE IF NOT EXISTS log (id INTEGER PRIMARY KEY, data BLOB)")
    return database


_INSERT = "INSERT INTO log (data) VALUES (?)"


class _OneConnection:
    """All threads share a connection, and take turns."""

    def __init__(self, path: str) -> None:
        self._database = open_database(path)
        self._turn = threading.Lock()

    def append(self, data: bytes) -> None:
        with self._turn:
            self._database.execute(_INSERT, (data,))

    def close(self) -> None:
        self._database.close()


class _ManyConnections:
    """A connection a thread."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._mine = threading.local()
        self._all: list[sqlite3.Connection] = []
        open_database(path).close()

    def append(self, data: bytes) -> None:
        database = getattr(self._mine, "database", None)
        if database is None:
            database = self._mine.database = open_database(self._path)
            self._all.append(database)
        database.execute(_INSERT, (data,))

    def close(self) -> None:
        for database in self._all:
            database.close()


class _OneWriter:
    """One thread writes what the others wait for, all that has come meanwhile in one commit."""

    def __init__(self, path: str) -> None:
        self._queue: SimpleQueue[tuple[bytes, threading.Lock] | None] = SimpleQueue()
        self._database = open_database(path)
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def append(self, data: bytes) -> None:
        done = threading.Lock()
        done.acquire()
        self._queue.put((data, done))
        done.acquire()

    def _write(self) -> None:
        while (first := self._queue.get()) is not None:
            batch = [first]
            while not self._queue.empty() and (more := self._queue.get()) is not None:
                batch.append(more)
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany(_INSERT, [(data,) for data, _ in batch])
            self._database.execute("COMMIT")
            for _, done in batch:
                done.release()

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join()
        self._database.close()


def open_lmdb(path: str):
    """Open an LMDB environment for a log of up to 256 MiB."""
    import lmdb

    return lmdb.open(path, map_size=256 << 20)


class _Lmdb:
    """A transaction a record, under the next number."""

    def __init__(self, path: str) -> None:
        self._environment = open_lmdb(path)

    def append(self, data: bytes) -> None:
        with self._environment.begin(write=True) as transaction:
            number = transaction.stat()["entries"] + 1
            transaction.put(number.to_bytes(8, "big"), data, append=True)

    def close(self) -> None:
        self._environment.close()


APPENDERS: dict[str, Callable[[str], Appender]] = {
    ZEROED: _Zeroed,
    f"{ZEROED}, again": _Zeroed,  # how far from 1.00 this lands is what the run can resolve
    "zeroed, RWF_DSYNC": functools.partial(_Zeroed, dsync=True),
    "append + fdatasync": _Grown,
    "append + fsync": functools.partial(_Grown, sync=os.fsync),
    "append, no sync": functools.partial(_Grown, sync=None),
    "holdfast.Log": _log,
    "sqlite3, one connection": _OneConnection,
    "sqlite3, one a thread": _ManyConnections,
    "sqlite3, one writer thread": _OneWriter,
    "lmdb": _Lmdb,
}
ALONE = (ZEROED, f"{ZEROED}, again", "zeroed, RWF_DSYNC")
"""Those that serve one thread of one process."""
TOGETHER = (
    *("append + fdatasync", "holdfast.Log", "sqlite3, one connection"),
    *("sqlite3, one a thread", "sqlite3, one writer thread", "lmdb"),
)
"""Those that many threads may use at a time."""
