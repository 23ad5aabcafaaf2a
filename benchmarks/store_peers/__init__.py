"""Stores of keys and values: raw system calls, holdfast, and what people use instead.

Each is made from the path of an empty or already filled folder, and closed after its rounds. What
a put guarantees is not written here: `tracing` reads it off the system calls.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.log_peers import ZEROED
from benchmarks.peers import missing
from benchmarks.store_peers import databases, engines, floor, mappings, ours

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.store_peers.shape import StorePeer

__all__ = ["OURS", "STORES", "Kind", "names_of", "operation"]

OURS = "holdfast.Store"


class Kind(NamedTuple):
    """How it is made, and what else than puts and gets of one thread it can do."""

    make: Callable[[str], StorePeer]
    threads: bool = True
    processes: bool = True
    scans: bool = True
    rolls: bool = False  # it uses a log again only after `settle`


_SHELVED = {"threads": False, "processes": False, "scans": False}
STORES: dict[str, Kind] = {
    ZEROED: Kind(floor.Floor, processes=False),
    f"{ZEROED}, again": Kind(floor.Floor, processes=False),
    OURS: Kind(ours.open_store),
    f"{OURS}, JSON": Kind(ours.open_json),
    f"{OURS} sync=never": Kind(functools.partial(ours.open_store, sync="never")),
    "sqlite3, one connection": Kind(functools.partial(databases.OneConnection, "sqlite3")),
    "sqlite3, one a thread": Kind(functools.partial(databases.OneAThread, "sqlite3")),
    "sqlite3, one writer thread": Kind(functools.partial(databases.OneWriter, "sqlite3")),
    "apsw": Kind(functools.partial(databases.OneConnection, "apsw")),
    "lmdb": Kind(engines.Lmdb),
    "rocksdict": Kind(engines.Rocks, processes=False, rolls=True),
    "rocksdict, recycled logs": Kind(
        functools.partial(engines.Rocks, recycled_logs=4), processes=False, rolls=True
    ),
    "diskcache, synchronous=2": Kind(
        functools.partial(mappings.Diskcache, sqlite_synchronous=2), scans=False
    ),
    "diskcache": Kind(mappings.Diskcache, scans=False),
    "sqlitedict": Kind(mappings.Sqlitedict, scans=False),
    "ZODB FileStorage": Kind(mappings.Zodb, processes=False),
    "shelve": Kind(mappings.Shelve, **_SHELVED),
}


def names_of(fits: Callable[[Kind], bool] = lambda _: True) -> list[str]:
    """The stores that fit and whose library is installed."""
    return [name for name, kind in STORES.items() if fits(kind) and not missing(name)]


def operation(name: str) -> str:
    """What a put of this store is called in `tracing`, where a log may have the same name."""
    return f"put: {name}"
