"""A folder gets its final name, and the folder above it is not synced.

Found: linux, sync-folder
Twin: posix
"""

from __future__ import annotations

import os
from pathlib import Path

from holdfast.crash import ack
from tests.canaries.pieces import create, sync

BEFORE: dict[str, bytes] = {}


def fill() -> None:
    os.mkdir("next")
    create("next/page", b"new")
    sync("next")


def bad() -> None:
    fill()
    os.rename("next", "site")  # <- here
    ack("published")


def good() -> None:
    fill()
    os.rename("next", "site")
    sync(".")
    ack("published")


def check(folder: str, acked: list[str]) -> None:
    assert not acked or Path(folder, "site/page").read_bytes() == b"new", "not published"
