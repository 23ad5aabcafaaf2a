"""The old file is removed before the new one has its name.

Found: prefix, remove-then-rename
Twin: posix
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.canaries.pieces import create, replace, sync

BEFORE = {"state": b"old"}


def bad() -> None:
    create("state.tmp", b"new")
    os.remove("state")  # <- here
    os.rename("state.tmp", "state")
    sync(".")


def good() -> None:
    replace("state", b"new")


def check(folder: str, acked: list[str]) -> None:
    assert Path(folder, "state").read_bytes() in {b"old", b"new"}, "neither old nor new"
