"""SQLite in WAL mode with each commit synced: by sqlite3 and by apsw, in the ways it is used."""

from __future__ import annotations

import os
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.store_peers.shape import Change, Pairs

__all__ = ["OneAThread", "OneConnection", "OneWriter", "open_connection"]

_TABLE = "CREATE TABLE IF NOT EXISTS store (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID"
_PUT = "INSERT INTO store VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
_GET = "SELECT value FROM store WHERE key = ?"
_SCAN = "SELECT key, value FROM store WHERE key >= ? AND key < ? ORDER BY key"
_PATIENCE_S = 60
_LAST = "\U0010ffff"


def open_connection(library: str, path: str) -> Any:
    """Open the database in the folder `path` by `sqlite3` or `apsw`; made if there is none."""
    os.makedirs(path, exist_ok=True)
    file = os.path.join(path, "store.db")
    connection: Any
    if library == "apsw":
        import apsw

        connection = apsw.Connection(file)
        connection.set_busy_timeout(_PATIENCE_S * 1000)
    else:
        import sqlite3

        connection = sqlite3.connect(
            file, timeout=_PATIENCE_S, isolation_level=None, check_same_thread=False
        )
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(_TABLE)
    return connection


def _put_many(connection: Any, pairs: Pairs) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(_PUT, pairs)
    connection.execute("COMMIT")


def _get(connection: Any, key: str) -> bytes:
    value: bytes
    ((value,),) = connection.execute(_GET, (key,)).fetchall()
    return value


def _update(connection: Any, key: str, change: Change) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(_PUT, (key, change(_get(connection, key))))
    connection.execute("COMMIT")


def _scan(connection: Any, prefix: str) -> int:
    return len(connection.execute(_SCAN, (prefix, prefix + _LAST)).fetchall())


def _settle(connection: Any) -> None:
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


class OneConnection:
    """All threads share a connection, and take turns."""

    def __init__(self, library: str, path: str) -> None:
        self._connection = open_connection(library, path)
        self._turn = threading.Lock()

    def put(self, key: str, value: bytes) -> None:
        with self._turn:
            self._connection.execute(_PUT, (key, value))

    def put_many(self, pairs: Pairs) -> None:
        with self._turn:
            _put_many(self._connection, pairs)

    def get(self, key: str) -> bytes:
        with self._turn:
            return _get(self._connection, key)

    def update(self, key: str, change: Change) -> None:
        with self._turn:
            _update(self._connection, key, change)

    def scan(self, prefix: str) -> int:
        with self._turn:
            return _scan(self._connection, prefix)

    def settle(self) -> None:
        with self._turn:
            _settle(self._connection)

    def close(self) -> None:
        self._connection.close()


class OneAThread:
    """A connection a thread; with `grows`, its log is written back only when that is asked for."""

    def __init__(self, library: str, path: str, *, grows: bool = False) -> None:
        self._library, self._path, self._grows = library, path, grows
        self._mine = threading.local()
        self._all: list[Any] = []
        open_connection(library, path).close()

    @property
    def connection(self) -> Any:
        found = getattr(self._mine, "connection", None)
        if found is None:
            found = self._mine.connection = open_connection(self._library, self._path)
            self._all.append(found)
            if self._grows:
                found.execute("PRAGMA wal_autocheckpoint=0")
        return found

    def put(self, key: str, value: bytes) -> None:
        self.connection.execute(_PUT, (key, value))

    def put_many(self, pairs: Pairs) -> None:
        _put_many(self.connection, pairs)

    def get(self, key: str) -> bytes:
        return _get(self.connection, key)

    def update(self, key: str, change: Change) -> None:
        _update(self.connection, key, change)

    def scan(self, prefix: str) -> int:
        return _scan(self.connection, prefix)

    def settle(self) -> None:
        _settle(self.connection)

    def close(self) -> None:
        for connection in self._all:
            connection.close()


class OneWriter(OneAThread):
    """One thread writes all that has come meanwhile in one commit; each thread reads by itself."""

    def __init__(self, library: str, path: str) -> None:
        super().__init__(library, path)
        self._queue: SimpleQueue[tuple[Callable[[Any], object], threading.Lock] | None]
        self._queue = SimpleQueue()
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def put(self, key: str, value: bytes) -> None:
        self._hand_over(lambda connection: connection.execute(_PUT, (key, value)))

    def put_many(self, pairs: Pairs) -> None:
        self._hand_over(lambda connection: connection.executemany(_PUT, pairs))

    def update(self, key: str, change: Change) -> None:
        self._hand_over(
            lambda connection: connection.execute(_PUT, (key, change(_get(connection, key))))
        )

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join()
        super().close()

    def _hand_over(self, work: Callable[[Any], object]) -> None:
        done = threading.Lock()
        done.acquire()
        self._queue.put((work, done))
        done.acquire()

    def _write(self) -> None:
        connection = self.connection
        while (first := self._queue.get()) is not None:
            batch = [first]
            while not self._queue.empty() and (more := self._queue.get()) is not None:
                batch.append(more)
            connection.execute("BEGIN IMMEDIATE")
            for work, _ in batch:
                work(connection)
            connection.execute("COMMIT")
            for _, done in batch:
                done.release()
