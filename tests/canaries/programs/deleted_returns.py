"""A removal is acknowledged, and the folder is not synced: the file may be back.

Found: linux, sync-folder
Twin: posix
"""

from __future__ import annotations

import os
from pathlib import Path

from holdfast.crash import ack
from tests.canaries.pieces import sync

BEFORE = {"secret": b"key"}


def bad() -> None:
    os.unlink("secret")  # <- here
    ack("forgotten")


def good() -> None:
    os.unlink("secret")
    sync(".")
    ack("forgotten")


def check(folder: str, acked: list[str]) -> None:
    assert not (acked and Path(folder, "secret").exists()), "what was forgotten is back"
