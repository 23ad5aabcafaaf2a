"""A record of 1000 bytes within one page counts on pages being written whole; sectors are smaller.

Found: linux, torn-write
Twin: posix
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.canaries.pieces import replace

BEFORE = {"state": b"o" * 1000}
OPTIONS = {"block_bytes": 512}


def bad() -> None:
    descriptor = os.open("state", os.O_WRONLY)
    os.pwrite(descriptor, b"n" * 1000, 0)  # <- here
    os.fsync(descriptor)


def good() -> None:
    replace("state", b"n" * 1000)


def check(folder: str, acked: list[str]) -> None:
    assert len(set(Path(folder, "state").read_bytes())) == 1, "half old, half new"
