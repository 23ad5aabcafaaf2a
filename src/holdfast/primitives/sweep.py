"""Remove what killed writers left behind, and nothing of the living.

Guarantee: a temporary file or private folder is removed only when its writer, in whatever process
    or on whatever machine that shares the locks, is dead. Not guaranteed: that all is found where
    locks do not work; there nothing is removed.

I1  Only a name in the form of `holdfast.primitives.temp`, and only a regular file (or a private
    folder).
I2  It is removed while its lock (for one of a batch: the guard's) is held here, and only if it has
    no other name, or its other name is its target, in the same folder: so no contents can go with
    it.
I3  What the name leads to is what was locked.
"""

from __future__ import annotations

import os
import stat

from holdfast.primitives import temp
from holdfast.primitives.asyncio_bridge import twin
from holdfast.primitives.folders import close_quietly, forget, open_found
from holdfast.primitives.private_folder import remove_dead
from holdfast.primitives.target import look
from holdfast.vfs import SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from holdfast.primitives.temp import Leftover
    from holdfast.vfs import VFS, File, Folder, Stat

    _Below = tuple[str, Stat]

__all__ = ["asweep", "sweep"]


def sweep(
    folder: str | os.PathLike[str], *, recursive: bool = False, vfs: VFS = SYSTEM
) -> list[Path]:
    """Remove the leftovers of killed writers, never those of living ones; return what went.

    Safe at any time beside any number of writers and sweepers. What cannot be looked at stays.

    Args:
        folder: where to look.
        recursive: look into the folders below as well, not following symlinks.
        vfs: the filesystem.

    Raises:
        OSError: `folder` cannot be opened or listed; nothing was removed.
    """
    from pathlib import Path

    top = os.fsdecode(folder)
    here = vfs.folder(top or os.curdir)
    todo: list[_Below] = []
    try:
        swept = list(_sweep_folder(here, top, here.names(), todo=todo, vfs=vfs))
    finally:
        close_quietly(here)
    # A list, not a recursion: however deep the tree is, one folder is open at a time.
    while recursive and todo:
        swept += _sweep_below(*todo.pop(), todo=todo, vfs=vfs)
    return [Path(path) for path in swept]


asweep = twin(sweep)


def _sweep_folder(
    here: Folder, path: str, names: list[str], *, todo: list[_Below], vfs: VFS
) -> Iterator[str]:
    """Remove the leftovers of one open folder; yield the paths that went.

    The folders in it are put on the list `todo`.
    """
    files: list[tuple[str, Leftover]] = []
    for name in names:
        place = os.path.join(path, name)
        try:
            info = here.stat(name)
            leftover = temp.recognise(name)
            if leftover is not None and stat.S_ISREG(info.st_mode):
                files.append((name, leftover))
            elif leftover is not None and stat.S_ISDIR(info.st_mode):
                if remove_dead(here, name, path=place, vfs=vfs):
                    yield place
            elif stat.S_ISDIR(info.st_mode):
                todo.append((place, info))
        except OSError:
            continue  # it went meanwhile, or belongs to somebody else
    # After the private folders: a power cut may leave a file that was moved out of one in both.
    for name, leftover in files:
        try:
            if _sweep_file(here, name, leftover):
                yield os.path.join(path, name)
        except OSError:
            continue


def _sweep_below(path: str, info: Stat, *, todo: list[_Below], vfs: VFS) -> list[str]:
    try:
        below = open_found(path, info, vfs=vfs)
        try:
            return list(_sweep_folder(below, path, below.names(), todo=todo, vfs=vfs))
        finally:
            close_quietly(below)
    except OSError:
        return []  # it went meanwhile, or belongs to somebody else


def _sweep_file(here: Folder, name: str, leftover: Leftover) -> bool:
    """Remove one leftover; False if its writer lives, or in doubt (I2, I3)."""
    if leftover.serial is None:
        return _sweep_locked(here, name, leftover)
    guard = temp.temp_name(temp.GUARD, leftover.token)
    if look(here, guard) is None:  # the guard goes last, so its batch is over or dead
        return _may_go(here, name, leftover, locked=look(here, name)) and forget(here, name)
    lock = _open(here, guard)
    try:
        return (
            lock.lock(block=False)
            and _may_go(here, name, leftover, locked=look(here, name))
            and forget(here, name)
        )
    finally:
        close_quietly(lock)


def _sweep_locked(here: Folder, name: str, leftover: Leftover) -> bool:
    file = _open(here, name)
    try:
        return (
            file.lock(block=False)
            and _may_go(here, name, leftover, locked=file.stat())
            and forget(here, name)
        )
    finally:
        close_quietly(file)


def _open(here: Folder, name: str) -> File:
    """Open for a lock: some network filesystems want it writable, but one may be read-only."""
    try:
        return here.open(name, "write")
    except PermissionError:
        return here.open(name, "read")


def _may_go(here: Folder, name: str, leftover: Leftover, *, locked: Stat | None) -> bool:
    """True if the name leads to what was locked, and no contents go with it (I2, I3)."""
    there = look(here, name)
    if there is None or locked is None or not _same(there, locked):
        return False
    if not stat.S_ISREG(there.st_mode):
        return False
    return there.st_nlink == 1 or any(
        other is not None and _same(other, there) for other in _targets(here, leftover)
    )


def _targets(here: Folder, leftover: Leftover) -> Iterator[Stat | None]:
    """What the target may be: by its name, or, if that was cut, by all names that begin with it."""
    yield look(here, leftover.target)
    if temp.is_cut(leftover.target):
        for name in here.names():
            if name.startswith(leftover.target) and temp.recognise(name) is None:
                yield look(here, name)


def _same(one: Stat, other: Stat) -> bool:
    return (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
