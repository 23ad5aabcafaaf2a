"""The lock file on disk, and open descriptions of it, of which each may hold the kernel's lock.

A description that is dropped closes itself, and with that gives its lock back; a process that was
forked closes its copies and never unlocks, because the lock belongs to the parent as well.
"""

from __future__ import annotations

import os
from errno import EROFS
from weakref import WeakSet

from holdfast.primitives.lock_opening import Opening

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.vfs import VFS, Clock, File, Folder, Holder

__all__ = ["TRUST_S", "Description", "LockFile"]

_NEVER_S = float("-inf")
TRUST_S = 0.001
"""How long a look at the path is trusted: a look costs more than lock and unlock together."""


def _close(handle: File | Folder) -> None:
    """Close what nothing was written through: the descriptor is gone, and no error matters."""
    try:
        handle.close()
    except OSError:
        pass


class Description:
    """One open file description of a lock file.

    Attributes: `shared` and `count` describe the grant that it holds, if it holds one.
    """

    __slots__ = ("__weakref__", "count", "file", "identity", "is_open", "seen_s", "shared")

    def __init__(self, file: File) -> None:
        self.is_open = True
        self.file = file
        self.shared = False
        self.count = 1
        self.seen_s = _NEVER_S
        found = file.stat()
        self.identity = (found.st_dev, found.st_ino)

    def discard(self) -> None:
        """Give the lock back, if it is held, and close; never fails, and may be repeated."""
        if self.is_open:
            try:
                self.file.unlock()  # a close alone would not do while a forked child has a copy
            except OSError:
                pass
            self.forget()

    def forget(self) -> None:
        """Close without unlocking; never fails, and may be repeated."""
        self.is_open = False
        _close(self.file)

    def __del__(self) -> None:
        if getattr(self, "is_open", False):
            self.forget()


class LockFile:
    """Where the lock file is, and how it is opened."""

    __slots__ = (
        "announce",
        "descriptions",
        "folder",
        "monotonic",
        "name",
        "path",
        "permissions",
        "vfs",
    )

    def __init__(self, path: str, *, permissions: int, vfs: VFS, clock: Clock) -> None:
        self.path = path
        self.folder, self.name = os.path.split(path)
        self.permissions = permissions
        self.vfs = vfs
        self.announce = vfs.announce
        self.monotonic = clock.monotonic
        self.descriptions: WeakSet[Description] = WeakSet()

    def open(self) -> Description:
        """Open the file, which is made when it is missing; read only where it cannot be written.

        Raises:
            OSError: As the system says it; no file was made.
        """
        try:
            folder = self.vfs.folder(self.folder)
            try:
                with Opening():
                    return self._open_listed(folder)
            finally:
                _close(folder)
        except OSError as error:
            error.filename = self.path
            raise

    def _open_listed(self, folder: Folder) -> Description:
        try:
            file = folder.open(self.name, "create", permissions=self.permissions)
        except OSError as refused:
            file = self._open_to_read(refused)
        try:
            description = Description(file)
        except BaseException:
            _close(file)
            raise
        self.descriptions.add(description)
        return description

    def _open_to_read(self, refused: OSError) -> File:
        """Open what may not be written (EACCES, EPERM, EROFS): a lock needs no more."""
        if not isinstance(refused, PermissionError) and refused.errno != EROFS:
            raise refused
        folder = self.vfs.folder(self.folder)
        try:
            return folder.open(self.name, "read")
        except (FileNotFoundError, PermissionError):
            raise refused from None
        finally:
            _close(folder)

    def is_current(self, description: Description) -> bool:
        """Look whether the path still names this file: somebody may have removed or replaced it.

        Raises:
            OSError: The path cannot be looked at.
        """
        now_s = self.monotonic()
        try:
            found = self.vfs.stat(self.path)
        except (FileNotFoundError, NotADirectoryError):
            return False
        description.seen_s = now_s
        return (found.st_dev, found.st_ino) == description.identity

    def holder(self) -> Holder | None:
        """Say who holds the lock; None if nobody does, or nobody tells.

        Raises:
            OSError: The file is there and cannot be opened.
        """
        try:
            folder = self.vfs.folder(self.folder)
        except FileNotFoundError:
            return None
        try:
            file = folder.open(self.name, "read")
        except FileNotFoundError:
            return None
        finally:
            _close(folder)
        try:
            return self.vfs.holder(file)
        finally:
            _close(file)

    def holder_or_none(self) -> Holder | None:
        """Say who holds the lock, for a message: whatever fails, the message is still due."""
        try:
            return self.holder()
        except OSError:
            return None

    def explain(self, error: BaseException) -> None:
        """Note on a refusal of the system what is held, and what to do."""
        if isinstance(error, OSError):
            if error.filename is None:
                error.filename = self.path
            error.add_note(
                f"{self.path}: the system refused to lock this file. "
                "Nothing is held and no file was changed. "
                "Keep the lock file on a local filesystem; `holdfast doctor` says what yours gives."
            )
