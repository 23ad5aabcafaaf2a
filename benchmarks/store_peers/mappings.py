"""What looks like a dict: diskcache, sqlitedict, ZODB on a FileStorage, and shelve."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.store_peers.shape import Change, Pairs

__all__ = ["Diskcache", "Shelve", "Sqlitedict", "Zodb"]


class _Unscanned:
    """What cannot read a range of keys."""

    def scan(self, prefix: str) -> int:
        raise TypeError(f"{type(self).__name__} has no order of keys")

    def settle(self) -> None:
        """There is nothing to ask for."""


class Diskcache(_Unscanned):
    """A cache in SQLite; nothing is evicted."""

    def __init__(self, path: str, **settings: Any) -> None:
        from diskcache import Cache

        self._cache: Any = Cache(path, eviction_policy="none", timeout=60, **settings)
        self.put = self._cache.set
        self.get = self._cache.__getitem__

    def put_many(self, pairs: Pairs) -> None:
        with self._cache.transact():
            for key, value in pairs:
                self._cache.set(key, value)

    def update(self, key: str, change: Change) -> None:
        with self._cache.transact():
            self._cache.set(key, change(self._cache[key]))

    def close(self) -> None:
        self._cache.close()


class _Turns(_Unscanned):
    """Threads take turns: a `_save` of one must not tear a change of another."""

    _entries: Any

    def __init__(self) -> None:
        self._turn = threading.Lock()

    def _save(self) -> None: ...

    def put(self, key: str, value: bytes) -> None:
        with self._turn:
            self._entries[key] = value
            self._save()

    def put_many(self, pairs: Pairs) -> None:
        with self._turn:
            self._entries.update(pairs)
            self._save()

    def get(self, key: str) -> bytes:
        with self._turn:
            value: bytes = self._entries[key]
        return value

    def update(self, key: str, change: Change) -> None:
        with self._turn:
            self._entries[key] = change(self._entries[key])
            self._save()


class Sqlitedict(_Turns):
    """Pickled values in SQLite; a thread of its own writes, and a commit waits for it."""

    def __init__(self, path: str) -> None:
        from sqlitedict import SqliteDict

        super().__init__()
        os.makedirs(path, exist_ok=True)
        self._entries = SqliteDict(os.path.join(path, "store.db"))

    def _save(self) -> None:
        self._entries.commit()

    def close(self) -> None:
        self._entries.close()


class Zodb(_Turns):
    """A BTree at the root of a FileStorage; a transaction a put."""

    def __init__(self, path: str) -> None:
        import transaction
        from BTrees.OOBTree import OOBTree
        from ZODB.DB import DB
        from ZODB.FileStorage import FileStorage

        super().__init__()
        os.makedirs(path, exist_ok=True)
        self._manager = transaction.TransactionManager(explicit=False)
        self._database = DB(FileStorage(os.path.join(path, "store.fs")))
        self._connection = self._database.open(transaction_manager=self._manager)
        root = self._connection.root()
        if "store" not in root:
            root["store"] = OOBTree()
            self._manager.commit()
        self._entries = root["store"]

    def _save(self) -> None:
        self._manager.commit()

    def scan(self, prefix: str) -> int:
        with self._turn:
            return len(list(self._entries.items(prefix, prefix + "\U0010ffff")))

    def close(self) -> None:
        self._manager.abort()
        self._connection.close()
        self._database.close()


class Shelve(_Turns):
    """Pickled values in whatever `dbm` there is, synced by its own `sync`."""

    def __init__(self, path: str) -> None:
        import shelve

        super().__init__()
        os.makedirs(path, exist_ok=True)
        self._entries = shelve.open(os.path.join(path, "store"))

    def _save(self) -> None:
        self._entries.sync()

    def close(self) -> None:
        self._entries.close()
