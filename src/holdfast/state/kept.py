"""Old versions of a document: `<name>.~<number>~` beside it, the highest number the youngest.

A version is a hard link to the contents that a write replaced, so it costs a folder entry and no
copy. It is on disk before the replacement is; after a crash there may be one that equals the
document, never one that is missing. Versions beyond `keep` are removed after the replacement.
"""

from __future__ import annotations

from holdfast.primitives.beside import beside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import NamedTuple

    from holdfast.vfs import Folder
else:
    from holdfast.light_typing import NamedTuple

__all__ = ["KeptVersion", "kept_name", "kept_numbers", "next_kept_name", "prune_kept"]


class KeptVersion(NamedTuple):
    """`number` counts up; `path` holds the contents; `modified_ns` is when they were written."""

    number: int
    path: Path
    size_bytes: int
    modified_ns: int


def kept_name(name: str, number: int) -> str:
    """Return the name of one old version; shortened by a hash when it would not fit."""
    return beside(name, f".~{number}~")


def kept_numbers(folder: Folder, name: str) -> list[int]:
    """Return the numbers that are kept, the oldest first."""
    numbers: list[int] = []
    for entry in folder.names():
        digits = entry[entry.rfind(".~") + 2 : -1]
        if digits.isascii() and digits.isdecimal() and entry == kept_name(name, int(digits)):
            numbers.append(int(digits))
    return sorted(numbers)


def next_kept_name(folder: Folder, name: str) -> str:
    """Return the name for the version that is about to be replaced."""
    numbers = kept_numbers(folder, name)
    return kept_name(name, numbers[-1] + 1 if numbers else 1)


def prune_kept(folder: Folder, name: str, *, keep: int) -> None:
    """Remove all but the youngest `keep`; one that cannot be removed stays."""
    for number in kept_numbers(folder, name)[:-keep]:
        try:
            folder.unlink(kept_name(name, number))
        except OSError:
            continue
