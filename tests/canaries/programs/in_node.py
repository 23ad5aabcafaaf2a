"""In Node: writeFileSync empties the file and then writes it.

Found: prefix, truncate-then-write
Twin: posix
"""

from __future__ import annotations

from pathlib import Path

BEFORE = {"state": b"old"}
PROGRAM = "in_node.js"
CALL = "openat('state'"


def check(folder: str, acked: list[str]) -> None:
    state = Path(folder, "state").read_bytes()
    assert state == b"new" or (state == b"old" and not acked), "neither old nor new"
