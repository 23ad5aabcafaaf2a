"""Records of a fixed size, changed in place: raw system calls, holdfast, and what is used instead.

Each is filled with `RECORDS` records before it is timed. An update reads, changes and writes one.
"""

from __future__ import annotations

import functools
import os
import struct
from typing import TYPE_CHECKING, Any, Protocol

from benchmarks.peers import missing

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["IN_PLACE", "OURS", "RECORDS", "RECORD_PEERS", "RecordPeer", "record_peers"]

RECORDS = 10_000
OURS = "holdfast.RecordFile"
IN_PLACE = "in place + sync"
_LAYOUT = {"id": "Q", "owner": "32s", "balance": "q"}
_PACKED = struct.Struct("<Q32sq")
_SLOT_BYTES = 512
_BATCH = 1_000


class RecordPeer(Protocol):
    """A file of accounts."""

    def pay(self, number: int, amount: int) -> object:
        """Read the record, add the amount to its balance, write it; durable on return."""

    def close(self) -> object: ...


class InPlace:
    """The least: one read, one write over what was there, one sync. A torn sector loses it."""

    def __init__(self, path: str) -> None:
        is_new = not os.path.exists(path)
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
        if is_new:
            blank = bytes(_SLOT_BYTES - _PACKED.size)
            os.pwrite(
                self._fd,
                b"".join(_PACKED.pack(n, b"owner %d" % n, 0) + blank for n in range(RECORDS)),
                0,
            )
            os.fsync(self._fd)

    def pay(self, number: int, amount: int) -> None:
        offset = number * _SLOT_BYTES
        who, owner, balance = _PACKED.unpack(os.pread(self._fd, _PACKED.size, offset))
        os.pwrite(self._fd, _PACKED.pack(who, owner, balance + amount), offset)
        os.fdatasync(self._fd)

    def close(self) -> None:
        os.close(self._fd)


class Ours:
    """holdfast.RecordFile: read, changed and written under the lock of the record."""

    def __init__(self, path: str) -> None:
        import holdfast

        self._file: Any = holdfast.RecordFile(path, _LAYOUT)
        for start in range(len(self._file), RECORDS, _BATCH):
            self._file.append_many(
                {"id": n, "owner": f"owner {n}", "balance": 0} for n in range(start, start + _BATCH)
            )

    def pay(self, number: int, amount: int) -> None:
        def change(record: Any) -> Any:
            record["balance"] += amount
            return record

        self._file.update(number, change)

    def close(self) -> None:
        self._file.close()


class Sqlite:
    """A row a record, WAL, each commit synced."""

    def __init__(self, path: str) -> None:
        import sqlite3

        self._connection = sqlite3.connect(path, timeout=60, isolation_level=None)
        execute = self._connection.execute
        execute("PRAGMA journal_mode=WAL")
        execute("PRAGMA synchronous=FULL")
        execute("CREATE TABLE IF NOT EXISTS r (id INTEGER PRIMARY KEY, owner TEXT, balance INT)")
        ((count,),) = execute("SELECT count(*) FROM r").fetchall()
        execute("BEGIN IMMEDIATE")
        self._connection.executemany(
            "INSERT INTO r VALUES (?, ?, 0)", [(n, f"owner {n}") for n in range(count, RECORDS)]
        )
        execute("COMMIT")

    def pay(self, number: int, amount: int) -> None:
        self._connection.execute(
            "UPDATE r SET balance = balance + ? WHERE id = ?", (amount, number)
        )

    def close(self) -> None:
        self._connection.close()


class Lmdb:
    """A value a record, in a tree whose changed pages are written anew."""

    def __init__(self, path: str) -> None:
        import lmdb

        self._environment = lmdb.open(path, map_size=1 << 30)
        with self._environment.begin(write=True) as transaction:
            for number in range(transaction.stat()["entries"], RECORDS):
                packed = _PACKED.pack(number, b"owner %d" % number, 0)
                transaction.put(struct.pack(">Q", number), packed, append=True)

    def pay(self, number: int, amount: int) -> None:
        key = struct.pack(">Q", number)
        with self._environment.begin(write=True) as transaction:
            who, owner, balance = _PACKED.unpack(transaction.get(key))
            transaction.put(key, _PACKED.pack(who, owner, balance + amount))

    def close(self) -> None:
        self._environment.close()


RECORD_PEERS: dict[str, Callable[[str], RecordPeer]] = {
    IN_PLACE: InPlace,
    f"{IN_PLACE}, again": InPlace,
    OURS: Ours,
    "sqlite3": Sqlite,
    "lmdb": Lmdb,
}


@functools.cache
def record_peers() -> tuple[str, ...]:
    """Those whose library is installed."""
    return tuple(name for name in RECORD_PEERS if not missing(name))
