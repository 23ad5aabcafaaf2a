"""The file is emptied before its new contents are there.

Found: prefix, truncate-then-write
Twin: posix
"""

from __future__ import annotations

from pathlib import Path

from tests.canaries.pieces import replace

BEFORE = {"state": b"old"}


def bad() -> None:
    with open("state", "w") as file:  # <- here
        file.write("new")


def good() -> None:
    replace("state", b"new")


def check(folder: str, acked: list[str]) -> None:
    assert Path(folder, "state").read_bytes() in {b"old", b"new"}, "neither old nor new"
