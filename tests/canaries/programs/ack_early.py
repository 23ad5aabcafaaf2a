"""The acknowledgement comes before the sync.

Found: linux, sync-file
Twin: posix
"""

from __future__ import annotations

import os
from pathlib import Path

from holdfast.crash import ack
from tests.canaries.pieces import append

BEFORE = {"log": b""}


def bad() -> None:
    descriptor = os.open("log", os.O_WRONLY | os.O_APPEND)
    os.write(descriptor, b"paid\n")  # <- here
    ack("paid")
    os.fsync(descriptor)


def good() -> None:
    append("log", b"paid\n")
    ack("paid")


def check(folder: str, acked: list[str]) -> None:
    assert not acked or Path(folder, "log").read_bytes() == b"paid\n", "paid, and not written down"
