"""The folder above is synced, not the one that holds the name.

Found: linux, sync-folder
Twin: posix
"""

from __future__ import annotations

import os
from pathlib import Path

from holdfast.crash import ack
from tests.canaries.pieces import create, replace, sync

BEFORE = {"data/state": b"old"}


def bad() -> None:
    create("data/state.tmp", b"new")
    os.replace("data/state.tmp", "data/state")  # <- here
    sync(".")
    ack("saved")


def good() -> None:
    replace("data/state", b"new")
    ack("saved")


def check(folder: str, acked: list[str]) -> None:
    state = Path(folder, "data/state").read_bytes()
    assert state == b"new" or (state == b"old" and not acked), "the saved state is lost"
