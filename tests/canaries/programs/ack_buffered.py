"""The acknowledgement comes while the data are in a buffer of the program: a kill loses them.

Found: prefix, acknowledged-early
Twin: posix
"""

from __future__ import annotations

import os
from pathlib import Path

from holdfast.crash import ack

BEFORE = {"log": b""}


def bad() -> None:
    with open("log", "a") as file:
        file.write("paid\n")
        ack("paid")  # <- here


def good() -> None:
    with open("log", "a") as file:
        file.write("paid\n")
        file.flush()
        os.fsync(file.fileno())
        ack("paid")


def check(folder: str, acked: list[str]) -> None:
    assert not acked or Path(folder, "log").read_bytes() == b"paid\n", "paid, and not written down"
