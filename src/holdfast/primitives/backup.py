"""Keep the contents that a replacement takes away under a second name in the same folder.

I1  The target has its old contents all the while, and the backup, once there was one, is whole all
    the while.
I2  With `sync="always"` the backup is durable before the target is renamed over.

The backup is a second name of the old file (a hard link), so it costs no copy and keeps everything;
where links are refused it is a synced copy with the same attributes.
"""

from __future__ import annotations

import errno

from holdfast.primitives import temp
from holdfast.primitives.folders import close_quietly, forget
from holdfast.primitives.target import look

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.primitives.target import How, Target

__all__ = ["keep_backup"]

_NO_LINKS = frozenset(
    {
        errno.EPERM,
        errno.EMLINK,
        errno.ENOTSUP,
        errno.EOPNOTSUPP,
        errno.ENOSYS,
        errno.EXDEV,
    }
)
_ATTEMPTS = 100
_PIECE_BYTES = 1 << 20


def keep_backup(target: Target, backup: str, chosen: How) -> None:
    """Make `backup` hold what the target holds now (I1, I2).

    Raises:
        OSError: it cannot be made; the target is untouched, the backup old or new.
    """
    old, mine = look(target.folder, target.name), look(target.folder, backup)
    if old is None:
        return
    # Renaming one link of a file onto another of the same file does nothing, and says nothing.
    if mine is None or (mine.st_dev, mine.st_ino) != (old.st_dev, old.st_ino):
        try:
            _by_link(target, backup, chosen)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            _by_copy(target, backup, chosen)
    if chosen.sync == "always":
        target.folder.sync()


def _by_link(target: Target, backup: str, chosen: How) -> None:
    for _ in range(_ATTEMPTS):
        name = temp.temp_name(target.name, chosen.vfs.token())
        try:
            target.folder.link(target.name, name)
            target.folder.rename(name, backup)
        except FileNotFoundError:
            if look(target.folder, target.name) is None:
                return
            continue  # a link carries no lock of ours, so a sweeper may have taken it
        finally:
            forget(target.folder, name)
        return
    raise OSError(errno.EAGAIN, f"{_ATTEMPTS} links were swept away", target.path)


def _by_copy(target: Target, backup: str, chosen: How) -> None:
    folder, made = target.folder, temp.Made()
    source = None
    try:
        temp.create(made, folder, target.name, permissions=0o600, vfs=chosen.vfs)
        copy = made.file
        source = folder.open(target.name, "read")
        info = source.stat()
        while piece := source.read(_PIECE_BYTES):
            temp.write_all(copy, piece)
        copy.set_attributes(
            mode=info.st_mode & 0o7777,
            owner=(info.st_uid, info.st_gid),
            xattrs=folder.xattrs(target.name),
        )
        if chosen.sync == "always":
            copy.sync()
        folder.rename(made.temp or "", backup)
    except FileNotFoundError:
        made.end(folder)
        if look(folder, target.name) is not None:
            raise
    except BaseException:
        made.end(folder)
        raise
    finally:
        close_quietly(source)
        close_quietly(getattr(made, "file", None))
