"""Part 3: a disk that is full, or a limit on the size of files, in the middle of a replacement."""

from __future__ import annotations

import random
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import holdfast
from holdfast.demo.processes import start
from holdfast.demo.report import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

__all__ = ["fill", "full_disk"]

_SMALL_BYTES = 20 << 10
_LARGE_BYTES = 90 << 10
_ROOM_BYTES = 64 << 10


def full_disk(folder: Path, progress: Callable[[str], None], *, attempts: int) -> Iterator[Row]:
    """Write too much under a file size limit and, where root may mount one, to a tiny tmpfs."""
    progress("a limit on the size of files")
    yield _row("writes over a file size limit", ["limit", str(folder), str(attempts)])
    progress("a disk of 64 KiB")
    with _tiny_disk(folder / "tiny") as disk:
        if disk is not None:
            yield _row(
                "writes to a disk of 64 KiB, mostly full", ["disk", str(disk), str(attempts)]
            )


def _row(what: str, job: list[str]) -> Row:
    process = start(job)
    output, errors = process.communicate()
    if process.returncode:
        raise RuntimeError(f"the writer failed by itself: {errors.strip()}")
    tried, refused, lost = map(int, output.split())
    return Row(what, tried, lost, f"{refused} refused")


def fill(folder: Path, *, limit: bool, attempts: int) -> tuple[int, int, int]:
    """Replace a file by contents that fit or do not; return how many were tried, refused and lost.

    Lost is a write after which the file is neither what it was nor what it was to become, or that
    left anything else in the folder.
    """
    if limit:
        _limit_file_size(_ROOM_BYTES)
    target = folder / "full.bin"
    old = bytes(_SMALL_BYTES)
    holdfast.write_bytes(target, old)
    around = sorted(folder.iterdir())
    dice, refused, lost = random.Random(5), 0, 0
    for number in range(attempts):
        new = bytes([number % 256]) * dice.randint(1, _LARGE_BYTES)
        try:
            holdfast.write_bytes(target, new)
        except OSError:
            refused += 1
            new = old
        lost += target.read_bytes() != new or sorted(folder.iterdir()) != around
        old = new
    return attempts, refused, lost


def _limit_file_size(size_bytes: int) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, size_bytes))


@contextmanager
def _tiny_disk(point: Path) -> Generator[Path | None]:
    """Mount a tmpfs of 64 KiB; None where that is not permitted."""
    point.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={_ROOM_BYTES}", "tmpfs", str(point)]
    try:
        mounted = subprocess.run(command, check=False, capture_output=True).returncode == 0
    except OSError:
        mounted = False
    try:
        yield point if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", str(point)], check=True)
