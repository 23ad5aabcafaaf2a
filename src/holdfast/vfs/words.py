"""The 64-bit words at the start of a file, mapped: see `called_words` for where that cannot be.

They have an open file description of their own where the system allows it, so that they keep no
lock alive.
"""

from __future__ import annotations

import errno
import os
import stat
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from holdfast.vfs.api import Words

__all__ = ["WORD_BYTES", "check", "mapped_words", "own"]

WORD_BYTES = 8


def mapped_words(fd: int, count: int) -> Words:
    """Map the words; only to be read if the descriptor is.

    Raises:
        OSError: EINVAL if the file is no regular one or has fewer bytes; what mmap(2) failed with.
    """
    import mmap

    check(fd, count)
    mapped, size = own(fd), WORD_BYTES * count
    # Until 3.13 a mapping keeps a descriptor, which it never needs here.
    options: dict[str, Any] = {"trackfd": False} if sys.version_info >= (3, 13) else {}
    try:
        mapping = mmap.mmap(mapped, size, access=mmap.ACCESS_WRITE, **options)
    except PermissionError:
        mapping = mmap.mmap(mapped, size, access=mmap.ACCESS_READ, **options)
    finally:
        os.close(mapped)
    return memoryview(mapping).cast("Q")


def check(fd: int, count: int) -> None:
    """Refuse what a later access would die of.

    Raises:
        OSError: EINVAL if the file is no regular one or has fewer bytes, EBADF if it is closed.
    """
    info = os.fstat(fd)
    if count < 1 or not stat.S_ISREG(info.st_mode) or WORD_BYTES * count > info.st_size:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))


def own(fd: int) -> int:
    """Open the file once more, as it was opened; where that cannot be, another descriptor of it."""
    if sys.platform == "linux":
        import fcntl

        access = fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE
        try:
            return os.open(f"/proc/self/fd/{fd}", access | os.O_CLOEXEC)
        except OSError:  # no /proc, or the file may no longer be opened
            pass
    return os.dup(fd)
