"""A new folder is filled and renamed into place, and its files were never synced.

Found: linux, sync-file
Twin: posix
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.canaries.pieces import create, sync

BEFORE: dict[str, bytes] = {}


def bad() -> None:
    os.mkdir("next")
    with open("next/page", "w") as file:  # <- here
        file.write("new")
    sync("next")
    os.rename("next", "site")
    sync(".")


def good() -> None:
    os.mkdir("next")
    create("next/page", b"new")
    sync("next")
    os.rename("next", "site")
    sync(".")


def check(folder: str, acked: list[str]) -> None:
    site = Path(folder, "site")
    assert not site.exists() or (site / "page").read_bytes() == b"new", "the site has no page"
