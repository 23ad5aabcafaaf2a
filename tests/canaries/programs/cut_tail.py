"""Recovery cuts a torn tail off: the old size may come back, with zeros where the tail was.

Found: linux, torn-write
Twin: posix
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.canaries.pieces import replace

BEFORE = {"log": b"one\ntwo\nthr"}


def bad() -> None:
    descriptor = os.open("log", os.O_WRONLY)
    os.ftruncate(descriptor, 8)  # <- here
    os.fsync(descriptor)


def good() -> None:
    replace("log", Path("log").read_bytes()[:8])


def check(folder: str, acked: list[str]) -> None:
    assert b"\0" not in Path(folder, "log").read_bytes(), "zeros in the log"
