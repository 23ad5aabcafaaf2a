"""A new file is synced, its name is not: ext4, xfs and btrfs keep it, POSIX does not say so.

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
    descriptor = os.open("state", os.O_WRONLY | os.O_CREAT)  # <- here
    os.write(descriptor, b"new")
    os.fsync(descriptor)
    ack("saved")


def good() -> None:
    create("state", b"new")
    sync(".")
    ack("saved")


def check(folder: str, acked: list[str]) -> None:
    assert not acked or Path(folder, "state").read_bytes() == b"new", "the saved state is lost"
