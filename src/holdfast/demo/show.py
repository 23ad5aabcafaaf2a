"""Runs the four parts in a folder of its own, shows how far it is, and prints the table."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from holdfast.demo.report import render, total_lost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from holdfast.demo.report import Row

    Parts = Callable[[Path, Path, Callable[[str], None]], Iterable[Row]]

__all__ = ["Counts", "all_parts", "main"]

_INTRODUCTION = """\
holdfast demo, on {where} ({filesystem})
  1. four processes edit one commented TOML file, with and without holdfast
  2. writers are killed in the middle of their work
  3. the disk is full
  4. the power fails at every point of a replacement (in memory)
"""


class Counts(NamedTuple):
    """How much is tried: edits a process, writers killed, writes to each full disk."""

    edits_each: int
    kills: int
    full_disk: int


FULL = Counts(edits_each=250, kills=16, full_disk=300)


class _Progress:
    """One line on standard error, rewritten; nothing where that is no terminal."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._start = time.monotonic()

    def __call__(self, text: str) -> None:
        if self._terminal:
            elapsed = time.monotonic() - self._start
            sys.stderr.write(f"\r\x1b[K  {elapsed:4.0f} s  {text}")
            sys.stderr.flush()

    def clear(self) -> None:
        if self._terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def main(arguments: Sequence[str] | None = None, *, parts: Parts | None = None) -> int:
    """Run the demonstration; 0 if nothing was lost, 1 if anything was.

    `parts` is what it consists of: given a folder, a sample and a progress line.
    """
    options = _parser().parse_args(arguments)
    base, sample = Path(options.dir).resolve(), _sample(options.sample)
    folder = Path(tempfile.mkdtemp(prefix="holdfast-demo-", dir=base))
    start, progress = time.monotonic(), _Progress()
    try:
        print(_INTRODUCTION.format(where=base, filesystem=_filesystem(base)))
        rows = list((parts or all_parts)(folder, sample, progress))
    finally:
        progress.clear()
        shutil.rmtree(folder)
    print(render(rows))
    lost = total_lost(rows)
    verdict = "nothing was lost" if lost == 0 else f"LOST: {lost}"
    print(f"\n{verdict}, in {time.monotonic() - start:.0f} s. The folder of this run is removed.")
    return 1 if lost else 0


def all_parts(
    folder: Path, sample: Path, progress: Callable[[str], None], *, counts: Counts = FULL
) -> Iterator[Row]:
    """Run the four parts one after the other, as large as `counts` says."""
    from holdfast.demo.crashes import crashes
    from holdfast.demo.edits import edits
    from holdfast.demo.full_disk import full_disk
    from holdfast.demo.kills import kills

    yield from edits(folder, sample, progress, each=counts.edits_each)
    yield from kills(folder, progress, rounds=counts.kills)
    yield from full_disk(folder, progress, attempts=counts.full_disk)
    yield from crashes(progress)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="holdfast demo", description="Try the promises on this disk; under half a minute."
    )
    parser.add_argument("dir", nargs="?", default=".", help="where to try them (default: here)")
    parser.add_argument("--sample", metavar="FILE", help="a TOML file of yours; a copy is edited")
    return parser


def _sample(chosen: str | None) -> Path:
    """The file that is copied: the caller's, or the project's own pyproject.toml."""
    package = Path(__file__).resolve().parents[1]
    candidates = (
        [Path(chosen)]
        if chosen
        else [
            package / "demo" / "sample.toml",
            package.parents[1] / "pyproject.toml",
        ]
    )
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise FileNotFoundError(
        f"{candidates[0]}: no such TOML file. Nothing was tried. Pass --sample FILE."
    )


def _filesystem(folder: Path) -> str:
    from holdfast.vfs import SYSTEM

    promises = SYSTEM.promises(str(folder))
    return promises.filesystem + "".join(f"; {weakness}" for weakness in promises.weaknesses)
