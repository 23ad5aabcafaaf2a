"""Two pages are overwritten in place: one may be new while the other is old.

Found: prefix, torn-write
Twin: posix
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.canaries.pieces import replace

BEFORE = {"state": b"o" * 8192}


def bad() -> None:
    descriptor = os.open("state", os.O_WRONLY)
    os.pwrite(descriptor, b"n" * 8192, 0)  # <- here
    os.fsync(descriptor)


def good() -> None:
    replace("state", b"n" * 8192)


def check(folder: str, acked: list[str]) -> None:
    assert len(set(Path(folder, "state").read_bytes())) == 1, "half old, half new"
