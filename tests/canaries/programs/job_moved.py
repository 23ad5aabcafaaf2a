"""A job moves from one folder to another: after a crash it may be in both, or in neither.

Found: linux, rename-across-folders
Twin: posix
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.canaries.pieces import sync

BEFORE = {"todo/job": b"job", "todo/other.todo": b"job", "done/": b""}


def bad() -> None:
    os.rename("todo/job", "done/job")  # <- here
    sync("done")
    sync("todo")


def good() -> None:
    os.rename("todo/other.todo", "todo/other.done")
    sync("todo")


def check(folder: str, acked: list[str]) -> None:
    jobs = [*Path(folder).glob("*/job"), *Path(folder).glob("*/other.*")]
    assert len(jobs) == 2, "a job is there twice, or not at all"
