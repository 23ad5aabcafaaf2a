"""A new folder has its own name never synced: ext4, xfs and btrfs keep it, POSIX does not.

Found: posix, sync-folder
Twin: posix
"""

from __future__ import annotations

import os
from pathlib import Path

from holdfast.crash import ack
from tests.canaries.pieces import create, sync

BEFORE: dict[str, bytes] = {}


def bad() -> None:
    os.mkdir("data")  # <- here
    create("data/state", b"new")
    sync("data")
    ack("saved")


def good() -> None:
    os.mkdir("data")
    sync(".")
    create("data/state", b"new")
    sync("data")
    ack("saved")


def check(folder: str, acked: list[str]) -> None:
    assert not acked or Path(folder, "data/state").read_bytes() == b"new", "the saved state is lost"
