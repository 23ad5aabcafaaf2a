"""The backup is a copy that was never synced; the reader falls back to it when the state is torn.

Found: linux, sync-file
Twin: posix
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.canaries.pieces import create, sync

BEFORE = {"state": b"old"}


def overwrite() -> None:
    descriptor = os.open("state", os.O_WRONLY | os.O_TRUNC)
    os.write(descriptor, b"new")
    os.fsync(descriptor)


def bad() -> None:
    shutil.copyfile("state", "state.bak")  # <- here
    overwrite()


def good() -> None:
    create("state.bak", Path("state").read_bytes())
    sync(".")
    overwrite()


def check(folder: str, acked: list[str]) -> None:
    found = {path.read_bytes() for path in Path(folder).iterdir()}
    assert found & {b"old", b"new"}, "neither the state nor its backup is whole"
