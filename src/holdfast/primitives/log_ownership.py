"""Whose a folder is: a log is not made among other things, and that of a journal is the journal's.

Reading the log of a journal is anybody's right.
"""

from __future__ import annotations

import os
from stat import S_ISREG

from holdfast.errors import UnknownFormat
from holdfast.formats.journal_format import IDENTITY, LOG, SLOTS, is_identity
from holdfast.formats.log_format import first_of
from holdfast.primitives.folders import close_quietly
from holdfast.primitives.log_hint import LOCK
from holdfast.primitives.target import look
from holdfast.primitives.temp import recognise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.vfs import VFS, Folder

__all__ = ["refuse_foreign", "refuse_log_of_journal"]

_HEAD_BYTES = 16


def refuse_foreign(folder: Folder) -> None:
    """Raise if the folder has no segment, no lock file, and other things in it.

    Raises:
        UnknownFormat: it does; nothing was changed.
        OSError: it cannot be looked at.
    """
    names = folder.names()
    if LOCK in names or any(first_of(name) for name in names):
        return
    strangers = sorted(name for name in names if recognise(name) is None)
    if not strangers:
        return
    found, remedy = (
        f"and holds other things ({strangers[0]!r})",
        "Name another folder, or an empty one",
    )
    if _is_journal(folder):
        found, remedy = "but a journal or store", f"Its log can be read: {folder.path}/{LOG}"
    raise UnknownFormat(
        f"{folder.path}: this folder is no log, {found}. Nothing was changed. {remedy}.",
        path=folder.path,
    )


def refuse_log_of_journal(path: str, *, vfs: VFS) -> None:
    """Raise if this is where a journal or store keeps its log: what others change there damages it.

    Raises:
        UnknownFormat: it is; nothing was changed.
        OSError: it cannot be looked at.
    """
    above, name = os.path.split(vfs.resolve(path))
    if name != LOG:
        return
    try:
        folder = vfs.folder(above)
    except FileNotFoundError:
        return
    try:
        is_owned = _is_journal(folder)
    finally:
        close_quietly(folder)
    if is_owned:
        raise UnknownFormat(
            f"{path}: is the log of the journal or store {above}, which alone may change it. "
            "Nothing was changed. Change that by `Store` or `Journal`, or name another folder.",
            path=path,
        )


def _is_journal(folder: Folder) -> bool:
    """Whether an identity lies there, perhaps a damaged one; or a slot, if that is lost.

    Files are opened by their names: the folder need not be readable.
    """
    if any(look(folder, name) is not None for name in SLOTS):
        return True
    info = look(folder, IDENTITY)
    if info is None or not S_ISREG(info.st_mode):
        return False
    try:
        file = folder.open(IDENTITY, "read")
    except (FileNotFoundError, PermissionError):
        return False
    try:
        return is_identity(file.read(_HEAD_BYTES, offset=0))
    finally:
        close_quietly(file)
