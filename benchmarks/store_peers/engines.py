"""Key-value engines: LMDB and RocksDB (rocksdict)."""

from __future__ import annotations

import threading
from itertools import takewhile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.store_peers.shape import Change, Pairs

__all__ = ["Lmdb", "Rocks"]

_MAP_BYTES = 4 << 30


class Lmdb:
    """A transaction a put; readers see the last committed state. Writers take turns by its lock."""

    def __init__(self, path: str) -> None:
        import lmdb

        self._environment: Any = lmdb.open(path, map_size=_MAP_BYTES)

    def put(self, key: str, value: bytes) -> None:
        with self._environment.begin(write=True) as transaction:
            transaction.put(key.encode(), value)

    def put_many(self, pairs: Pairs) -> None:
        with self._environment.begin(write=True) as transaction:
            for key, value in pairs:
                transaction.put(key.encode(), value)

    def get(self, key: str) -> bytes:
        with self._environment.begin() as transaction:
            value: bytes = transaction.get(key.encode())
        return value

    def update(self, key: str, change: Change) -> None:
        name = key.encode()
        with self._environment.begin(write=True) as transaction:
            transaction.put(name, change(transaction.get(name)))

    def scan(self, prefix: str) -> int:
        start = prefix.encode()
        with self._environment.begin() as transaction, transaction.cursor() as cursor:
            cursor.set_range(start)
            rows = [(key.decode(), value) for key, value in takewhile(_of(start), cursor)]
        return len(rows)

    def settle(self) -> None:
        """There is nothing to settle: freed pages are used again."""

    def close(self) -> None:
        self._environment.close()


class Rocks:
    """Each write synced. It has no transaction that reads: an update takes a lock of its caller."""

    def __init__(self, path: str, *, recycled_logs: int = 0) -> None:
        from rocksdict import Options, Rdict, WriteBatch, WriteOptions

        options = Options(raw_mode=True)
        if recycled_logs:
            options.set_recycle_log_file_num(recycled_logs)
        synced = WriteOptions()
        synced.sync = True
        self._engine: Any = Rdict(path, options)
        self._engine.set_write_options(synced)
        self._batch = WriteBatch
        self._turn = threading.Lock()

    def put(self, key: str, value: bytes) -> None:
        self._engine[key.encode()] = value

    def put_many(self, pairs: Pairs) -> None:
        batch = self._batch(raw_mode=True)
        for key, value in pairs:
            batch.put(key.encode(), value)
        self._engine.write(batch)

    def get(self, key: str) -> bytes:
        value: bytes = self._engine[key.encode()]
        return value

    def update(self, key: str, change: Change) -> None:
        name = key.encode()
        with self._turn:
            self._engine[name] = change(self._engine[name])

    def scan(self, prefix: str) -> int:
        start = prefix.encode()
        found = takewhile(_of(start), self._engine.items(from_key=start))
        return len([(key.decode(), value) for key, value in found])

    def settle(self) -> None:
        """Write what is in memory to a table: only then is a log used again."""
        self._engine.flush()

    def close(self) -> None:
        self._engine.close()


def _of(start: bytes) -> Callable[[Any], bool]:
    return lambda row: row[0].startswith(start)
