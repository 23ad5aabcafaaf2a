"""Open a folder, making the missing ones on the way so that they survive a power cut.

Guarantee: when `open_folder` returns with `sync="always"`, the folder and every folder made on the
way are on stable storage. Not guaranteed: that a failure removes again all that it has made; empty
folders that are durable may stay behind; that a folder which is there already is durable, if its
maker was killed before the sync.

I1  A folder that was made is synced, and so is the one that holds its name; also when somebody
    else made it at the same moment, whose own sync may not have happened yet.
I2  `open_subfolder` and `open_found` open a folder and never what a symlink points to.
I3  A folder whose sync failed is removed again while it is empty, so that the next attempt makes it
    anew: a second sync may return well and cover nothing of what the first one has lost.
"""

from __future__ import annotations

import errno
import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from holdfast.vfs import VFS, Folder, Stat, Sync
else:
    from holdfast.light_typing import Protocol

__all__ = [
    "absolute_path",
    "close_quietly",
    "forget",
    "open_folder",
    "open_found",
    "open_subfolder",
]


class _Closable(Protocol):
    def close(self) -> None: ...


def close_quietly(thing: _Closable | None) -> None:
    """Close a descriptor whose outcome no longer matters: the outcome is decided elsewhere."""
    if thing is not None:
        try:
            thing.close()
        except OSError:
            pass


def forget(folder: Folder, name: str) -> bool:
    """Remove a name of ours; True if it is not there afterwards."""
    try:
        folder.unlink(name)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def absolute_path(path: str | bytes | os.PathLike[str]) -> str:
    """Return the absolute path of what is to be opened.

    Raises:
        ValueError: it is empty, as a setting that nobody has set: that is not the current folder.
    """
    text = os.fsdecode(path)
    if not text:
        raise ValueError("the path is empty. Nothing was done. Give one; the current folder is '.'")
    return os.path.abspath(text)


def open_folder(path: str, *, sync: Sync, vfs: VFS) -> Folder:
    """Open the folder at `path`; make it, and its parents, where they are missing.

    Args:
        path: where it is; empty for the current folder. Symlinks are followed.
        sync: `"always"`: folders made on the way are durable on return.
        vfs: the filesystem.

    Raises:
        PermissionError: with `"always"`, also for a folder that may be entered and not read.
        OSError: it cannot be opened or made; folders made on the way, and synced, stay, empty.
    """
    try:
        return vfs.folder(path or os.curdir, readable=sync == "always")
    except FileNotFoundError:
        if not path:
            raise
    except PermissionError as error:
        if sync == "always":
            _explain_unreadable(error, path or os.curdir, vfs)
        raise
    return _make_missing(path, sync=sync, vfs=vfs)


def _explain_unreadable(error: PermissionError, path: str, vfs: VFS) -> None:
    """Note that the folder cannot be synced because it may not be read, if that is all."""
    try:
        vfs.folder(path).close()
    except OSError:
        return
    error.add_note(
        f"{path}: this folder may not be read, so it cannot be synced. Nothing was done."
        ' Make it readable, or write with sync="never".'
    )


def _make_missing(path: str, *, sync: Sync, vfs: VFS) -> Folder:
    parent, missing = _nearest(path, vfs)
    while missing:
        try:
            child = _make(parent, missing.pop(), sync=sync, vfs=vfs)
        finally:
            close_quietly(parent)
        parent = child
    return parent


def _nearest(path: str, vfs: VFS) -> tuple[Folder, list[str]]:
    """Open the nearest folder above `path` that exists; the paths to make, topmost last."""
    missing: list[str] = []
    while True:
        missing.append(path)
        above = os.path.dirname(path.rstrip(os.sep)) if path.strip(os.sep) else path
        if above == path:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        try:
            return vfs.folder(above or os.curdir), missing
        except FileNotFoundError:
            if not above:
                raise
        path = above


def _make(parent: Folder, path: str, *, sync: Sync, vfs: VFS) -> Folder:
    """Make one folder in `parent` and sync both, also if another was faster (I1)."""
    name = os.path.basename(path.rstrip(os.sep))
    is_dotted = name in {os.curdir, os.pardir}
    child = None
    try:
        if not is_dotted:
            _make_one(parent, name, path)
        child = vfs.folder(path, readable=sync == "always")
        if sync == "always":
            child.sync()
            parent.sync()
    except BaseException:
        close_quietly(child)
        if sync == "always" and not is_dotted:
            _unmake(parent, name)
        raise
    return child


def _make_one(parent: Folder, name: str, path: str) -> None:
    try:
        parent.mkdir(name)
    except FileExistsError:
        pass
    except OSError as error:
        error.filename = path
        raise


def _unmake(parent: Folder, name: str) -> None:
    """Remove a folder that is not durable, unless somebody uses it (I3)."""
    try:
        parent.rmdir(name)
    except OSError:
        pass  # the error that led here is what is told


def open_subfolder(parent: Folder, name: str, *, path: str, vfs: VFS) -> Folder:
    """Open the folder called `name` in `parent`, and not what took its place meanwhile (I2).

    Args:
        parent: where it is.
        name: what it is called there.
        path: how it is reached; if that leads elsewhere by now, it is an error.
        vfs: the filesystem.

    Raises:
        NotADirectoryError: it is something else, such as a symlink to a folder.
        OSError: it cannot be opened; nothing was changed.
    """
    return open_found(path, parent.stat(name), vfs=vfs)


def open_found(path: str, info: Stat, *, vfs: VFS) -> Folder:
    """Open the folder at `path` if it is the one that `info` describes (I2).

    Raises:
        NotADirectoryError: it is something else, such as a symlink to a folder.
        OSError: it cannot be opened; nothing was changed.
    """
    if stat.S_ISDIR(info.st_mode):
        child = vfs.folder(path)
        try:
            found = child.stat(os.curdir)
            if (found.st_dev, found.st_ino) == (info.st_dev, info.st_ino):
                return child
        except BaseException:
            close_quietly(child)
            raise
        close_quietly(child)
    raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
