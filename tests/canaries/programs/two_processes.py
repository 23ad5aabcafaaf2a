"""Two processes append to one log; the parent acknowledges when both have ended, and nobody synced.

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
    for name in (b"left\n", b"right\n"):
        if os.fork() == 0:
            descriptor = os.open("log", os.O_WRONLY | os.O_APPEND)
            os.write(descriptor, name)  # <- here
            os._exit(0)
    for _ in range(2):
        os.wait()
    ack("both")


def good() -> None:
    for name in (b"left\n", b"right\n"):
        if os.fork() == 0:
            append("log", name)
            os._exit(0)
    for _ in range(2):
        os.wait()
    ack("both")


def check(folder: str, acked: list[str]) -> None:
    lines = Path(folder, "log").read_bytes().split(b"\n")
    assert not acked or {b"left", b"right"} <= set(lines), "an acknowledged line is lost"
