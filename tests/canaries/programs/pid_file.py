"""A pid file is created and then filled: who finds it empty cannot tell whose it is.

Found: prefix, name-before-contents
Twin: posix
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.canaries.pieces import create, sync

BEFORE: dict[str, bytes] = {}


def bad() -> None:
    descriptor = os.open("pid", os.O_WRONLY | os.O_CREAT | os.O_EXCL)  # <- here
    os.write(descriptor, b"4711\n")
    os.close(descriptor)


def good() -> None:
    create("pid.tmp", b"4711\n")
    os.link("pid.tmp", "pid")
    os.unlink("pid.tmp")
    sync(".")


def check(folder: str, acked: list[str]) -> None:
    pid = Path(folder, "pid")
    assert not pid.exists() or pid.read_bytes() == b"4711\n", "a pid file without a pid"
