"""The temporary file has another folder: its old name may stay, and the next save writes there.

Found: linux, rename-across-folders
Twin: posix
"""

from __future__ import annotations

import os
from pathlib import Path

from holdfast.crash import ack
from tests.canaries.pieces import create, replace, sync

BEFORE = {"data/state": b"old", "temp/": b""}


def bad() -> None:
    create("temp/state", b"new")
    os.replace("temp/state", "data/state")  # <- here
    sync("data")
    ack("saved")


def good() -> None:
    replace("data/state", b"new")
    ack("saved")


def check(folder: str, acked: list[str]) -> None:
    Path(folder, "temp/state").write_bytes(b"half of the next")
    state = Path(folder, "data/state").read_bytes()
    assert state == b"new" or (state == b"old" and not acked), "the next save wrote into this one"
