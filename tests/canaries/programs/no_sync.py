"""A temporary file is renamed into place without a sync: the name may be new, the contents lost.

Found: linux, sync-before-rename
Twin: posix
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.canaries.pieces import replace

BEFORE = {"state": b"old"}


def bad() -> None:
    with open("state.tmp", "w") as file:
        file.write("new")
    os.replace("state.tmp", "state")  # <- here


def good() -> None:
    replace("state", b"new")


def check(folder: str, acked: list[str]) -> None:
    assert Path(folder, "state").read_bytes() in {b"old", b"new"}, "neither old nor new"
