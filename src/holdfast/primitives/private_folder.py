"""A private folder beside a target, for a tool that writes or replaces the file itself.

Guarantee: nobody else enters it (mode 0700), and when its maker dies it is recognised as dead.

I1  It is called as a temporary file is, and holds a lock file of the same name, locked while its
    maker lives. Whoever gets that lock, making the file if it is missing, knows that the maker is
    dead, or has not come so far and will take another name.
I2  What is removed was reached without following a symlink, so nothing outside it is ever removed.
I3  What is mounted in it, or in its place, is not entered: a folder of another filesystem, or one
    that the system calls busy.
"""

from __future__ import annotations

import errno
import os
import stat

from holdfast.primitives import temp
from holdfast.primitives.folders import close_quietly, forget, open_found, open_subfolder
from holdfast.primitives.target import look

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.vfs import VFS, File, Folder

__all__ = ["PrivateFolder", "remove_dead"]

_ATTEMPTS = 100
_FULL = frozenset({errno.ENOTEMPTY, errno.EEXIST})
_DEPTH_MAX = 32


class PrivateFolder:
    """A private folder; after `make` it is open and locked, and `path` is absolute."""

    __slots__ = (
        "_folder",
        "_lock",
        "_parent",
        "_pid",
        "_target",
        "_vfs",
        "is_there",
        "name",
        "path",
    )

    def __init__(self, parent: Folder, target: str, *, vfs: VFS) -> None:
        self._parent = parent
        self._target = target
        self._vfs = vfs
        self._pid = os.getpid()
        self._lock: File | None = None
        self._folder: Folder | None = None
        self.name = self.path = ""
        self.is_there = False

    @property
    def folder(self) -> Folder:
        """The open folder.

        Raises:
            OSError: EBADF before `make` and after `remove`.
        """
        if self._folder is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF), self.path)
        return self._folder

    def make(self) -> None:
        """Make it; not in the constructor, so that an interrupt at any moment finds its name here.

        Raises:
            OSError: it cannot be made; nothing is left of it.
        """
        above = self._vfs.resolve(self._parent.path)
        try:
            for _ in range(_ATTEMPTS):
                if self._is_made(above):
                    return
                self.remove()
        except BaseException:
            self.remove()
            raise
        raise OSError(errno.EAGAIN, f"{_ATTEMPTS} private folders were swept away", above)

    def _is_made(self, above: str) -> bool:
        """Make and lock one; False if a sweeper was faster."""
        name = self.name = temp.temp_name(self._target, self._vfs.token())
        self.path = os.path.join(above, name)
        self.is_there = True
        try:
            self._parent.mkdir(name, permissions=0o700)
        except OSError:
            self.is_there = False  # what may be there is not ours
            raise
        try:
            folder = open_subfolder(self._parent, name, path=self.path, vfs=self._vfs)
            self._folder = folder
            lock = self._lock = folder.open(name, "new", permissions=0o600)
            return temp.take_lock(lock) and lock.stat().st_nlink > 0
        except (FileNotFoundError, FileExistsError):
            return False

    def remove(self) -> bool:
        """Remove it with all in it; True if nothing is left. A forked child removes nothing."""
        gone = True
        if self.is_there and self._pid == os.getpid():
            gone = _remove(self._parent, self.name, self._folder, vfs=self._vfs)
            self.is_there = not gone
        close_quietly(self._folder)
        close_quietly(self._lock)
        self._folder = self._lock = None
        return gone

    def __del__(self) -> None:
        """Remove what an interrupt has kept its owner from removing."""
        try:
            if self.is_there:
                self.remove()
        except BaseException:  # noqa: S110 (nobody would hear of it here; what is left is swept)
            pass


def remove_dead(parent: Folder, name: str, *, path: str, vfs: VFS) -> bool:
    """Remove the private folder called `name` if its maker is dead; True if it is gone (I1).

    Raises:
        OSError: it cannot be looked at; some of it may be gone.
    """
    if not _is_full(parent, name):
        return look(parent, name) is None  # it was empty; or it is a mount point, and stays (I3)
    folder = open_subfolder(parent, name, path=path, vfs=vfs)
    lock = None
    try:
        # Made if it is missing: a power cut may have left the contents and taken the lock file.
        lock = folder.open(name, "create", permissions=0o600)
        if not lock.lock(block=False):
            return False
        return _remove(parent, name, folder, vfs=vfs)
    finally:
        close_quietly(lock)
        close_quietly(folder)


def _remove(parent: Folder, name: str, folder: Folder | None, *, vfs: VFS) -> bool:
    """Remove the contents, the lock file last, then the folder."""
    if folder is not None:
        try:
            _empty(folder, folder.stat(os.curdir).st_dev, vfs=vfs, keep=name)
        except OSError:
            pass  # closed already, when an interrupt came between here and the end
        forget(folder, name)
        close_quietly(folder)  # some systems keep a folder that is open
    return not _is_full(parent, name) and look(parent, name) is None


def _empty(folder: Folder, device: int, *, vfs: VFS, keep: str = "", depth: int = 0) -> None:
    """Remove what is in a folder as far as it can be removed (I2, I3)."""
    for name in _names(folder):
        if name == keep:
            continue
        try:
            info = folder.stat(name)
            if not stat.S_ISDIR(info.st_mode):
                forget(folder, name)
            elif info.st_dev == device and _is_full(folder, name) and depth < _DEPTH_MAX:
                inner = os.path.join(folder.path, name)
                child = open_found(inner, info, vfs=vfs)
                try:
                    _empty(child, device, vfs=vfs, depth=depth + 1)
                finally:
                    close_quietly(child)
                folder.rmdir(name)
        except OSError:
            continue  # what cannot be looked at or removed stays, and so does the folder


def _names(folder: Folder) -> list[str]:
    try:
        return folder.names()
    except OSError:
        return []


def _is_full(parent: Folder, name: str) -> bool:
    """Remove a folder if it is empty; True if it has something in it, and nothing is mounted there.

    The system answers for a mount point, of a bind mount too, that it is busy.
    """
    try:
        parent.rmdir(name)
    except OSError as error:
        return error.errno in _FULL
    return False
