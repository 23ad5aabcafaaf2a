"""The 64-bit words at the start of a file, read and written one by one.

A mapped word costs a twentieth of that. But where a store may need new room on the disk, as on
filesystems that copy on write, a full disk would end the process with SIGBUS; here it is an error.
"""

from __future__ import annotations

import errno
import os
import sys

from holdfast.vfs.words import WORD_BYTES, check, own

__all__ = ["CalledWords", "called_words"]

_LIMIT = 1 << 64


def called_words(fd: int, count: int) -> CalledWords:
    """Return words that are read and written by calls.

    Raises:
        OSError: EINVAL if the file is no regular one or has fewer bytes.
    """
    check(fd, count)
    return CalledWords(own(fd), count)


class CalledWords:
    """Words that are eight bytes of the file at each access."""

    __slots__ = ("_count", "_fd")

    def __init__(self, fd: int, count: int) -> None:
        self._fd = fd
        self._count = count

    def __getitem__(self, index: int, /) -> int:
        """Read a word; one that the file no longer holds is zero."""
        return int.from_bytes(os.pread(self._fd, WORD_BYTES, self._place(index)), sys.byteorder)

    def __setitem__(self, index: int, value: int, /) -> None:
        """Store a word.

        Raises:
            OSError: what the call failed with, such as ENOSPC; the word is as it was.
        """
        place = self._place(index)
        if not 0 <= value < _LIMIT:
            raise ValueError(f"{value}: not a number of 64 bits")
        try:
            os.pwrite(self._fd, value.to_bytes(WORD_BYTES, sys.byteorder), place)
        except OSError as error:
            if error.errno != errno.EBADF:
                raise
            raise TypeError("the file was opened to be read") from None

    def _place(self, index: int) -> int:
        if self._fd < 0:
            raise ValueError("the words were given back")
        if not 0 <= index < self._count:
            raise IndexError(f"{index}: there are {self._count} words")
        return WORD_BYTES * index

    def release(self) -> None:
        """Close the descriptor."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def __del__(self) -> None:
        try:
            self.release()
        except AttributeError:
            pass  # interrupted before it had one
