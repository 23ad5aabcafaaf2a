"""Filesystems to mount for a test, always taken down again. Needs root."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=60)


@contextmanager
def mounted(at: Path, *arguments: str) -> Iterator[Path]:
    """Mount with these arguments of mount(8) at the place."""
    run("mount", *arguments, str(at))
    try:
        yield at
    finally:
        run("umount", str(at))


@contextmanager
def ext4(folder: Path, *, size_mib: int = 16, options: str = "defaults") -> Iterator[Path]:
    """A new ext4 on a loop device of its own, in a file below the folder."""
    image, point = folder / "image", folder / "mounted"
    with image.open("wb") as file:
        file.truncate(size_mib << 20)
    point.mkdir()
    run("mkfs.ext4", "-q", "-F", str(image))
    with mounted(point, "-o", f"loop,{options}", str(image)) as place:
        yield place
