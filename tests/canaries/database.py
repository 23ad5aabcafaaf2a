"""A database with one row, for the canaries that add a second one."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing


def prepare(folder: str) -> None:
    with closing(sqlite3.connect(os.path.join(folder, "rows.db"))) as rows:
        rows.executescript("CREATE TABLE rows (n); INSERT INTO rows VALUES (1);")


def check(folder: str, acked: list[str]) -> None:
    with closing(sqlite3.connect(os.path.join(folder, "rows.db"))) as rows:
        assert rows.execute("PRAGMA integrity_check").fetchone() == ("ok",), "the file is damaged"
        found = {str(n) for (n,) in rows.execute("SELECT n FROM rows")}
    assert {"1", *acked} <= found <= {"1", "2"}, "an acknowledged row is lost"
