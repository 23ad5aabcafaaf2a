"""A sync fails, is tried again and succeeds: the second one covers nothing of what the first lost.

Found: linux, failed-sync
Twin: posix
"""

from __future__ import annotations

import os
from pathlib import Path

from holdfast.crash import CallFault, ack
from tests.canaries.pieces import append, replace

BEFORE = {"log": b"one\n"}
FAULTS = [CallFault("fsync", 1, "EIO")]


def bad() -> None:
    descriptor = os.open("log", os.O_WRONLY | os.O_APPEND)
    os.write(descriptor, b"two\n")
    try:
        os.fsync(descriptor)  # <- here
    except OSError:
        os.fsync(descriptor)
    ack("two")


def good() -> None:
    try:
        append("log", b"two\n")
    except OSError:
        replace("log", b"one\ntwo\n")
    ack("two")


def check(folder: str, acked: list[str]) -> None:
    assert not acked or Path(folder, "log").read_bytes() == b"one\ntwo\n", (
        "an acknowledged line is lost"
    )
