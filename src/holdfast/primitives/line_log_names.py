"""Names of a line log on disk: the log, its numbered old files, its lock, and what was torn.

To `app.jsonl` all lines are appended. `app.jsonl.1`, `app.jsonl.2` and so on are older files: the
higher the number, the older. `app.jsonl.lock` is locked while somebody appends or rotates, and
`app.jsonl.torn` holds what stood at an end of the log and was no whole line.
"""

from __future__ import annotations

import os
from errno import ENOTSUP, ESTALE
from stat import S_ISREG

from holdfast.errors import PromiseUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple, TypeAlias

    from holdfast.vfs import VFS, File, Folder, Stat

    Identity: TypeAlias = "tuple[int, int]"
else:
    from holdfast.light_typing import NamedTuple

__all__ = [
    "LOCK",
    "NUMBER_MAX",
    "TORN",
    "Kept",
    "identity_of",
    "kept_files",
    "look",
    "numbered",
    "numbers",
    "open_kept",
    "refuse_other_kinds",
]

LOCK, TORN = ".lock", ".torn"
NUMBER_MAX = 999_999
"""The highest number that an old file may have: what is longer is a date, and not ours."""

_LOOKS_MAX = 100


class Kept(NamedTuple):
    """One file of a log: its name, and which file that was when we looked."""

    name: str
    identity: Identity


def identity_of(info: Stat) -> Identity:
    """Return what tells one file from another."""
    return (info.st_dev, info.st_ino)


def numbered(name: str, number: int) -> str:
    """Return the name of an old file; number 0 is the log itself."""
    return f"{name}.{number}" if number else name


def numbers(folder: Folder, name: str) -> list[int]:
    """Return the numbers of the old files, lowest first."""
    start = f"{name}."
    ends = (other[len(start) :] for other in folder.names() if other.startswith(start))
    return sorted(int(end) for end in ends if _is_number(end))


def _is_number(text: str) -> bool:
    is_decimal = text.isascii() and text.isdigit() and text[0] != "0"
    return is_decimal and len(text) <= len(str(NUMBER_MAX))


def look(folder: Folder, name: str) -> Stat | None:
    """Describe what is there; None for nothing."""
    try:
        return folder.stat(name)
    except FileNotFoundError:
        return None


def refuse_other_kinds(path: str, info: Stat) -> None:
    """Refuse what is no regular file: it has no end that could be appended to.

    Raises:
        PromiseUnavailable: it is none; nothing was done.
    """
    if not S_ISREG(info.st_mode):
        raise PromiseUnavailable(
            f"{path}: is no regular file and holds no lines. It is untouched. "
            "Give the path of a file.",
            errno=ENOTSUP,
            path=path,
        )


def kept_files(path: str, *, vfs: VFS) -> list[Kept]:
    """List the files of a log, oldest first, as they were at one moment; none if it is missing.

    Names cannot be listed in one step, and somebody may rotate meanwhile: a list counts when two
    looks in a row are the same.

    Raises:
        OSError: the folder cannot be listed, or it never stood still; or the log is no file.
    """
    try:
        folder = vfs.folder(os.path.dirname(path) or os.curdir, readable=True)
    except FileNotFoundError:
        return []
    try:
        before: list[Kept] | None = None
        for _ in range(_LOOKS_MAX):
            found = _list(folder, path)
            if found == before:
                return found
            before = found
    finally:
        folder.close()
    raise OSError(ESTALE, "the log is rotated faster than its files can be listed", path)


def _list(folder: Folder, path: str) -> list[Kept]:
    name = os.path.basename(path)
    found: list[Kept] = []
    for number in (*reversed(numbers(folder, name)), 0):
        each = numbered(name, number)
        info = look(folder, each)
        if info is not None:
            if not number:
                refuse_other_kinds(path, info)
            if S_ISREG(info.st_mode):
                found.append(Kept(each, identity_of(info)))
    return found


def open_kept(path: str, kept: Kept, *, vfs: VFS) -> File | None:
    """Open one of the files to read it; None if the name stands for another one by now.

    Raises:
        OSError: it cannot be opened.
    """
    folder = vfs.folder(os.path.dirname(path) or os.curdir)
    try:
        file = folder.open(kept.name, "read")
    except FileNotFoundError:
        return None
    finally:
        folder.close()
    if identity_of(file.stat()) == kept.identity:
        return file
    file.close()
    return None
