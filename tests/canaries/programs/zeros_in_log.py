"""The reader of a log chokes on zeros, which is what a lost block below a saved size reads as.

Found: linux, torn-write
Twin: posix
"""

from __future__ import annotations

import json
from pathlib import Path

from tests.canaries.pieces import append, frame, frames

BEFORE = {"log": b""}


def bad() -> None:
    append("log", b'{"n": 1}\n')  # <- here


def good() -> None:
    append("log", frame(b'{"n": 1}'))


def check_bad(folder: str, acked: list[str]) -> None:
    for line in Path(folder, "log").read_text().splitlines():
        json.loads(line)


def check_good(folder: str, acked: list[str]) -> None:
    for line in frames(Path(folder, "log").read_bytes()):
        json.loads(line)
