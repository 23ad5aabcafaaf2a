"""Temporary files: their names, their making, and how a leftover is told from one in use.

A temporary file lies in the folder of its target and is called

    .NAME.TOKEN.holdfast-tmp            of one writer; TOKEN: 16 hexadecimal digits
    .NAME.TOKEN-SERIAL.holdfast-tmp     of a batch; TOKEN is that of the batch, SERIAL hexadecimal

NAME is the target's, cut (at a character) so that the whole has at most 255 bytes.

I1  No two writers use one name: the token comes from `VFS.token`.
I2  A writer holds the lock of its temporary file until the name is gone; one of a batch is held by
    the lock of the batch's guard, `.write-many.TOKEN.holdfast-tmp`. Whoever gets the lock knows
    that the writer is dead.
I3  A sweeper may be faster than the lock, so a file without a name after locking is given up for a
    new one.
"""

from __future__ import annotations

import errno
import os

from holdfast.primitives.folders import close_quietly, forget

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple, Protocol

    from typing_extensions import Buffer

    from holdfast.vfs import VFS, File, Folder, Stat
else:
    from holdfast.light_typing import NamedTuple, Protocol

__all__ = [
    "GUARD",
    "SUFFIX",
    "Leftover",
    "Made",
    "Making",
    "create",
    "is_cut",
    "mode_of_new",
    "recognise",
    "take_lock",
    "temp_name",
    "write_all",
]

SUFFIX = ".holdfast-tmp"
"""The end of every temporary name."""

GUARD = "write-many"
"""The NAME of a batch's guard."""

_NAME_MAX_BYTES = 255
_HEXADECIMAL = frozenset("0123456789abcdef")
# Filesystems that have no locks: the writer goes on, and a sweeper, which needs one, leaves all
# alone.
_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL})
_LONGEST_TOKEN = 16 + 1 + 8
# A character has at most four bytes, so a name of so many need not be encoded to be measured.
_SHORT = (_NAME_MAX_BYTES - _LONGEST_TOKEN - len(SUFFIX) - 2) // 4
_ATTEMPTS = 100


class Leftover(NamedTuple):
    """The parts of a temporary name: the target's (perhaps cut), token, serial in a batch."""

    target: str
    token: str
    serial: str | None


def temp_name(target: str, token: str) -> str:
    """Return the temporary name for a target; `token` may carry a serial (`TOKEN-SERIAL`)."""
    if len(target) > _SHORT:
        target = _cut(target, _NAME_MAX_BYTES - len(token) - len(SUFFIX) - 2)
    return f".{target}.{token}{SUFFIX}"


def _cut(target: str, room: int) -> str:
    raw = os.fsencode(target)
    if len(raw) <= room:
        return target
    start = room
    while raw[start] & 0xC0 == 0x80:  # never within a UTF-8 character, which has at most four bytes
        start -= 1
        if start < room - 3:  # it is none
            start = room
            break
    return os.fsdecode(raw[:start])


def is_cut(target: str) -> bool:
    """True if the name in a temporary name may be the beginning of a longer one."""
    return len(os.fsencode(target)) >= _NAME_MAX_BYTES - _LONGEST_TOKEN - len(SUFFIX) - 6


def recognise(name: str) -> Leftover | None:
    """Return the parts of a temporary name, None for any other."""
    if not name.endswith(SUFFIX):
        return None
    target, _, end = name[: -len(SUFFIX)].rpartition(".")
    token, dash, serial = end.partition("-")
    if len(target) < 2 or target[0] != "." or len(token) != 16 or len(serial) > 8:
        return None
    if not _HEXADECIMAL.issuperset(token + serial) or bool(dash) is not bool(serial):
        return None
    return Leftover(target[1:], token, serial or None)


def take_lock(file: File) -> bool:
    """Take the lock without waiting; False if a sweeper has it, True where there are no locks."""
    try:
        return file.lock(block=False)
    except OSError as error:
        if error.errno in _NO_LOCKS:
            return True
        raise


class Making(Protocol):
    """Who makes a temporary file: its name is noted before it is made, so none is ever lost."""

    temp: str | None
    file: File
    info: Stat


class Made:
    """A temporary file: its name, the open file, and what it is."""

    __slots__ = ("file", "info", "temp")
    file: File
    info: Stat

    def __init__(self) -> None:
        self.temp: str | None = None

    def end(self, folder: Folder) -> bool:
        """Close and remove it, if it was made; True if nothing is left of it."""
        close_quietly(getattr(self, "file", None))
        return self.temp is None or forget(folder, self.temp)


def create(making: Making, folder: Folder, target: str, *, permissions: int, vfs: VFS) -> None:
    """Make a temporary file for `target`, with its lock held (I1, I2, I3).

    Its name, the open file and what it is are set on `making`: an interrupt at any moment finds
    there what is to be removed.

    Raises:
        OSError: it cannot be made or locked; nothing is left of it.
    """
    for _ in range(_ATTEMPTS):
        name = making.temp = temp_name(target, vfs.token())
        file = None
        try:
            file = making.file = folder.open(name, "new", permissions=permissions)
            if take_lock(file) and (info := file.stat()).st_nlink:
                making.info = info
                return
        except FileExistsError:
            making.temp = None  # not ours
            continue
        except BaseException:
            # Also when an interrupt came between the opening and the assignment: the name is ours
            # alone.
            close_quietly(file)
            forget(folder, name)
            raise
        close_quietly(file)
        forget(folder, name)
    raise OSError(errno.EAGAIN, f"{_ATTEMPTS} temporary files were swept away", folder.path)


def mode_of_new(folder: Folder, target: str, *, vfs: VFS) -> int:
    """Ask the kernel which mode a new file gets here, by a file that stays empty."""
    try:
        file = folder.open_unnamed(permissions=0o666)
    except OSError as error:
        if error.errno != errno.EOPNOTSUPP:
            raise
    else:
        try:
            return file.stat().st_mode & 0o7777
        finally:
            close_quietly(file)
    made = Made()
    try:
        create(made, folder, target, permissions=0o666, vfs=vfs)
        return made.info.st_mode & 0o7777
    finally:
        made.end(folder)


def write_all(file: File, data: Buffer) -> None:
    """Write all of `data` at the position; the system may take it in pieces.

    Raises:
        OSError: a part may be written; the file is a temporary one and is given up.
    """
    rest = data if type(data) is bytes else memoryview(data).cast("B")
    while size := len(rest):
        count = file.write(rest)
        if count == size:
            return
        if count <= 0:  # looping on it would never end
            raise OSError(errno.EIO, "a write wrote nothing")
        rest = memoryview(rest)[count:]
