"""A log that is open for appending: its folder, its lock file, and the words of the shared tail."""

from __future__ import annotations

import errno

from holdfast.errors import Corruption
from holdfast.formats.log_format import FIRST_OFFSET, first_of
from holdfast.primitives.folders import close_quietly, open_folder
from holdfast.primitives.log_hint import (
    DURABLE,
    DURABLE_END,
    LOCK,
    MAP_BYTES,
    POISON,
    WORDS,
    Place,
    Tail,
    boot_number,
    publish_place,
)
from holdfast.primitives.log_ownership import refuse_foreign
from holdfast.primitives.log_recovery import Maker
from holdfast.primitives.log_segment import ZEROS
from holdfast.primitives.settling import name_anew, sync_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.primitives.log_recovery import Settings
    from holdfast.vfs import File, Folder

__all__ = ["LOCK", "OpenLog"]

_TRUST_S = 0.001  # a look at the lock file's path costs as much as a frame


class OpenLog:
    """The open files of one log; made, with its folder and the lock file, where they are missing.

    Raises:
        UnknownFormat: the folder is no log, and holds other things; nothing was changed.
        OSError: it cannot be opened or made; at most an empty log is there.
    """

    def __init__(self, settings: Settings) -> None:
        vfs, path = settings.vfs, settings.path
        self._settings = settings
        self.folder = open_folder(path, sync="always", vfs=vfs)
        lock = None
        try:
            _settle(self.folder, settings)
            lock = _open_lock(self.folder, settings.permissions)
            self.lock: File = lock
            _lay_out(lock)
            self.words = lock.words(WORDS)
            self.boot = boot_number(vfs.boot())
            zero_filling = vfs.promises(path).zero_filling
        except BaseException:
            close_quietly(lock)
            close_quietly(self.folder)
            raise
        self.trusted_until_s = 0.0
        self.maker = Maker(
            self.folder, settings=settings, zero_filling=zero_filling, unsynced=self.poison_segment
        )

    @property
    def is_trusted(self) -> bool:
        """Whether `is_current` was looked at just now."""
        return self._settings.clock.monotonic() < self.trusted_until_s

    def is_current(self) -> bool:
        """Look whether the path still names this lock file: somebody may have restored a backup.

        Raises:
            Corruption: the file was cut, so that its words cannot be looked at any more.
        """
        path = f"{self._settings.path}/{LOCK}"
        info = self.lock.stat()
        try:
            found = self._settings.vfs.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return False
        if (found.st_dev, found.st_ino) != (info.st_dev, info.st_ino):
            return False
        if found.st_size < MAP_BYTES:
            raise Corruption(
                f"{path}: somebody cut this file while the log was open. "
                "The records are as they were. Close the log and open it anew.",
                path=path,
                expected=MAP_BYTES,
                found=found.st_size,
            )
        self.trusted_until_s = self._settings.clock.monotonic() + _TRUST_S
        return True

    def take(self, *, block: bool = True) -> bool:
        """Take the append lock; False if the file was cut, or lost its name, while this waited.

        With `block` off, False where another process has it.
        """
        if self.lock.lock(block=False):
            return True  # it was looked at just now
        if not block:
            return False
        self.lock.lock()
        info = self.lock.stat()
        if info.st_nlink and info.st_size >= MAP_BYTES:
            return True
        self.trusted_until_s = 0.0
        return False

    def poison_segment(self, first: int) -> None:
        """Poison the log because this segment, or its name, may not be on the disk at all."""
        words = self.words
        publish_place(words, self.boot, Place(0, 0, first, 0), tail=Tail(0, first - 1, 0, 0))
        words[DURABLE_END] = FIRST_OFFSET
        words[DURABLE] = first - 1
        words[POISON] = errno.EIO

    def close(self) -> None:
        """Close the files; nothing is written."""
        self.words.release()
        close_quietly(self.lock)
        close_quietly(self.folder)


def _settle(folder: Folder, settings: Settings) -> None:
    """See that this is a folder of a log, and durable: who made it may have died before its sync.

    What lies in it was made after that.
    """
    names = folder.names()
    if any(first_of(name) for name in names):
        return
    refuse_foreign(folder)
    try:
        sync_name(settings.path, vfs=settings.vfs)
    except OSError:
        if LOCK not in names:  # whoever made that had synced the name
            name_anew(folder, settings.path, vfs=settings.vfs)
        raise


def _open_lock(folder: Folder, permissions: int) -> File:
    try:
        return folder.open(LOCK, "create", permissions=permissions)
    except OSError as error:
        error.filename = f"{folder.path}/{LOCK}"
        raise


def _lay_out(lock: File) -> None:
    """Give a new lock file real blocks: a store into a hole would fail where the disk is full."""
    if lock.stat().st_size >= MAP_BYTES:
        return  # who reads waits for nobody
    try:
        lock.lock()
        size = lock.stat().st_size
        if size < MAP_BYTES:
            while size < MAP_BYTES:
                size += lock.write(ZEROS[: MAP_BYTES - size], offset=size)
            lock.sync()
    finally:
        lock.unlock()
