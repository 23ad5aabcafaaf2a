"""A counter goes from 9 to 10 in place: its new digits may survive without its new size.

Found: linux, torn-write
Twin: posix
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.canaries.pieces import replace

BEFORE = {"count": b"9"}


def bad() -> None:
    descriptor = os.open("count", os.O_WRONLY)
    os.pwrite(descriptor, b"10", 0)  # <- here
    os.fsync(descriptor)


def good() -> None:
    replace("count", b"10")


def check(folder: str, acked: list[str]) -> None:
    assert Path(folder, "count").read_bytes() in {b"9", b"10"}, "a number that was never written"
