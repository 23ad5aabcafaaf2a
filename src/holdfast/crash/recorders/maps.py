"""Files that are mapped to be written: stores into them are no calls, so pages are compared.

Before each recorded call, every file that was ever mapped shared and writable is read and compared
with what the operations so far give; pages that differ become `Write` operations. What a page held
between two calls, and lost again, is not seen.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from holdfast.crash.recorders.tree import TREE_BYTES_MAX, read_at, too_large
from holdfast.vfs.operations import Truncate, Write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.crash.recorders.ledger import Ledger
    from holdfast.vfs.operations import Operation

__all__ = ["SharedMaps", "changed_pages"]

_PAGE_BYTES: Final = 4096
_CHUNK_BYTES: Final = 1 << 20


class _Mapped:
    """One file: our own descriptor, and its contents as the operations give them."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.contents = bytearray(read_at(descriptor, 0, os.fstat(descriptor).st_size))


class SharedMaps:
    """All files that are or were mapped."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._files: dict[int, _Mapped] = {}

    def __bool__(self) -> bool:
        return bool(self._files)

    def add(self, inode: int, descriptor: int) -> None:
        """Watch a file; the descriptor (to read it) becomes ours."""
        if inode in self._files:
            os.close(descriptor)
        elif os.fstat(descriptor).st_size > TREE_BYTES_MAX:
            os.close(descriptor)
            raise too_large(self._ledger.path_of(inode))
        else:
            self._files[inode] = _Mapped(descriptor)
            self._ledger.watcher = self.follow

    def changes(self) -> list[Write]:
        """Return what was stored since the last time, and take it for known."""
        found: list[Write] = []
        for inode, file in self._files.items():
            for offset, data in changed_pages(file.descriptor, file.contents):
                file.contents[offset : offset + len(data)] = data
                found.append(Write(inode, offset, data))
        return found

    def follow(self, operation: Operation) -> None:
        """Take over what a recorded call did to a watched file."""
        file = self._files.get(operation[0]) if isinstance(operation, (Write, Truncate)) else None
        if file is None:
            return
        if isinstance(operation, Write):
            end = operation.offset + len(operation.data)
            file.contents.extend(bytes(max(end - len(file.contents), 0)))
            file.contents[operation.offset : end] = operation.data
        elif isinstance(operation, Truncate):
            del file.contents[operation.size :]
            file.contents.extend(bytes(operation.size - len(file.contents)))

    def is_watched(self, inode: int) -> bool:
        """Whether a file is watched."""
        return inode in self._files

    def sync(self, inode: int) -> None:
        """Sync a watched file.

        Raises:
            OSError: EIO and the like.
        """
        os.fsync(self._files[inode].descriptor)

    def close(self) -> None:
        """Stop watching."""
        for file in self._files.values():
            os.close(file.descriptor)
        self._files.clear()


def changed_pages(descriptor: int, known: bytearray) -> Iterator[tuple[int, bytes]]:
    """Yield (offset, bytes) of each run of pages of a file that differs from what is known."""
    for start in range(0, len(known), _CHUNK_BYTES):
        was = bytes(known[start : start + _CHUNK_BYTES])
        now = os.pread(descriptor, len(was), start)
        if now != was:
            yield from _runs(start, was[: len(now)], now)


def _runs(start: int, was: bytes, now: bytes) -> Iterator[tuple[int, bytes]]:
    begin: int | None = None
    for at in range(0, len(now), _PAGE_BYTES):
        differs = was[at : at + _PAGE_BYTES] != now[at : at + _PAGE_BYTES]
        if differs and begin is None:
            begin = at
        elif not differs and begin is not None:
            yield start + begin, now[begin:at]
            begin = None
    if begin is not None:
        yield start + begin, now[begin:]
