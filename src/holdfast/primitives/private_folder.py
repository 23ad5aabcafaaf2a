"""A private folder beside a target, for a tool that writes or replaces the file itself.

Guarantee: nobody else enters it (mode 0700), and when its maker dies it is recognised as dead.

I1  It is called as a temporary file is, and holds a lock file of the same name, locked while its
    maker lives. Whoever gets that lock, making the file if it is missing, knows that the maker is
    dead, or has not come so far and will take another name.
I2  What is removed was reached without following a symlink, so nothing outside it is ever removed.
"""

from __future__ import annotations

import errno
import os
import stat

from holdfast.primitives import temp
from holdfast.primitives.folders import close_quietly, forget, open_subfolder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.vfs import VFS, File, Folder

__all__ = ["PrivateFolder", "remove_dead"]

_ATTEMPTS = 100
_DEPTH_MAX = 32


class PrivateFolder:
    """A private folder that is open and locked; `path` is absolute."""

    def __init__(self, parent: Folder, target: str, *, vfs: VFS) -> None:
        self._parent = parent
        self._vfs = vfs
        self._pid = os.getpid()
        above = vfs.resolve(parent.path)
        for _ in range(_ATTEMPTS):
            name = temp.temp_name(target, vfs.token())
            self.name, self.path = name, os.path.join(above, name)
            parent.mkdir(name, permissions=0o700)
            try:
                self.folder, self._lock = _open_and_lock(parent, name, path=self.path, vfs=vfs)
            except (FileNotFoundError, FileExistsError):
                _rmdir(parent, name)  # a sweeper was faster
            except BaseException:
                _rmdir(parent, name)
                raise
            else:
                return
        raise OSError(errno.EAGAIN, f"{_ATTEMPTS} private folders were swept away", above)

    def remove(self) -> bool:
        """Remove it with all in it; True if nothing is left. A forked child removes nothing."""
        gone = True
        if self._pid == os.getpid():
            gone = _remove(self._parent, self.name, self.folder, vfs=self._vfs)
        close_quietly(self.folder)
        close_quietly(self._lock)
        return gone


def _open_and_lock(parent: Folder, name: str, *, path: str, vfs: VFS) -> tuple[Folder, File]:
    """Open the new folder and take its lock; `FileNotFoundError` if a sweeper was faster."""
    folder = open_subfolder(parent, name, path=path, vfs=vfs)
    lock = None
    try:
        lock = folder.open(name, "new", permissions=0o600)
        if temp.take_lock(lock) and lock.stat().st_nlink:
            return folder, lock
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    except BaseException:
        forget(folder, name)
        close_quietly(lock)
        close_quietly(folder)
        raise


def remove_dead(parent: Folder, name: str, *, path: str, vfs: VFS) -> bool:
    """Remove the private folder called `name` if its maker is dead; True if it is gone (I1).

    Raises:
        OSError: it cannot be looked at; some of it may be gone.
    """
    folder = open_subfolder(parent, name, path=path, vfs=vfs)
    lock = None
    try:
        # Made if it is missing: a power cut may have left the contents and taken the lock file.
        lock = folder.open(name, "create", permissions=0o600)
        if not lock.lock(block=False):
            return False
        return _remove(parent, name, folder, vfs=vfs, path=path)
    finally:
        close_quietly(lock)
        close_quietly(folder)


def _remove(
    parent: Folder, name: str, folder: Folder, *, vfs: VFS, path: str | None = None
) -> bool:
    """Remove the contents, the lock file last, then the folder."""
    _empty(folder, folder.path if path is None else path, vfs=vfs, keep=name)
    forget(folder, name)
    return _rmdir(parent, name)


def _empty(folder: Folder, path: str, *, vfs: VFS, keep: str = "", depth: int = 0) -> None:
    """Remove what is in a folder as far as it can be removed (I2)."""
    for name in _names(folder):
        if name == keep:
            continue
        try:
            is_folder = stat.S_ISDIR(folder.stat(name).st_mode)
            if is_folder and depth < _DEPTH_MAX:
                inner = os.path.join(path, name)
                child = open_subfolder(folder, name, path=inner, vfs=vfs)
                try:
                    _empty(child, inner, vfs=vfs, depth=depth + 1)
                finally:
                    close_quietly(child)
        except OSError:
            continue  # what cannot be looked at stays, and so does the folder
        if is_folder:
            _rmdir(folder, name)
        else:
            forget(folder, name)


def _names(folder: Folder) -> list[str]:
    try:
        return folder.names()
    except OSError:
        return []


def _rmdir(parent: Folder, name: str) -> bool:
    try:
        parent.rmdir(name)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
