"""A link is removed and made anew: in between there is no current release.

Found: prefix, remove-then-rename
Twin: posix
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.canaries.pieces import sync

BEFORE = {"v1/page": b"1", "v2/page": b"2"}


def prepare(folder: str) -> None:
    os.symlink("v1", os.path.join(folder, "current"))


def bad() -> None:
    os.unlink("current")  # <- here
    os.symlink("v2", "current")
    sync(".")


def good() -> None:
    os.symlink("v2", "current.tmp")
    os.rename("current.tmp", "current")
    sync(".")


def check(folder: str, acked: list[str]) -> None:
    assert Path(folder, "current/page").read_bytes() in {b"1", b"2"}
