"""In shell: mv puts a file into place that nobody has synced.

Found: linux, sync-before-rename
Twin: posix
"""

from __future__ import annotations

from pathlib import Path

BEFORE = {"state": b"old\n"}
PROGRAM = "in_shell.sh"
CALL = "rename"  # mv has no line numbers


def check(folder: str, acked: list[str]) -> None:
    state = Path(folder, "state").read_bytes()
    assert state == b"new\n" or (state == b"old\n" and not acked), "neither old nor new"
