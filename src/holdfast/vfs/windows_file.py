"""An open file of Windows: see `windows`."""

from __future__ import annotations

import errno
import os
import stat
import threading

from holdfast.vfs.spans import Span, check_range
from holdfast.vfs.windows_ranges import WindowsRanges

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeVar

    from typing_extensions import Buffer

    from holdfast.vfs import api
    from holdfast.vfs.kernel32 import Kernel

    _T = TypeVar("_T")

__all__ = ["ACCESS_LIST", "WindowsFile"]

_LOCK_BUSY = frozenset({33, 997})  # ERROR_LOCK_VIOLATION, ERROR_IO_PENDING
_WHOLE = (0, 1)
ACCESS_LIST = "access list"


class _Description:
    """What duplicates of one open file share: the turn to move the position, and the locks."""

    __slots__ = ("held", "ranges", "turn")

    def __init__(self, kernel: Kernel) -> None:
        self.ranges = WindowsRanges(kernel)
        self.turn = threading.Lock()
        self.held: bool | None = None  # None: unlocked; else whether the lock is shared


class WindowsFile:
    """An open file of Windows."""

    __slots__ = ("_description", "_fd", "_kernel")

    def __init__(self, fd: int, kernel: Kernel, *, shared: _Description | None = None) -> None:
        self._fd = fd
        self._kernel = kernel
        self._description = shared or _Description(kernel)

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._fd

    def read(self, size: int, *, offset: int | None = None) -> bytes:
        """Read at most `size` bytes."""
        return self._at(offset, lambda: os.read(self._fd, size))

    def write(self, data: Buffer, *, offset: int | None = None) -> int:
        """Write; the count may be short."""
        return self._at(offset, lambda: os.write(self._fd, data))

    def _at(self, offset: int | None, call: Callable[[], _T]) -> _T:
        with self._description.turn:
            if offset is None:
                return call()
            position = os.lseek(self._fd, 0, os.SEEK_CUR)
            os.lseek(self._fd, offset, os.SEEK_SET)
            try:
                return call()
            finally:
                os.lseek(self._fd, position, os.SEEK_SET)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move the position."""
        with self._description.turn:
            return os.lseek(self._fd, offset, whence)

    def truncate(self, size: int) -> None:
        """Cut or extend to `size` bytes."""
        os.ftruncate(self._fd, size)

    def stat(self) -> os.stat_result:
        """Describe the file."""
        return os.fstat(self._fd)

    def sync(self) -> None:
        """Sync by FlushFileBuffers."""
        os.fsync(self._fd)

    def sync_data(self) -> None:
        """Sync by FlushFileBuffers, which knows no less."""
        os.fsync(self._fd)

    def start_writeback(self) -> None:
        """No such hint here."""

    def drop_cache(self) -> None:
        """No such hint here."""

    def words(self, count: int) -> api.Words:
        """Map the words, past which no lock reaches; only to be read if the file is.

        Raises:
            OSError: EINVAL if the file is no regular one or has fewer bytes.
        """
        from holdfast.vfs.words import mapped_words

        return mapped_words(self._fd, count)

    def set_attributes(
        self, *, mode: int, owner: tuple[int, int] | None, xattrs: Mapping[str, bytes]
    ) -> None:
        """Set the access list, then the read-only attribute; there is no other owner to give.

        Raises:
            OSError: ENOTSUP for an attribute of another system, or the access list cannot be set.
        """
        for name, value in xattrs.items():
            if name != ACCESS_LIST:
                raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP), name)
            self._kernel.set_access_list(self._fd, value)
        self._kernel.set_read_only(self._fd, read_only=not mode & stat.S_IWUSR)

    def lock(self, *, shared: bool = False, block: bool = True) -> bool:
        """Take the lock of byte 0; False if it is busy and `block` is off."""
        fd = self._open_fd()
        if self._description.held is shared:
            return True
        if self._description.held is not None:
            self.unlock()
        try:
            self._kernel.lock(fd, _WHOLE, exclusive=not shared, block=block)
        except OSError as error:
            if not block and getattr(error, "winerror", None) in _LOCK_BUSY:
                return False
            raise
        self._description.held = shared
        return True

    def unlock(self) -> None:
        """Give the lock back."""
        fd = self._open_fd()
        if self._description.held is not None:
            self._description.held = None
            self._kernel.unlock(fd, _WHOLE)

    def lock_range(
        self, start: int, size: int, *, shared: bool = False, block: bool = True
    ) -> bool:
        """Lock bytes, far beyond the end of any file; False if any is busy and `block` is off."""
        fd = self._open_fd()
        check_range(start, size)
        wanted = Span(start, start + size, shared)
        return self._description.ranges.take(fd, wanted, block=block)

    def unlock_range(self, start: int, size: int) -> None:
        """Give bytes back."""
        fd = self._open_fd()
        check_range(start, size)
        self._description.ranges.drop(fd, Span(start, start + size, shared=True))

    def _open_fd(self) -> int:
        if self._fd < 0:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return self._fd

    @property
    def is_locked(self) -> bool:
        """Whether this open file holds the exclusive lock."""
        return self._description.held is False

    def duplicate(self) -> WindowsFile:
        """Return another descriptor of the same open file."""
        return type(self)(os.dup(self._fd), self._kernel, shared=self._description)

    def close(self) -> None:
        """Close; the descriptor is gone even when this raises (never retry)."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def __del__(self) -> None:
        self.close()
