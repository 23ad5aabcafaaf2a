"""dbm.dumb, the last resort of shelve: its index is moved aside and then written anew.

Found: prefix, not-atomic
Twin: posix
"""

from __future__ import annotations

import dbm.dumb
import json
import os
from pathlib import Path

from holdfast.crash import ack
from tests.canaries.pieces import replace

BEFORE = {"values.json": b"{}"}


def prepare(folder: str) -> None:
    dbm.dumb.open(os.path.join(folder, "values"), "n").close()


def bad() -> None:
    with dbm.dumb.open("values", "w") as values:  # <- here
        values["a"] = "1"
        ack("a")


def good() -> None:
    replace("values.json", b'{"a": "1"}')
    ack("a")


def check_bad(folder: str, acked: list[str]) -> None:
    with dbm.dumb.open(os.path.join(folder, "values"), "r") as values:
        assert not acked or values["a"] == b"1", "the stored value is lost"


def check_good(folder: str, acked: list[str]) -> None:
    values = json.loads(Path(folder, "values.json").read_bytes())
    assert not acked or values["a"] == "1", "the stored value is lost"
