"""The log of what is about to be written is not synced before the writing begins.

Found: linux, sync-file
Twin: posix
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.canaries.pieces import frame, frames, sync

BEFORE = {"data": b"o" * 8192, "log": b""}
NEW = b"n" * 8192


def write(path: str, data: bytes) -> int:
    descriptor = os.open(path, os.O_WRONLY)
    os.write(descriptor, data)  # <- here
    return descriptor


def bad() -> None:
    log = write("log", frame(NEW))
    os.fsync(write("data", NEW))
    os.fsync(log)


def good() -> None:
    os.fsync(write("log", frame(NEW)))
    os.fsync(write("data", NEW))
    sync(".")


def check(folder: str, acked: list[str]) -> None:
    coming = list(frames(Path(folder, "log").read_bytes()))
    now = coming[0] if coming else Path(folder, "data").read_bytes()
    assert len(set(now)) == 1, "half old, half new, and no log"
