"""The reader takes the last line of a log as it is, though a crash may have cut it off.

Found: prefix, torn-write
Twin: posix
"""

from __future__ import annotations

from pathlib import Path

from tests.canaries.pieces import append, frame, frames

BEFORE = {"log": b"first\n"}
LINE = b"x" * 6000


def bad() -> None:
    append("log", LINE + b"\n")  # <- here


def good() -> None:
    append("log", frame(LINE))


def check_bad(folder: str, acked: list[str]) -> None:
    lines = Path(folder, "log").read_bytes().split(b"\n")
    assert set(lines) <= {b"first", LINE, b""}, "a line that nobody wrote"


def check_good(folder: str, acked: list[str]) -> None:
    records = Path(folder, "log").read_bytes().removeprefix(b"first\n")
    assert set(frames(records)) <= {LINE}, "a record that nobody wrote"
