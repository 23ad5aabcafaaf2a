"""A sync there is, of another file: the old one, which is about to be replaced.

Found: linux, sync-before-rename
Twin: posix
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.canaries.pieces import replace, sync

BEFORE = {"state": b"old"}


def bad() -> None:
    Path("state.tmp").write_bytes(b"new")
    sync("state")
    os.replace("state.tmp", "state")  # <- here
    sync(".")


def good() -> None:
    replace("state", b"new")


def check(folder: str, acked: list[str]) -> None:
    assert Path(folder, "state").read_bytes() in {b"old", b"new"}, "neither old nor new"
