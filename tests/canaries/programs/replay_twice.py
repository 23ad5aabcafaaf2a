"""Recovery adds what the log says and then removes it: a crash in between adds it twice.

Found: prefix, not-atomic
Twin: posix
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.canaries.pieces import create, replace, sync

BEFORE = {"total": b"100"}


def deposit(log: bytes) -> None:
    create("log.tmp", log)
    os.rename("log.tmp", "log")
    sync(".")


def bad() -> None:
    deposit(b"add 10")


def good() -> None:
    deposit(b"set 110")


def recover(folder: str) -> None:
    log, total = (os.path.join(folder, name) for name in ("log", "total"))
    if os.path.exists(log):
        word, number = Path(log).read_text().split()
        old = int(Path(total).read_text()) if word == "add" else 0
        replace(total, b"%d" % (old + int(number)))  # <- here
        os.unlink(log)
        sync(folder)


def check(folder: str, acked: list[str]) -> None:
    recover(folder)
    assert Path(folder, "total").read_text() in {"100", "110"}, "added twice"
