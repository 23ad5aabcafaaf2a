"""Folders of journals and stores: how they are told, and what verbs of logs say of them."""

from __future__ import annotations

import os

from holdfast.cli.exits import BAD_DATA, Failure
from holdfast.vfs import SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from holdfast.errors import Corruption
    from holdfast.formats.journal_format import Identity

__all__ = [
    "identity_of",
    "kind_of_state",
    "may_have_lost_identity",
    "refuse_log_of_state",
    "refuse_state",
    "state_of",
]

_IDENTITY = "journal"
_LOG = "log"
_INSTEAD = {
    "store": "`holdfast store ls` and `store follow` show what is in it, its log is {}/log",
    "journal": "Its log is {}/log, which `holdfast log cat` can read",
}
_CHANGE = {
    "store": "Change it with `holdfast store put` and `store del`",
    "journal": "Change it by the program that it belongs to",
}


def state_of(path: str) -> str | None:
    """Say whether the folder at `path` is a "store" or a "journal"; None for anything else.

    Raises:
        OSError: it cannot be looked at; not for what is missing, or is no folder.
    """
    try:
        folder = SYSTEM.folder(path, readable=True)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        names = folder.names()
    finally:
        folder.close()
    return kind_of_state(path, names)


def kind_of_state(path: str, names: Collection[str]) -> str | None:
    """The same, for a folder whose names are known.

    A damaged identity is still that of a journal: by its beginning, or by what is beside it.
    """
    if _IDENTITY not in names and _LOG not in names:
        return None
    from holdfast.errors import Corruption

    try:
        return "store" if identity_of(path).kind == "store" else "journal"
    except FileNotFoundError:
        return "journal" if _has_checkpoints(names) else None  # else `may_have_lost_identity`
    except IsADirectoryError:
        return None
    except Corruption as error:
        is_state = _begins_as_one(error) or _has_checkpoints(names) or _has_log(path)
        return "journal" if is_state else None


def may_have_lost_identity(path: str, names: Collection[str]) -> bool:
    """Whether there is a log inside, and nothing says whose it is.

    A journal without its identity looks so; but, where there is no checkpoint, so does the folder
    of a program that keeps a log there.
    """
    is_lost = _IDENTITY not in names and _LOG in names
    return is_lost and (_has_checkpoints(names) or _has_log(path))


def _begins_as_one(error: Corruption) -> bool:
    """Whether an identity that cannot be read begins as one, or as that of a repair does."""
    from holdfast.formats.journal_format import IDENTITY_BYTES, INCOMPLETE

    if error.expected == IDENTITY_BYTES:  # it is too short
        return False
    return error.offset != 0 or error.found == INCOMPLETE[:8] or isinstance(error.found, int)


def _has_checkpoints(names: Collection[str]) -> bool:
    from holdfast.formats.journal_format import SLOTS, sequence_of

    return _LOG in names and any(n in SLOTS or sequence_of(n) is not None for n in names)


def _has_log(path: str) -> bool:
    from holdfast.formats.log_format import first_of

    try:
        folder = SYSTEM.folder(f"{path}/{_LOG}", readable=True)
    except (FileNotFoundError, NotADirectoryError):
        return False
    try:
        return any(first_of(name) is not None for name in folder.names())
    finally:
        folder.close()


def identity_of(path: str) -> Identity:
    """What the identity file of a journal or store says.

    Raises:
        FileNotFoundError: there is none.
        Corruption: it is damaged; an `offset` of 0 says that it does not begin as one does.
    """
    from holdfast.formats.journal_format import HEAD_BYTES, decode_identity

    folder = SYSTEM.folder(path)
    try:
        file = folder.open(_IDENTITY, "read")
        try:
            block = file.read(HEAD_BYTES, offset=0)
        finally:
            file.close()
    finally:
        folder.close()
    return decode_identity(block, path=f"{path}/{_IDENTITY}")


def refuse_state(path: str) -> None:
    """Pass, unless the folder is that of a journal or store: a log is inside it.

    Raises:
        Failure: it is.
    """
    kind = state_of(path)
    if kind is not None:
        instead = _INSTEAD[kind].format(path)
        message = f"{path}: is a {kind}, no log. Nothing was changed. {instead}."
        raise Failure(message, BAD_DATA, path=path)


def refuse_log_of_state(path: str) -> None:
    """Pass, unless the log is that of a journal or store, which alone may change it.

    Raises:
        Failure: it is.
    """
    above, name = os.path.split(SYSTEM.resolve(path))
    kind = state_of(above) if name == _LOG else None
    if kind is not None:
        owner = os.path.dirname(path) or os.curdir
        message = (
            f"{path}: is the log of the {kind} {owner}, and is changed by that alone. "
            f"Nothing was changed. {_CHANGE[kind]}."
        )
        raise Failure(message, BAD_DATA, path=path)
