"""The file of a stream: opened at its end, for one writer, with its name made durable once.

I1  One process at a time appends (and the children that it forks): the file's lock is held while it
    is open. Where there are no locks, nobody is kept out.
I2  When the first sync returns, the file's name and the folders made on the way are durable too.
I3  What was in the file when it was opened is durable when opening returns, as far as the system
    tells; what a failed sync left in the page cache alone is let go of first.
"""

from __future__ import annotations

import errno

from holdfast.errors import LockTimeout
from holdfast.primitives.folders import close_quietly
from holdfast.primitives.target import explain, find, how
from holdfast.primitives.temp import take_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os

    from typing_extensions import Buffer

    from holdfast.primitives.target import Target
    from holdfast.vfs import VFS

__all__ = ["StreamFile"]


class StreamFile:
    """An open file that is appended to, and synced; `start` is where it ended when opened."""

    __slots__ = ("_file", "_target", "path", "start")

    def __init__(self, path: str | os.PathLike[str], *, permissions: int, vfs: VFS) -> None:
        """Open the file at its end; make it when it is missing (I1, I3).

        Raises:
            LockTimeout: another stream has it open; it is untouched.
            PromiseUnavailable: it is no regular file; it is untouched.
            OSError: it cannot be opened; at most it was made, and is empty.
        """
        target = find(path, how("always", None, None, vfs=vfs))
        self.path = target.path
        self._target: Target | None = target
        try:
            self._file = target.folder.open(target.name, "create", permissions=permissions)
        except BaseException as error:
            explain(error, target)
            target.close()
            raise
        try:
            self._begin(vfs)
        except BaseException as error:
            if not isinstance(error, LockTimeout):
                explain(error, target)
            self.close_quietly()
            raise

    def _begin(self, vfs: VFS) -> None:
        if not take_lock(self._file):
            raise self._busy(vfs)
        self.start = self._file.seek(0, 2)
        if self.start:
            self._file.drop_cache()
            self.sync()

    def _busy(self, vfs: VFS) -> LockTimeout:
        holder = vfs.holder(self._file)
        by = f" by {holder}" if holder else ""
        message = (
            f"{self.path}: is being written{by}. It is untouched. Write to a file of your own, or"
            " when the other has closed it."
        )
        return LockTimeout(message, path=self.path, waited_s=0.0, holder=holder)

    def position(self) -> int:
        """Where the next byte goes; another process that has it from a fork moves it too."""
        return self._file.seek(0, 1)

    def write(self, data: Buffer) -> int:
        """Write at the end; return the count, which may be short.

        Raises:
            OSError: nothing of `data` was written.
        """
        count = self._file.write(data)
        if count <= 0:  # the caller would try for ever
            raise OSError(errno.EIO, "a write wrote nothing", self.path)
        return count

    def sync(self) -> None:
        """Return when all that was written is durable, and with the first time the name (I2).

        Raises:
            OSError: how much is durable is not known; it must not be synced again.
        """
        target = self._target
        if target is None:
            self._file.sync_data()
            return
        self._file.sync()
        target.folder.sync()
        self._target = None  # first: an interrupt must not leave one that is closed
        target.close()

    @property
    def is_named(self) -> bool:
        """Whether the name is durable (I2)."""
        return self._target is None

    def close(self) -> None:
        """Close, which gives the lock back.

        Raises:
            OSError: it is closed all the same.
        """
        target, self._target = self._target, None
        if target is not None:
            target.close()
        self._file.close()

    def close_quietly(self) -> None:
        """Close; the outcome is decided elsewhere."""
        close_quietly(self)
