"""The old file is moved aside before the new one takes its name: between the two there is none.

Found: prefix, not-atomic
Twin: posix
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.canaries.pieces import create, sync

BEFORE = {"state": b"old"}


def bad() -> None:
    create("state.tmp", b"new")
    os.rename("state", "state.bak")  # <- here
    os.rename("state.tmp", "state")
    sync(".")


def good() -> None:
    create("state.tmp", b"new")
    os.link("state", "state.bak")
    sync(".")
    os.rename("state.tmp", "state")
    sync(".")


def check(folder: str, acked: list[str]) -> None:
    assert Path(folder, "state").read_bytes() in {b"old", b"new"}, "neither old nor new"
