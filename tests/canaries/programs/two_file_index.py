"""A value goes to one file and its place to another, which is rewritten in place: as shelve has it.

Found: prefix, truncate-then-write
Twin: posix
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from tests.canaries.pieces import append, replace

BEFORE = {"values": b"one", "index": b'{"a": [0, 3]}'}
INDEX = '{"a": [0, 3], "b": [3, 6]}'


def bad() -> None:
    append("values", b"two")
    with open("index", "w") as file:  # <- here
        file.write(INDEX)
        file.flush()
        os.fsync(file.fileno())


def good() -> None:
    append("values", b"two")
    replace("index", INDEX.encode())


def check(folder: str, acked: list[str]) -> None:
    values = Path(folder, "values").read_bytes()
    for start, stop in json.loads(Path(folder, "index").read_bytes()).values():
        assert values[start:stop] in {b"one", b"two"}, "a value that nobody stored"
