"""Small stores: TinyDB, shelve, LMDB, diskcache."""

from __future__ import annotations

import shelve
from contextlib import closing
from typing import TYPE_CHECKING, Any

from benchmarks.crash_peers.states import contents, number, numbers

if TYPE_CHECKING:
    from collections.abc import Callable

VARIANTS = {
    "tinydb": "`TinyDB(path).insert(document)`",
    "shelve": "`shelve.open(path)`, one key, closed",
    "lmdb": "`env.begin(write=True)`, `put`",
    "lmdb-writemap": "`lmdb.open(writemap=True)`",
    "diskcache": "`Cache(path).set(key, text)`, in its database",
    "diskcache-file": "`Cache(path).set(key, bytes)`, in a file of its own",
}
_FILE_BYTES = 1024  # what is larger goes to a file, in the variant that shows it
_MAP_BYTES = 1 << 20


def saver(variant: str) -> Callable[[int], None]:
    if variant == "tinydb":
        return _tinydb
    if variant == "shelve":
        return _shelve
    return _lmdb(variant) if variant.startswith("lmdb") else _diskcache(variant)


def _tinydb(n: int) -> None:
    from tinydb import TinyDB

    with TinyDB("state.json") as db:
        db.insert({"state": contents(n)})


def _shelve(n: int) -> None:
    with shelve.open("state") as values:
        values["state"] = contents(n)


def _environment(variant: str) -> Any:
    import lmdb

    return lmdb.open("state", writemap=variant == "lmdb-writemap", map_size=_MAP_BYTES)


def _lmdb(variant: str) -> Callable[[int], None]:
    environment = _environment(variant)

    def save(n: int) -> None:
        with environment.begin(write=True) as transaction:
            transaction.put(b"state", contents(n).encode())

    return save


def _cache(variant: str) -> Any:
    from diskcache import Cache

    smallest = _FILE_BYTES if variant == "diskcache-file" else 1 << 15
    return Cache("state", disk_min_file_size=smallest)


def _diskcache(variant: str) -> Callable[[int], None]:
    cache = _cache(variant)

    def save(n: int) -> None:
        text = contents(n)
        cache.set("state", text.encode() if variant == "diskcache-file" else text)

    return save


def load(variant: str) -> int:
    if variant == "tinydb":
        from tinydb import TinyDB

        with TinyDB("state.json") as db:
            return numbers([document["state"] for document in db.all()])
    if variant == "shelve":
        with shelve.open("state", "r") as values:
            return number(values["state"])
    if variant.startswith("lmdb"):
        with closing(_environment(variant)) as environment, environment.begin() as transaction:
            return number(bytes(transaction.get(b"state")).decode())
    with closing(_cache(variant)) as cache:
        value = cache["state"]
        return number(value if isinstance(value, str) else value.decode())
