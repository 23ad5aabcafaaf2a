"""The names in a new folder are not synced before the folder itself gets its name.

Found: posix, sync-folder
Twin: posix
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.canaries.pieces import create, sync

BEFORE: dict[str, bytes] = {}


def bad() -> None:
    os.mkdir("next")
    create("next/page", b"new")  # <- here
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
