"""SQLite with synchronous=OFF: an acknowledged commit may be lost.

Found: linux, sync-file
Twin: posix
"""

from __future__ import annotations

import sqlite3

from holdfast.crash import ack
from tests.canaries import database

BEFORE: dict[str, bytes] = {}
prepare, check = database.prepare, database.check


def bad() -> None:
    with sqlite3.connect("rows.db") as rows:
        rows.execute("PRAGMA synchronous = OFF")
        rows.execute("INSERT INTO rows VALUES (2)")
        rows.commit()  # <- here
    ack("2")


def good() -> None:
    with sqlite3.connect("rows.db") as rows:
        rows.execute("PRAGMA synchronous = EXTRA")
        rows.execute("INSERT INTO rows VALUES (2)")
        rows.commit()
    ack("2")
