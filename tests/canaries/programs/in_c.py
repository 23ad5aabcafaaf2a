"""In C: stdio writes, fclose, rename; fflush is no sync.

Found: linux, sync-before-rename
Twin: posix
"""

from __future__ import annotations

from pathlib import Path

BEFORE = {"state": b"old"}
PROGRAM = "in_c.c"


def check(folder: str, acked: list[str]) -> None:
    state = Path(folder, "state").read_bytes()
    assert state == b"new" or (state == b"old" and not acked), "neither old nor new"
