"""The sync comes after the rename: too late, the name was there first.

Found: linux, sync-before-rename
Twin: posix
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.canaries.pieces import replace, sync

BEFORE = {"state": b"old"}


def bad() -> None:
    with open("state.tmp", "w") as file:
        file.write("new")
    os.replace("state.tmp", "state")  # <- here
    sync("state")
    sync(".")


def good() -> None:
    replace("state", b"new")


def check(folder: str, acked: list[str]) -> None:
    assert Path(folder, "state").read_bytes() in {b"old", b"new"}, "neither old nor new"
