"""A store into a mapped file is acknowledged without msync.

Found: linux, sync-file
Twin: posix
"""

from __future__ import annotations

import mmap
from pathlib import Path

from holdfast.crash import ack

CALL = "(stores into mapped files)"  # no line: the store itself is no call
BEFORE = {"store": b"o" * 4096}


def bad() -> None:
    with open("store", "r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
        memory[:3] = b"new"
        ack("stored")


def good() -> None:
    with open("store", "r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
        memory[:3] = b"new"
        memory.flush()
        ack("stored")


def check(folder: str, acked: list[str]) -> None:
    assert not acked or Path(folder, "store").read_bytes()[:3] == b"new", "the store is lost"
