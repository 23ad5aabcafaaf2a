"""The count in the header goes up before the record that it counts is there.

Found: prefix, not-atomic
Twin: posix
"""

from __future__ import annotations

import os
from pathlib import Path

BEFORE = {"store": b"0".ljust(4096, b"\0") + b"\0" * 100}


def bad() -> None:
    descriptor = os.open("store", os.O_WRONLY)
    os.pwrite(descriptor, b"1", 0)  # <- here
    os.fsync(descriptor)
    os.pwrite(descriptor, b"r" * 100, 4096)
    os.fsync(descriptor)


def good() -> None:
    descriptor = os.open("store", os.O_WRONLY)
    os.pwrite(descriptor, b"r" * 100, 4096)
    os.fsync(descriptor)
    os.pwrite(descriptor, b"1", 0)
    os.fsync(descriptor)


def check(folder: str, acked: list[str]) -> None:
    data = Path(folder, "store").read_bytes()
    assert data[:1] == b"0" or data[4096:] == b"r" * 100, "counted, and not there"
