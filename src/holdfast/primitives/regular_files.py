"""Open a regular file of ours, and never what a symlink, FIFO or device of its name leads to."""

from __future__ import annotations

import errno
from stat import S_ISREG

from holdfast.primitives.folders import close_quietly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.vfs import File, Folder, OpenMode, Stat

__all__ = ["is_same", "open_regular", "read_block"]

_READ_ONLY = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def is_same(one: Stat | None, other: Stat) -> bool:
    """Whether two looks saw one and the same file."""
    return one is not None and (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)


def open_regular(
    folder: Folder, name: str, *, mode: OpenMode = "read", may_fall_back: bool = False
) -> File | None:
    """Open a regular file; None if something else has that name. Nothing is changed.

    Args:
        folder: where it is.
        name: what it is called.
        mode: `read` or `write`.
        may_fall_back: open what may not be written for reading.

    Raises:
        FileNotFoundError: there is nothing of that name.
        OSError: it cannot be opened.
    """
    info = folder.stat(name)
    if not S_ISREG(info.st_mode):
        return None
    try:
        file = folder.open(name, mode)
    except OSError as error:
        if not may_fall_back or error.errno not in _READ_ONLY:
            raise
        file = folder.open(name, "read")
    try:
        if is_same(file.stat(), info):
            return file
    except BaseException:
        close_quietly(file)
        raise
    close_quietly(file)
    # It was replaced between the two looks; a symlink is told by the next one.
    raise FileNotFoundError(errno.ENOENT, "was replaced while it was being opened", name)


def read_block(file: File, size: int, *, offset: int = 0) -> bytes:
    """Read `size` bytes at `offset`; less at the end of the file alone.

    Raises:
        OSError: it cannot be read.
    """
    data = file.read(size, offset=offset)
    while 0 < len(data) < size:
        more = file.read(size - len(data), offset=offset + len(data))
        if not more:
            break
        data += more
    return data
