"""The journal with the old contents is removed before the new contents are synced.

Found: linux, sync-file
Twin: posix
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.canaries.pieces import create, frame, frames, sync

BEFORE = {"data": b"o" * 8192}


def begin() -> int:
    create("journal", frame(Path("data").read_bytes()))
    sync(".")
    return os.open("data", os.O_WRONLY)


def bad() -> None:
    descriptor = begin()
    os.pwrite(descriptor, b"n" * 8192, 0)  # <- here
    os.unlink("journal")
    os.fsync(descriptor)


def good() -> None:
    descriptor = begin()
    os.pwrite(descriptor, b"n" * 8192, 0)
    os.fsync(descriptor)
    os.unlink("journal")
    sync(".")


def check(folder: str, acked: list[str]) -> None:
    data, journal = Path(folder, "data"), Path(folder, "journal")
    old = list(frames(journal.read_bytes())) if journal.exists() else []
    now = old[0] if old else data.read_bytes()
    assert len(set(now)) == 1, "half old, half new, and no journal"
