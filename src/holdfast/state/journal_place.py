"""The folder of a journal, and the identity file that says what it is.

Guarantee: when `open(create=True)` returns, the folder and a whole identity are durable, and all
    processes that made it at the same moment have the same one. After a crash at any point there is
    nothing, or a whole empty journal, or leftovers that the next creation gets over.
Not guaranteed: that a failed creation removes again the folder that it has made; that folders above
    that of the journal are durable if another process made them and was killed before its sync.

I1  The identity has its name only when its contents are durable, and is never changed after.
I2  Whoever gives it its name holds the lock of the file that gets it, and saw that there was none.
I3  Nothing is made in a folder that holds other things, and none anew beside a log or checkpoints.
I4  A name whose sync failed is taken away again, and with it all that counts on it: a second sync
    may return well, and cover nothing of what the first one has lost.
"""

from __future__ import annotations

import errno
import os

from holdfast.errors import Closed, Corruption, UnknownFormat
from holdfast.formats.journal_format import (
    IDENTITY,
    IDENTITY_BYTES,
    LOG,
    SLOTS,
    Identity,
    decode_identity,
    encode_identity,
    sequence_of,
)
from holdfast.primitives.folders import close_quietly, forget, open_folder
from holdfast.primitives.log_segment import has_segments
from holdfast.primitives.regular_files import is_same, open_regular, read_block
from holdfast.primitives.settling import name_anew, sync_name
from holdfast.primitives.target import look
from holdfast.primitives.temp import recognise, write_all
from holdfast.vfs import CLOCK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.vfs import VFS, Clock, File, Folder

__all__ = ["NEW_IDENTITY", "JournalPlace", "explain_unwritable", "replaced"]

NEW_IDENTITY = "journal.new"
"""The name of an identity that is being made."""

_ATTEMPTS = 100
_OF_MAKING = frozenset({IDENTITY, NEW_IDENTITY})


class JournalPlace:
    """The folder at `path` and its identity; nothing is open, and nothing is made, before `open`.

    One thread at a time, but for `is_current` and `is_still`.

    Args:
        path: The folder.
        kind: What it must be; None: whatever it is.
        codec: What its values must be encoded with; None: whatever that is.
        permissions: The mode of files that are made, less the umask.
        vfs: The filesystem.
        clock: For the time that the identity states.
    """

    def __init__(
        self,
        path: str,
        *,
        kind: str | None,
        codec: str | None,
        permissions: int,
        vfs: VFS,
        clock: Clock = CLOCK,
    ) -> None:
        self.path = path
        self.log_path = os.path.join(path, LOG)
        self._kind = kind
        self._codec = codec
        self._permissions = permissions
        self._vfs = vfs
        self._clock = clock
        self._folder: Folder | None = None
        self._file: File | None = None
        self._identity: Identity | None = None

    @property
    def is_open(self) -> bool:
        """Whether `open` has found it."""
        return self._identity is not None

    @property
    def folder(self) -> Folder:
        """The open folder; closed with this.

        Raises:
            Closed: it is not open.
        """
        if self._folder is None or self._identity is None:
            raise self._closed()
        return self._folder

    @property
    def identity(self) -> Identity:
        """What it is.

        Raises:
            Closed: it is not open.
        """
        if self._identity is None:
            raise self._closed()
        return self._identity

    def _closed(self) -> Closed:
        return Closed(f"{self.path}: is not open. Nothing was done. Open it first.")

    # ------------------------------------------------------------ opening

    def open(self, create: bool) -> bool:
        """Open it, once; with `create` it is there and durable on return (I1, I2, I3).

        Returns:
            False if there is none, and none is to be made; nothing is open then.

        Raises:
            UnknownFormat: The folder holds other things, or a journal of another kind, codec or
                format; nothing was changed.
            Corruption: The identity is damaged or missing; nothing was changed.
            OSError: As the system says; at most an empty folder was made.
        """
        try:
            if not self.is_open and not self._find(create=create):
                self.close()
                return False
            if create:
                self.settle()
        except BaseException:
            self.close()
            raise
        return True

    def _find(self, *, create: bool) -> bool:
        for _ in range(_ATTEMPTS):
            folder = self._folder = self._folder or self._open_folder(create=create)
            if folder is None:
                return False
            if self._adopt(folder):
                return True
            names = folder.names()
            if IDENTITY in names:
                continue
            self._refuse_foreign(names)
            if not create:
                return False
            self._make(folder)
        raise OSError(errno.EAGAIN, f"the identity went {_ATTEMPTS} times", self.path)

    def _open_folder(self, *, create: bool) -> Folder | None:
        if create:
            return open_folder(self.path, sync="always", vfs=self._vfs)
        try:
            return self._vfs.folder(self.path)
        except FileNotFoundError:
            return None

    def settle(self) -> None:
        """Make the names durable for whoever made them and may have been killed before its sync.

        A log that has a segment was made after that.

        Raises:
            OSError: A sync failed. As no later one would cover the names, the identity of a journal
                that has no log yet has lost its own again (I4): `open` makes another one.
            Closed: It is not open.
        """
        if has_segments(self.log_path, vfs=self._vfs):
            return
        folder = self.folder
        try:
            folder.sync()
            sync_name(self.path, vfs=self._vfs)
        except OSError as error:
            if self._unmake(folder):
                name_anew(folder, self.path, vfs=self._vfs)
                error.add_note(
                    f"{self.path}: a new journal could not be made durable. Nothing was committed, "
                    "and an empty folder is left. Mend the cause, and open it again."
                )
            raise

    def _unmake(self, folder: Folder) -> bool:
        """Remove the identity unless there is more than that; True if nothing of it is left."""
        file = self._open_file()
        try:
            if not file.lock(block=False) or not is_same(look(folder, IDENTITY), file.stat()):
                return False
            if any(n not in _OF_MAKING and recognise(n) is None for n in folder.names()):
                return False
            return forget(folder, IDENTITY)
        except OSError:
            return False  # the error of the sync is what is told
        finally:
            file.unlock()

    def _adopt(self, folder: Folder) -> bool:
        """Open and read the identity; False if there is none."""
        path = f"{self.path}/{IDENTITY}"
        try:
            file = self._file = open_regular(folder, IDENTITY, mode="write", may_fall_back=True)
        except FileNotFoundError:
            return False
        if file is None:
            raise UnknownFormat(
                f"{path}: is no regular file, so this is no journal. Nothing was changed. "
                "Name another folder, or put the file back in its place.",
                path=path,
            )
        identity = decode_identity(read_block(file, IDENTITY_BYTES), path=path)
        self._refuse_others(identity)
        self._identity = identity
        return True

    def _refuse_foreign(self, names: list[str]) -> None:
        """Refuse a folder without identity in which none may be made (I3)."""
        for name in sorted(names):
            if name == LOG or name in SLOTS or sequence_of(name) is not None:
                raise Corruption(
                    f"{self.path}/{IDENTITY}: is missing beside {name!r}, so nobody can tell what "
                    "this is a journal of. Nothing was changed. Put the file back from a backup, "
                    "or salvage the journal with `holdfast repair`.",
                    path=f"{self.path}/{IDENTITY}",
                )
        strangers = sorted(n for n in names if n != NEW_IDENTITY and recognise(n) is None)
        if strangers:
            raise UnknownFormat(
                f"{self.path}: this folder is no journal, and holds other things "
                f"({strangers[0]!r}). Nothing was changed. Name another folder, or an empty one.",
                path=self.path,
            )

    def _refuse_others(self, identity: Identity) -> None:
        if self._kind is not None and identity.kind != self._kind:
            raise UnknownFormat(
                f"{self.path}: is a {identity.kind}, and was opened as a {self._kind}. "
                f"Nothing was changed. Open it as a {identity.kind}, or name another folder.",
                path=self.path,
                expected=self._kind,
                found=identity.kind,
            )
        if self._codec is not None and identity.codec != self._codec:
            raise UnknownFormat(
                f"{self.path}: its values are encoded with {identity.codec!r}, and it was opened "
                f"with {self._codec!r}. Nothing was changed. Open it with codec "
                f"{identity.codec!r}, or copy it value by value to a new {identity.kind}.",
                path=self.path,
                expected=self._codec,
                found=identity.codec,
            )

    # ------------------------------------------------------------ making

    def _make(self, folder: Folder) -> None:
        """Make the identity, or see that somebody else has (I1, I2)."""
        if self._kind is None or self._codec is None:
            raise ValueError(f"{self.path}: say what is to be made: its kind and its codec")
        number = int(self._vfs.token(), 16) or 1
        block = encode_identity(Identity(number, self._kind, self._codec, self._clock.now_ns()))
        file = folder.open(NEW_IDENTITY, "create", permissions=self._permissions)
        try:
            file.lock()
            if not _is_ours(folder, file):
                return  # it has its name by now, or was taken away
            if look(folder, IDENTITY) is None:
                self._publish(folder, file, block)
            else:
                forget(folder, NEW_IDENTITY)
        finally:
            try:
                file.unlock()  # a child that was forked meanwhile has the file open, and its lock
            finally:
                close_quietly(file)

    def _publish(self, folder: Folder, file: File, block: bytes) -> None:
        """Write the identity and give it its name (`settle` syncs that); a failure leaves none."""
        try:
            file.truncate(0)
            write_all(file, block)
            file.sync()
            folder.rename(NEW_IDENTITY, IDENTITY)
        except BaseException as error:
            if _is_ours(folder, file):
                forget(folder, NEW_IDENTITY)
            if isinstance(error, OSError):
                error.add_note(
                    f"{self.path}: the identity of a new journal could not be written. "
                    "At most an empty folder was made. Mend the cause, and open it again."
                )
            raise

    # ------------------------------------------------------------ the lock of who checkpoints

    def lock_checkpoints(self, block: bool) -> bool:
        """Take the lock of who checkpoints, among processes; False if it is busy.

        After an exception it may be held: `unlock_checkpoints`.

        Args:
            block: Wait for it.

        Raises:
            Closed: It is not open.
            OSError: It cannot be locked; nothing was changed.
        """
        return self._open_file().lock(block=block)

    def unlock_checkpoints(self) -> None:
        """Give it back; may be repeated, and after `close` there is nothing to give."""
        if self._file is not None:
            self._file.unlock()

    def _open_file(self) -> File:
        if self._file is None or self._identity is None:
            raise self._closed()
        return self._file

    def is_current(self) -> bool:
        """Look whether the path still names this identity: somebody may have restored a backup.

        Raises:
            Closed: It is not open.
            OSError: The path cannot be looked at.
        """
        mine = self._open_file().stat()
        try:
            found = self._vfs.stat(f"{self.path}/{IDENTITY}")
        except (FileNotFoundError, NotADirectoryError):
            return False
        return is_same(found, mine)

    @property
    def opened(self) -> object:
        """What stands for this opening, for `is_still`; None if it is not open."""
        return self._file if self._identity is not None else None

    def is_still(self, opened: object) -> bool:
        """Whether it was not opened anew since, and the path names what was opened; any thread.

        Raises:
            OSError: The path cannot be looked at.
        """
        try:
            return opened is not None and self.opened is opened and self.is_current()
        except (Closed, OSError):
            if self.opened is opened:
                raise
            return False  # another thread has closed it

    def close(self) -> None:
        """Close, which gives the lock back; idempotent. It may be opened again."""
        self._identity = None
        file, self._file = self._file, None
        folder, self._folder = self._folder, None
        close_quietly(file)
        close_quietly(folder)


def _is_ours(folder: Folder, file: File) -> bool:
    """Whether the new identity that has the name is this one, and no name of anything else."""
    mine = file.stat()
    return mine.st_nlink == 1 and is_same(look(folder, NEW_IDENTITY), mine)


def explain_unwritable(error: OSError, path: str) -> None:
    """Note what to do on the error of opening the log, if it says that it may only be read."""
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        error.add_note(
            f"{path}: may not be written here. Nothing was written. Open it with read_only=True to "
            "read it."
        )


def replaced(path: str) -> OSError:
    """Return the error for a journal whose files were exchanged in the middle of something."""
    error = OSError(errno.ESTALE, os.strerror(errno.ESTALE), path)
    error.add_note(f"{path}: was replaced just now. Nothing was written. Try again.")
    return error
