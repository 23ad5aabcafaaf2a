"""Make the name of a folder durable that somebody else has made, who may have died before his sync.

Guarantee: when `sync_name` returns, the name is durable, where the folder above may be read at all.
    After a failed sync, and `name_anew`, the next one covers it; without, it would cover nothing:
    the system takes for clean what a failed sync has left.
"""

from __future__ import annotations

import os

from holdfast.primitives.folders import close_quietly
from holdfast.primitives.temp import temp_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.vfs import VFS, Folder

__all__ = ["name_anew", "sync_name"]

_DOTS = frozenset({os.curdir, os.pardir})


def sync_name(path: str, *, vfs: VFS) -> None:
    """Sync the folder above the one at `path`; one that may not be read is none of ours.

    Raises:
        OSError: the sync failed; `name_anew` if nothing counts on the name so far.
    """
    above = None
    try:
        above = vfs.folder(_split(path)[0], readable=True)
        above.sync()
    except PermissionError:
        pass  # who makes a name there is told so
    finally:
        close_quietly(above)


def name_anew(folder: Folder, path: str, *, vfs: VFS) -> None:
    """Give a folder its name a second time, so that the next sync covers that; as far as it goes.

    It has no name for a moment, so it must be one that nobody counts on, without contents. Mode,
    owner and attributes stay. If somebody makes another one just then, this one is removed.

    Args:
        folder: it, open; if the path does not lead to it, nothing is done.
        path: what leads to it.
        vfs: the filesystem.
    """
    above_path, name = _split(path)
    above = None
    try:
        above = vfs.folder(above_path)
        there, mine = above.stat(name), folder.stat(os.curdir)
        if name not in _DOTS and (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino):
            _rename_there_and_back(above, name, temp_name(name, vfs.token()))
    except OSError:
        pass  # the error of the sync is what is told
    finally:
        close_quietly(above)


def _rename_there_and_back(above: Folder, name: str, aside: str) -> None:
    above.rename(name, aside)
    try:
        above.rename(aside, name)
    except BaseException:
        above.rmdir(aside)
        raise


def _split(path: str) -> tuple[str, str]:
    above, name = os.path.split(path.rstrip(os.sep))
    return above or os.curdir, name or os.curdir
