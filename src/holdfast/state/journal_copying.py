"""The journal that a repair makes: nobody takes it for one before it is whole and durable.

Guarantee: what fails leaves nothing of it; a repair that is killed leaves a folder that every
    reader refuses, with a word to who looks into it.

I1  What has the name of the identity is made first, and durable, and is none; the true one takes
    its place last, when all else is durable.
I2  What was made is removed in the opposite order: that name goes when nothing else is left.
"""

from __future__ import annotations

import errno
import os
import stat

from holdfast.errors import CommittedNotDurable
from holdfast.formats.journal_format import (
    IDENTITY,
    INCOMPLETE,
    LOG,
    SLOTS,
    checkpoint_name,
    encode_identity,
)
from holdfast.primitives.folders import close_quietly, forget, open_folder
from holdfast.primitives.log_copying import Target
from holdfast.primitives.temp import write_all
from holdfast.state.checkpoints import Checkpoints
from holdfast.state.journal_place import NEW_IDENTITY
from holdfast.vfs import CLOCK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.formats.journal_format import Identity
    from holdfast.vfs import VFS, Folder

__all__ = ["REST", "NewJournal"]

REST = "rest"
"""The name of the log of what could not be applied, in a journal that was repaired."""


class NewJournal:
    """A journal that is being made at `path`, in a folder that is missing or empty.

    Args:
        path: where.
        identity: what it will be.
        vfs: the filesystem.
    """

    def __init__(self, path: str, identity: Identity, *, vfs: VFS) -> None:
        self.path = path
        self.identity = identity
        self._vfs = vfs
        self._folder: Folder | None = None
        self._made_in: Folder | None = None
        self._logs: dict[str, Target] = {}
        self._modes = (0o777, 0o666)
        self._names: list[str] = []
        self._done = False

    @property
    def folder(self) -> Folder:
        """The open folder.

        Raises:
            OSError: EBADF before `open` and after `end`.
        """
        if self._folder is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF), self.path)
        return self._folder

    def open(self, folder_mode: int, file_mode: int) -> None:
        """Make the folder, if it is missing, and in it what says that it is not complete (I1).

        Raises:
            FileExistsError: there is something in the folder; it is untouched.
            OSError: it cannot be made; `end` removes what was.
        """
        self._modes = (folder_mode | 0o700, file_mode)
        above, name = os.path.split(self.path.rstrip("/") or self.path)
        parent = open_folder(above, sync="always", vfs=self._vfs)
        try:
            parent.mkdir(name, permissions=self._modes[0])
            self._made_in = parent
            parent.sync()
        except FileExistsError:
            close_quietly(parent)
        self._folder = self._vfs.folder(self.path, readable=True)
        if self._folder.names():
            raise FileExistsError(errno.EEXIST, "there is something in the folder", self.path)
        self._write(IDENTITY, INCOMPLETE)
        self._folder.sync()

    def _write(self, name: str, data: bytes) -> None:
        file = self.folder.open(name, "new", permissions=self._modes[1])
        self._names.append(name)
        try:
            write_all(file, data)
            file.sync()
        finally:
            close_quietly(file)

    def log(self, name: str = LOG) -> Target:
        """Return the log of this name, which is made when it is first asked for."""
        if name not in self._logs:
            target = self._logs[name] = Target(f"{self.path}/{name}", vfs=self._vfs)
            target.open(self._modes[0])
        return self._logs[name]

    def checkpoint(self, pieces: Iterator[bytes], *, sequence: int, through: int) -> None:
        """Write the checkpoint, durably.

        Raises:
            Exception: of `pieces`, or of the system; nothing of it is left.
        """
        checkpoints = Checkpoints(
            self.folder,
            self.identity,
            keep=0,
            permissions=self._modes[1],
            vfs=self._vfs,
            clock=CLOCK,
        )
        self._names += [*SLOTS, checkpoint_name(sequence)]
        checkpoints.write(pieces, sequence=sequence, finish=lambda: through)

    def finish(self) -> None:
        """Make all durable, and give it its identity (I1).

        Raises:
            CommittedNotDurable: the last sync failed; all is there, and a power cut may bring back
                what says that it is not complete.
            OSError: it is not done; `end` removes what was made.
        """
        for target in self._logs.values():
            try:
                target.finish()
            except CommittedNotDurable as error:  # of the log; the journal is not done
                raise (error.__cause__ or error) from None
        self._write(NEW_IDENTITY, encode_identity(self.identity))
        self.folder.rename(NEW_IDENTITY, IDENTITY)
        self._done = True
        try:
            self.folder.sync()
        except OSError as error:
            raise CommittedNotDurable(
                f"{self.path}: the last sync failed ({error}). The new journal is whole, and after "
                "a power cut it may be refused as not complete. Repair again, to another folder.",
                errno=error.errno or errno.EIO,
                path=self.path,
            ) from error

    def end(self) -> None:
        """Close all; remove what was made, unless it is done."""
        for target in self._logs.values():
            target.end()
        if not self._done and self._is_undone() and self._made_in is not None:
            try:
                self._made_in.rmdir(os.path.basename(self.path.rstrip("/")))
            except OSError:
                pass  # somebody uses it already; an empty folder is no journal
        close_quietly(self._folder)
        close_quietly(self._made_in)

    def _is_undone(self) -> bool:
        """Remove what was made (I2); False if something is left."""
        folder = self._folder
        if folder is None or not self._names:
            return True
        guard, *names = self._names
        logs = [self._is_removed(folder, name) for name in self._logs]
        if not all([*logs, *(forget(folder, name) for name in names)]):
            return False
        try:
            folder.sync()
        except OSError:
            return False
        return forget(folder, guard)

    def _is_removed(self, folder: Folder, name: str) -> bool:
        """Remove a log that was finished; one that was not has removed itself."""
        try:
            if not stat.S_ISDIR(folder.stat(name).st_mode):
                return False
            inner = self._vfs.folder(f"{self.path}/{name}", readable=True)
        except FileNotFoundError:
            return True
        except OSError:
            return False
        try:
            left = [each for each in inner.names() if not forget(inner, each)]
        except OSError:
            return False
        finally:
            close_quietly(inner)
        if left:
            return False
        try:
            folder.rmdir(name)
        except OSError:
            return False
        return True
