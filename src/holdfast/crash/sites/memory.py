"""Reads the memory of a process that stands still in a system call.

What is read is hostile: a length is bounded by the caller, and an address that leads nowhere is an
`Unreadable`. The descriptor stays with the memory that it was opened on: after an exec it reads
nothing, so that a stale cache is noticed.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

__all__ = ["Memory", "Unreadable"]


class Unreadable(ValueError):
    """There is nothing at that address, or not as much."""


class Memory:
    """The memory of one process."""

    _ahead: Mapping[tuple[int, int], bytes] | None = None
    _noted: dict[tuple[int, int], None]

    def __init__(self, pid: int) -> None:
        """Open it.

        Raises:
            OSError: The process is gone, or may not be looked into by this user.
        """
        self._descriptor = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)

    def read(self, address: int, size: int) -> bytes:
        """Read all of `size` bytes.

        Raises:
            Unreadable: Not all of them are there.
        """
        if self._ahead is not None:
            place = (address, size)
            self._noted[place] = None
            if (known := self._ahead.get(place)) is not None:
                return known
        return self.read_unnoted(address, size)

    def read_unnoted(self, address: int, size: int) -> bytes:
        """Read all of `size` bytes that stay as they are while what leads to them does.

        Raises:
            Unreadable: Not all of them are there.
        """
        found = self.read_some(address, size)
        if len(found) != size:
            raise Unreadable(f"{len(found)} of {size} bytes at {address:#x}")
        return found

    def read_some(self, address: int, size: int) -> bytes:
        """Read up to `size` bytes; fewer where the mapping ends.

        Raises:
            Unreadable: There is nothing at all.
        """
        try:
            return os.pread(self._descriptor, size, address)
        except (OSError, OverflowError) as error:
            raise Unreadable(f"nothing at {address:#x}") from error

    def number(self, address: int) -> int:
        """Read eight bytes as a number or a pointer.

        Raises:
            Unreadable: They are not there.
        """
        return int.from_bytes(self.read(address, 8), "little")

    @contextmanager
    def noting(
        self, ahead: Mapping[tuple[int, int], bytes]
    ) -> Generator[dict[tuple[int, int], None]]:
        """Note where `read` reads, and let it take from `ahead` what was read just now."""
        self._ahead, self._noted = ahead, {}
        try:
            yield self._noted
        finally:
            self._ahead = None

    def close(self) -> None:
        """Let go of it; a second time does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
