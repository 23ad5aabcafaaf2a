"""Memory that two processes share by descriptor: the block log on its way to its reader."""

from __future__ import annotations

import mmap
import os
from typing import Protocol, overload

__all__ = ["Readable", "map_file", "read_all"]


class Readable(Protocol):
    """What slices into bytes."""

    @overload
    def __getitem__(self, index: int, /) -> int: ...
    @overload
    def __getitem__(self, index: slice, /) -> bytes: ...


def map_file(descriptor: int) -> mmap.mmap:
    """Map a whole file for reading; holes cost nothing."""
    return mmap.mmap(descriptor, 0, prot=mmap.PROT_READ)


def read_all(descriptor: int, size: int) -> bytes:
    """Return the first so many bytes of the file, wherever its position is."""
    parts: list[bytes] = []
    while (done := sum(map(len, parts))) < size:
        part = os.pread(descriptor, min(size - done, 1 << 28), done)
        if not part:
            break
        parts.append(part)
    return b"".join(parts)
