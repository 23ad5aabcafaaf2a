"""What one process of the demonstration does; run as a program by `processes`."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.demo.edits import edit_with_holdfast, edit_with_the_usual_recipe
from holdfast.demo.full_disk import fill
from holdfast.demo.kills import write_for_ever

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["work"]


def work(arguments: Sequence[str]) -> int:
    """Do what the arguments say: a kind of work, where, and how much of it."""
    kind, where, *rest = arguments
    target = Path(where)
    if kind == "edits":
        _edit(target, rest[0], times=int(rest[1]))
    elif kind == "writes":
        write_for_ever(target, int(rest[0]))
    else:
        print(*fill(target, limit=kind == "limit", attempts=int(rest[0])))
    return 0


def _edit(target: Path, recipe: str, *, times: int) -> None:
    for _ in range(times):
        if recipe == "holdfast":
            edit_with_holdfast(target)
        else:
            with suppress(Exception):  # the edit is lost, and counted as such
                edit_with_the_usual_recipe(target)


if __name__ == "__main__":
    sys.exit(work(sys.argv[1:]))
