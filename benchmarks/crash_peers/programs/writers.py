"""A file, by a library that replaces it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.crash_peers.programs.files import load
from benchmarks.crash_peers.states import contents

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["VARIANTS", "load", "saver"]

VARIANTS = {
    "atomicwrites": "`atomic_write(path, overwrite=True)`",
    "boltons": "`fileutils.atomic_save(path)`",
    "safer-memory": "`safer.open(path, 'w')`",
    "safer-temp": "`safer.open(path, 'w', temp_file=True)`",
}


def saver(variant: str) -> Callable[[int], None]:
    return {
        "atomicwrites": _atomicwrites,
        "boltons": _boltons,
        "safer-memory": _safer,
        "safer-temp": _safer_temp,
    }[variant]


def _atomicwrites(n: int) -> None:
    from atomicwrites import atomic_write

    with atomic_write("state", overwrite=True) as file:
        file.write(contents(n))


def _boltons(n: int) -> None:
    from boltons import fileutils

    with fileutils.atomic_save("state", text_mode=True) as file:
        file.write(contents(n))


def _safer(n: int) -> None:
    import safer

    with safer.open("state", "w") as file:
        file.write(contents(n))


def _safer_temp(n: int) -> None:
    import safer

    with safer.open("state", "w", temp_file=True) as file:
        file.write(contents(n))
