"""The folder is not synced after the rename: what was acknowledged may be the old file again.

Found: linux, sync-folder
Twin: posix
"""

from __future__ import annotations

import os
from pathlib import Path

from holdfast.crash import ack
from tests.canaries.pieces import replace

BEFORE = {"state": b"old"}


def bad() -> None:
    with open("state.tmp", "w") as file:
        file.write("new")
        file.flush()
        os.fsync(file.fileno())
    os.replace("state.tmp", "state")  # <- here
    ack("saved")


def good() -> None:
    replace("state", b"new")
    ack("saved")


def check(folder: str, acked: list[str]) -> None:
    state = Path(folder, "state").read_bytes()
    assert state == b"new" or (state == b"old" and not acked), "the saved state is lost"
