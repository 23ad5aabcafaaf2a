"""The file is cut to nothing, then written, then synced.

Found: prefix, truncate-then-write
Twin: posix
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.canaries.pieces import replace

BEFORE = {"state": b"old"}


def bad() -> None:
    descriptor = os.open("state", os.O_WRONLY)
    os.ftruncate(descriptor, 0)  # <- here
    os.write(descriptor, b"new")
    os.fsync(descriptor)


def good() -> None:
    replace("state", b"new")


def check(folder: str, acked: list[str]) -> None:
    assert Path(folder, "state").read_bytes() in {b"old", b"new"}, "neither old nor new"
