"""The 64-bit words of a file of the memory filesystem: a list that belongs to the inode."""

from __future__ import annotations

__all__ = ["MemoryWords"]

_LIMIT = 1 << 64


class MemoryWords:
    """One user's view of the words."""

    __slots__ = ("_count", "_shared", "_writable")

    def __init__(self, shared: list[int], count: int, *, writable: bool) -> None:
        self._shared: list[int] | None = shared
        self._count = count
        self._writable = writable

    def __getitem__(self, index: int, /) -> int:
        """Read a word."""
        return self._all(index)[index]

    def __setitem__(self, index: int, value: int, /) -> None:
        """Store a word."""
        words = self._all(index)
        if not self._writable:
            raise TypeError("the file was opened to be read")
        if not 0 <= value < _LIMIT:
            raise ValueError(f"{value}: not a number of 64 bits")
        words[index] = value

    def _all(self, index: int) -> list[int]:
        if self._shared is None:
            raise ValueError("the words were given back")
        if not 0 <= index < self._count:
            raise IndexError(f"{index}: there are {self._count} words")
        return self._shared

    def release(self) -> None:
        """Forget them."""
        self._shared = None
