"""What a replacement is aimed at: folder and name behind every symlink, and what is there now.

I1  The folder is opened once, at the start; a later chdir, or moving the folder, changes nothing.
I2  Symlinks are followed to the end: relative, chained and dangling ones. A loop is `ELOOP`.
I3  Only a regular file, or nothing, can be replaced. Anything else is refused before anything is
    done.
I4  A name that is a temporary file's, as target or backup, is refused: a sweeper would remove it.
"""

from __future__ import annotations

import errno
import os
import stat

from holdfast.errors import CommittedNotDurable, PromiseUnavailable
from holdfast.primitives.folders import close_quietly, open_folder
from holdfast.primitives.temp import SUFFIX, recognise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.vfs import VFS, Folder, Stat, Sync

__all__ = [
    "How",
    "Target",
    "at",
    "explain",
    "find",
    "how",
    "look",
    "not_durable",
    "refuse_temporary",
    "split",
    "unavailable",
]

_NO_NAMES = frozenset({"", os.curdir, os.pardir})
_RACES = 40  # symlinks that change under our hands; the kernel's own limit for a chain
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISLNK, "a symlink"),
)
_REMEDIES = {
    errno.ENOSPC: "Free some space and write again.",
    errno.EDQUOT: "Free some of the quota and write again.",
    errno.EFBIG: "Raise the file size limit and write again.",
    errno.EACCES: "Check the permissions of the folder.",
    errno.EPERM: "Check the permissions and the flags of the file and its folder.",
    errno.EROFS: "Mount the filesystem for writing, or write elsewhere.",
    errno.EIO: "The device failed: look at the system log before writing again.",
}


# Plain classes with slots, not tuples: half the time to make, and quicker to read from.
class How:
    """The options of one call, checked."""

    __slots__ = ("backup", "permissions", "sync", "vfs")

    def __init__(  # the fields of a record, in order
        self, sync: Sync, permissions: int | None, backup: str | None, *, vfs: VFS
    ) -> None:
        self.sync: Sync = sync
        self.permissions = permissions
        self.backup = backup
        self.vfs = vfs


class Target:
    """A name in an open folder; `path` is for messages; `old` is what is there, or None.

    `xattrs`: the extended attributes of what is there, once they are known.
    """

    __slots__ = ("folder", "name", "old", "path", "xattrs")

    def __init__(self, folder: Folder, name: str, path: str, *, old: Stat | None) -> None:
        self.folder = folder
        self.name = name
        self.path = path
        self.old = old
        self.xattrs: dict[str, bytes] | None = None

    def is_there(self) -> bool:
        """True if the name leads to something now; as it was at the start, if nobody can say."""
        try:
            return look(self.folder, self.name) is not None
        except OSError:
            return self.old is not None

    def close(self) -> None:
        """Close the folder; whatever happened before stands."""
        close_quietly(self.folder)


def how(
    sync: Sync,
    permissions: int | None,
    backup: str | os.PathLike[str] | None,
    *,
    vfs: VFS,
) -> How:
    """Check the options at the public door.

    Raises:
        ValueError: for one that has no meaning; nothing was done.
    """
    if sync not in ("always", "never"):
        raise ValueError(f'sync={sync!r}: it must be "always" or "never"')
    if permissions is not None and not 0 <= permissions <= 0o7777:
        raise ValueError(f"permissions={permissions!r}: it must be from 0 to 0o7777")
    return How(sync, permissions, None if backup is None else _plain_name(backup), vfs=vfs)


def _plain_name(backup: str | os.PathLike[str]) -> str:
    name = os.fsdecode(backup)
    refuse_temporary(name, name)
    if name in _NO_NAMES or os.path.basename(name) != name:
        raise ValueError(f"backup={name!r}: it must be a file name, without a folder")
    return name


def refuse_temporary(path: str, name: str) -> None:
    """Refuse a name that a sweeper would take for a leftover (I4).

    Raises:
        ValueError: it is such a name; nothing was done.
    """
    if name.endswith(SUFFIX) and recognise(name) is not None:
        raise ValueError(
            f"{path}: the name of a temporary file, which sweep() removes: take another"
        )


def split(path: str) -> tuple[str, str]:
    """Part a path into folder (empty for the current one) and name, as `os.path.split` does.

    Its own two calls are a noticeable part of a replace when the processor's caches are cold.
    """
    if os.sep != "/":
        return os.path.split(path)
    folder, slash, name = path.rpartition("/")
    return folder or slash, name


def find(
    path: str | bytes | os.PathLike[str] | os.PathLike[bytes],
    chosen: How,
    *,
    new: bool = False,
) -> Target:
    """Open the folder of the target, and refuse what cannot be replaced (I1, I2, I3).

    Args:
        path: as the caller gave it.
        chosen: the options; `sync` says whether folders made on the way are durable.
        new: it must not exist, not even as a dangling symlink.

    Raises:
        FileExistsError: `new`, and it is there.
        PromiseUnavailable: it is no regular file.
        OSError: the folder cannot be opened or made.
        ValueError: the backup has the file's own name, or that is the name of a temporary file.
    """
    text = path if isinstance(path, str) else os.fsdecode(path)
    place = text
    for _ in range(_RACES):
        where, name = split(place)
        if name in _NO_NAMES:
            raise _no_name(text)
        if name.endswith(SUFFIX):
            refuse_temporary(text, name)
        folder = _open_folder(where, text, chosen)
        try:
            old = look(folder, name)
            if old is None or new or not stat.S_ISLNK(old.st_mode):
                if old is not None and (new or not stat.S_ISREG(old.st_mode)):
                    check(text, old, new=new)
                if chosen.backup == name:
                    raise ValueError(f"backup={name!r}: it must differ from the file's own name")
                return Target(folder, name, text, old=old)
        except BaseException as error:
            if isinstance(error, OSError) and error.filename == name:
                error.filename = text
                _note(error, f"{text}: not written. Nothing was changed.")
            close_quietly(folder)
            raise
        close_quietly(folder)
        try:
            place = chosen.vfs.resolve(text)
        except OSError as error:
            _note(error, f"{text}: not written. Nothing was changed.")
            raise
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), text)


def _open_folder(path: str, target: str, chosen: How) -> Folder:
    try:
        return open_folder(path, sync=chosen.sync, vfs=chosen.vfs)
    except OSError as error:
        _note(error, f"{target}: not written. Nothing was changed in its folder.")
        raise


def at(folder: Folder, name: str, old: Stat | None) -> Target:
    """Aim at a name in an open folder, where `old` is; a symlink is refused, not followed."""
    path = f"{folder.path}{os.sep}{name}"
    if name.endswith(SUFFIX):
        refuse_temporary(path, name)
    if old is not None and not stat.S_ISREG(old.st_mode):
        check(path, old, new=False)
    return Target(folder, name, path, old=old)


def look(folder: Folder, name: str) -> Stat | None:
    """Describe what is there; None for nothing."""
    try:
        return folder.stat(name)
    except FileNotFoundError:
        return None


def check(path: str, old: Stat, *, new: bool) -> None:
    """Refuse what is there, if it cannot be replaced or must be `new` (I3).

    Raises:
        FileExistsError: it must be new.
        PromiseUnavailable: it is no regular file.
    """
    if new:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
    if not stat.S_ISREG(old.st_mode):
        kind = next(
            (kind for is_kind, kind in _KINDS if is_kind(old.st_mode)),
            "no regular file",
        )
        code = errno.EISDIR if kind == "a folder" else errno.ENOTSUP
        raise unavailable(
            path,
            f"is {kind} and cannot be replaced",
            remedy="Give the path of a regular file.",
            code=code,
        )


def _no_name(path: str) -> OSError:
    if not path:
        return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    reason = "is a folder and cannot be replaced"
    return unavailable(path, reason, remedy="Give the path of a regular file.", code=errno.EISDIR)


def unavailable(path: str, reason: str, *, remedy: str, code: int) -> PromiseUnavailable:
    """Return the error for a target that cannot be kept whole."""
    return PromiseUnavailable(f"{path}: {reason}. It is untouched. {remedy}", errno=code, path=path)


def explain(error: BaseException, target: Target, *, left: str | None = None) -> None:
    """Note on an `OSError` what is on disk now, and what to do; its filename is the target's path.

    Args:
        error: what is raised; others than an `OSError` of the system stay as they are.
        target: what was not written.
        left: a temporary file that could not be removed.
    """
    path = target.path
    if isinstance(error, OSError) and not isinstance(error, PromiseUnavailable):
        if error.errno is not None:
            error.filename = path
            del error.filename2  # None would be printed as a second name
        state = "The old contents stand." if target.is_there() else "Nothing was made."
        remedy = _REMEDIES.get(error.errno or 0, "Write again when the cause is mended.")
        _note(error, f"{path}: not written. {state} {remedy}")
    if left is not None:
        _note(error, f"{left}: could not be removed. It is swept by holdfast.sweep().")


def _note(error: BaseException, note: str) -> None:
    """Add a note, once: an error of a write passes here again at the end."""
    if note not in getattr(error, "__notes__", ()):
        error.add_note(note)


def not_durable(path: str, error: OSError) -> CommittedNotDurable:
    """Return the error for a failure after the rename."""
    return CommittedNotDurable(
        f"{path}: the folder could not be synced ({error.strerror}). The new contents are in place,"
        " but a power cut may bring the old ones back. Write again when the cause is mended.",
        errno=error.errno or errno.EIO,
        path=path,
    )
