"""A commented state file, and what stands beside one."""

from __future__ import annotations

from pathlib import Path

TOML = """\
# my settings
title = "a"   # trailing

[window]      # the window
size = 10     # pixels
other = [1, 2,
         3]   # kept
"""


def others(path: Path) -> list[str]:
    """The names beside the file that are not its lock."""
    return sorted(
        p.name for p in path.parent.iterdir() if p.name not in {path.name, f"{path.name}.lock"}
    )
