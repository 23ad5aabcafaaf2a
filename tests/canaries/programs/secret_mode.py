"""A key is readable by all until its mode is changed.

Found: prefix, not-atomic
Twin: posix
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.canaries.pieces import create, sync

BEFORE: dict[str, bytes] = {}


def bad() -> None:
    create("key.tmp", b"secret")
    os.rename("key.tmp", "key")  # <- here
    os.chmod("key", 0o600)
    sync(".")


def good() -> None:
    descriptor = os.open("key.tmp", os.O_WRONLY | os.O_CREAT, 0o600)
    os.write(descriptor, b"secret")
    os.fsync(descriptor)
    os.rename("key.tmp", "key")
    sync(".")


def check(folder: str, acked: list[str]) -> None:
    key = Path(folder, "key")
    assert not key.exists() or not key.stat().st_mode & 0o077, "everybody can read the key"
