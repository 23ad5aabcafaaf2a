"""A line is appended and acknowledged, and never synced.

Found: linux, sync-file
Twin: posix
"""

from __future__ import annotations

from pathlib import Path

from holdfast.crash import ack
from tests.canaries.pieces import append

BEFORE = {"log": b"first\n"}


def bad() -> None:
    with open("log", "ab", buffering=0) as file:
        file.write(b"second\n")  # <- here
    ack("second")


def good() -> None:
    append("log", b"second\n")
    ack("second")


def check(folder: str, acked: list[str]) -> None:
    log = Path(folder, "log").read_text()
    assert set(acked) <= set(log.split("\n")), "an acknowledged line is lost"
