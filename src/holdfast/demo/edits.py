"""Part 1: four processes edit one commented TOML file, by holdfast and by the usual recipe."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

from holdfast.demo.processes import run_all
from holdfast.demo.report import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["edit_with_holdfast", "edit_with_the_usual_recipe", "edits"]

PROCESSES = 4
_TABLE = "[tool.holdfast-demo]"
_COUNTER = re.compile(r"(?<=\n)edits = (\d+)")


def edits(
    folder: Path, sample: Path, progress: Callable[[str], None], *, each: int
) -> Iterator[Row]:
    """Run both ways, `each` edits a process, and yield what each way kept."""
    total = PROCESSES * each
    kept, lines = _race(folder / "usual.toml", sample, progress, each=each)
    note = (
        f"not ours; the file lost {lines.lost} of {lines.tried} lines too"
        if lines.lost
        else "not ours"
    )
    yield Row("the same by the usual recipe (temp + rename)", total, total - kept, note, ours=False)
    kept, lines = _race(folder / "holdfast.toml", sample, progress, each=each)
    yield Row(f"edits of one TOML file by {PROCESSES} processes", total, total - kept)
    yield Row("lines and comments of that file", lines.tried, lines.lost)


def _race(
    target: Path, sample: Path, progress: Callable[[str], None], *, each: int
) -> tuple[int, Row]:
    """Edit a copy of the sample by the recipe that the target is called after."""
    recipe, total = target.stem, PROCESSES * each
    before = sample.read_text(encoding="utf-8").rstrip("\n") + "\n"
    target.write_text(f"{before}\n{_TABLE}\nedits = 0  # how many were kept\n", encoding="utf-8")
    jobs = [["edits", str(target), recipe, str(each)] for _ in range(PROCESSES)]
    run_all(jobs, lambda: progress(f"{recipe}: {_count(target):,} of {total:,} edits"))
    after = target.read_text(encoding="utf-8").splitlines()
    lines = before.splitlines()
    kept = sum(a == b for a, b in zip(lines, after, strict=False))
    return _count(target), Row("lines", len(lines), len(lines) - kept)


def _count(target: Path) -> int:
    try:
        return int(
            tomllib.loads(target.read_text(encoding="utf-8"))["tool"]["holdfast-demo"]["edits"]
        )
    except (OSError, ValueError, KeyError):
        return 0  # the usual recipe can leave it torn, or missing


def edit_with_holdfast(target: Path) -> None:
    """Add one to the counter."""
    import holdfast

    with holdfast.edit(target) as document:
        document["tool"]["holdfast-demo"]["edits"] += 1


def edit_with_the_usual_recipe(target: Path) -> None:
    """Add one to the counter the way most programs do: read, change, temp file, rename; no lock.

    It does not even parse, so that it is as fast as can be.
    """
    text = target.read_text(encoding="utf-8")
    changed = _COUNTER.sub(lambda match: f"edits = {int(match[1]) + 1}", text)
    temp = target.with_suffix(".tmp")
    temp.write_text(changed, encoding="utf-8")
    temp.replace(target)
