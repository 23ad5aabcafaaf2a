"""Part 3: a disk that is full, or a limit on the size of files, in the middle of a replacement."""

from __future__ import annotations

import random
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import holdfast
from holdfast.demo.report import Row
from holdfast.demo.workers import start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["fill", "full_disk"]

_ATTEMPTS = 300
_SMALL_BYTES = 20 << 10
_LARGE_BYTES = 90 << 10
_ROOM_BYTES = 64 << 10


def full_disk(folder: Path, progress: Callable[[str], None]) -> Iterator[Row]:
    """Write too much to a tiny tmpfs, which takes root, and under a file size limit, which takes nothing."""
    progress("a limit on the size of files")
    yield _row("writes over a file size limit", folder, "limit")
    progress("a disk of 64 KiB")
    with _tiny_disk(folder / "tiny") as disk:
        if disk is not None:
            yield _row("writes to a disk of 64 KiB, mostly full", disk, "disk")


def _row(what: str, folder: Path, kind: str) -> Row:
    process = start(["full", str(folder), kind])
    output, errors = process.communicate()
    if process.returncode:
        raise RuntimeError(f"the writer failed by itself: {errors.strip()}")
    tried, refused, lost = map(int, output.split())
    return Row(what, tried, lost, f"{refused} refused")


def fill(folder: Path, *, limit: bool) -> tuple[int, int, int]:
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
    for number in range(_ATTEMPTS):
        new = bytes([number % 256]) * dice.randint(1, _LARGE_BYTES)
        try:
            holdfast.write_bytes(target, new)
        except OSError:
            refused += 1
            new = old
        lost += target.read_bytes() != new or sorted(folder.iterdir()) != around
        old = new
    return _ATTEMPTS, refused, lost


def _limit_file_size(size_bytes: int) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, size_bytes))


@contextmanager
def _tiny_disk(point: Path) -> Iterator[Path | None]:
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
