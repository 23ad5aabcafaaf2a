"""How much memory a replay of operations takes: the bound that a stored recording keeps.

Bytes that the recording itself holds have been paid for by its own length. What files hold beyond
them comes of growing, which costs a line of any recording and pages of whoever replays it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.vfs.micro import PAGE_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["GROWN_PAGES_MAX", "SIZE_MAX_BYTES", "UNWRITTEN_MAX_BYTES", "Sizes"]

SIZE_MAX_BYTES: Final = 1 << 30
"""Of one file."""

UNWRITTEN_MAX_BYTES: Final = 512 << 20
"""Of all files at one time, beyond the bytes that were given for them."""

GROWN_PAGES_MAX: Final = 1 << 19
"""That all operations together have let files grow by; each is a micro-operation of its own."""


class Sizes:
    """Follows the sizes of files by arithmetic alone.

    I1 A file that has lost its last name counts on: a replay holds it too.
    """

    def __init__(self, files: Iterable[tuple[int, int]]) -> None:
        """Start with the files that are there, each an inode and its size."""
        self._sizes = dict(files)
        self._total = self._given = sum(self._sizes.values())
        self._pages = 0

    def make(self, inode: int, given: int) -> None:
        """A new file with so many bytes."""
        self._sizes[inode] = given
        self._total += given
        self._given += given

    def write(self, inode: int, offset: int, given: int) -> str | None:
        """Take bytes for written; say why they cannot be."""
        size = self._sizes[inode]
        if offset + given > SIZE_MAX_BYTES:
            return _too_large(offset + given)
        if not given:
            return None
        self._given += given
        return self._resize(inode, max(size, offset + given), unwritten=offset)

    def truncate(self, inode: int, size: int) -> str | None:
        """Take a file for cut or extended; say why it cannot be."""
        if not 0 <= size <= SIZE_MAX_BYTES:
            return _too_large(size)
        return self._resize(inode, size, unwritten=size)

    def _resize(self, inode: int, size: int, *, unwritten: int) -> str | None:
        """Change a size; up to `unwritten` it grows without any bytes."""
        old = self._sizes[inode]
        self._sizes[inode] = size
        self._total += size - old
        self._pages += max(_pages(unwritten) - _pages(old), 0)
        if self._total - self._given > UNWRITTEN_MAX_BYTES:
            return (
                f"the files hold more than {UNWRITTEN_MAX_BYTES >> 20} MiB at one time beyond "
                "what was written to them"
            )
        if self._pages > GROWN_PAGES_MAX:
            return f"files grow by more than {GROWN_PAGES_MAX:,} pages that nobody wrote"
        return None


def _pages(size: int) -> int:
    return -(-size // PAGE_BYTES)


def _too_large(size: int) -> str:
    return f"a file of {size} bytes is too large: at most {SIZE_MAX_BYTES >> 20} MiB are allowed"
