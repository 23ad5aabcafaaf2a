"""The backup is a hard link, so what is written in place is written into the backup as well.

Found: prefix, truncate-then-write
Twin: posix
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.canaries.pieces import replace, sync

BEFORE = {"state": b"old"}


def bad() -> None:
    os.link("state", "state.bak")
    sync(".")
    with open("state", "w") as file:  # <- here
        file.write("new")
        file.flush()
        os.fsync(file.fileno())
    os.unlink("state.bak")


def good() -> None:
    os.link("state", "state.bak")
    sync(".")
    replace("state", b"new")
    os.unlink("state.bak")


def check(folder: str, acked: list[str]) -> None:
    found = [path.read_bytes() for path in Path(folder).glob("state*") if path.suffix != ".tmp"]
    assert {b"old", b"new"} & set(found), "neither the state nor its backup is whole"
