"""A new file is acknowledged after fdatasync, which covers its data and size and no name of it.

Found: linux, sync-folder
Twin: posix
"""

from __future__ import annotations

import os
from pathlib import Path

from holdfast.crash import ack
from tests.canaries.pieces import sync

BEFORE: dict[str, bytes] = {}


def bad() -> None:
    descriptor = os.open("state", os.O_WRONLY | os.O_CREAT)  # <- here
    os.write(descriptor, b"new")
    os.fdatasync(descriptor)
    ack("saved")


def good() -> None:
    descriptor = os.open("state", os.O_WRONLY | os.O_CREAT)
    os.write(descriptor, b"new")
    os.fdatasync(descriptor)
    sync(".")
    ack("saved")


def check(folder: str, acked: list[str]) -> None:
    assert not acked or Path(folder, "state").read_bytes() == b"new", "the saved state is lost"
