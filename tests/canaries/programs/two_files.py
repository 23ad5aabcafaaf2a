"""Two files that must agree are replaced one after the other, each of them rightly.

Found: prefix, not-atomic
Twin: posix
"""

from __future__ import annotations

from pathlib import Path

from tests.canaries.pieces import replace

BEFORE = {"key": b"1", "lock": b"1", "pair": b"1 1"}


def bad() -> None:
    replace("key", b"2")  # <- here
    replace("lock", b"2")


def good() -> None:
    replace("pair", b"2 2")


def check(folder: str, acked: list[str]) -> None:
    key, lock, pair = (Path(folder, name).read_text() for name in ("key", "lock", "pair"))
    assert key == lock, "the key does not fit the lock"
    assert pair in {"1 1", "2 2"}, "the pair is none"
