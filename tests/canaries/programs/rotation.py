"""The new log may be there while the old one has not got its other name yet: then it is gone.

Found: linux, sync-folder
Twin: posix
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.canaries.pieces import append, sync

BEFORE = {"log": b"important\n"}


def bad() -> None:
    os.rename("log", "log.1")  # <- here
    append("log", b"next\n")


def good() -> None:
    os.rename("log", "log.1")
    sync(".")
    append("log", b"next\n")
    sync(".")


def check(folder: str, acked: list[str]) -> None:
    logs = b"".join(path.read_bytes() for path in Path(folder).iterdir())
    assert b"important\n" in logs, "the old log is gone"
