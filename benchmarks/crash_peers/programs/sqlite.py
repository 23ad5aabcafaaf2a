"""sqlite3: each journal mode, each setting of `synchronous`."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from benchmarks.crash_peers.states import Damaged, contents, number

if TYPE_CHECKING:
    from collections.abc import Callable

MODES = ("DELETE", "TRUNCATE", "PERSIST", "WAL", "MEMORY", "OFF")
SYNCHRONOUS = ("OFF", "NORMAL", "FULL", "EXTRA")
VARIANTS = {f"{mode}-{sync}": f"{mode}, {sync}" for mode in MODES for sync in SYNCHRONOUS}


def saver(variant: str) -> Callable[[int], None]:
    mode, synchronous = variant.split("-")
    database = sqlite3.connect("state.db", isolation_level=None)
    database.execute("CREATE TABLE IF NOT EXISTS states (id INTEGER PRIMARY KEY, text)")
    database.execute(f"PRAGMA journal_mode = {mode}")
    database.execute(f"PRAGMA synchronous = {synchronous}")

    def save(n: int) -> None:
        database.execute("INSERT OR REPLACE INTO states VALUES (1, ?)", (contents(n),))

    return save


def load(_variant: str) -> int:
    with closing(sqlite3.connect("state.db")) as database:
        (answer,) = database.execute("PRAGMA integrity_check").fetchone()
        if answer != "ok":
            raise Damaged("integrity_check fails")
        return number(database.execute("SELECT text FROM states").fetchone()[0])
