"""Replace a whole file by bytes or text that are there already.

Guarantee and invariants: `holdfast.primitives.replacement`. For contents that are produced piece by
piece see `holdfast.primitives.writer`, for tools that want a path
`holdfast.primitives.private_folder`.
"""

from __future__ import annotations

import os

from holdfast.primitives.asyncio_bridge import twin
from holdfast.primitives.folders import close_quietly
from holdfast.primitives.replacement import Replacement
from holdfast.primitives.target import at, find, how
from holdfast.primitives.temp import write_all
from holdfast.vfs import SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple

    from typing_extensions import Buffer

    from holdfast.vfs import VFS, Folder, Stat, Sync
else:
    from holdfast.light_typing import NamedTuple

__all__ = [
    "InPlace",
    "awrite_bytes",
    "awrite_text",
    "encode_text",
    "replace_bytes",
    "write_bytes",
    "write_text",
]

_NEWLINES = {None: os.linesep, "": "\n", "\n": "\n", "\r": "\r", "\r\n": "\r\n"}


def write_bytes(
    path: str | os.PathLike[str],
    data: Buffer,
    *,
    sync: Sync = "always",
    permissions: int | None = None,
    backup: str | os.PathLike[str] | None = None,
    vfs: VFS = SYSTEM,
) -> None:
    """Replace the file at `path` by `data`: readers and crashes find the old contents or the new.

    On return the new contents, their name and folders made on the way survive a power cut. A
    symlink is followed. A replaced file keeps its mode, owner, extended attributes and access list,
    as far as the caller may set them; a new one gets what the umask and the folder's default access
    list give. The name gets a new inode: other hard links of the old file keep the old contents.

    Args:
        path: the file; missing parent folders are made.
        data: anything with the buffer protocol.
        sync: `"never"` skips every sync: readers still find old or new, but it is not durable, and
            a power cut may leave neither whole.
        permissions: the exact mode, whatever the umask and the old mode are.
        backup: a file name in the same folder under which the replaced contents stay, itself
            replaced atomically, and durable before the file changes. A symlink of that name is
            replaced, not followed.
        vfs: the filesystem.

    Raises:
        PromiseUnavailable: a folder, FIFO, socket, device or bind-mounted file; it is untouched.
        CommittedNotDurable: the new contents are in place, but a power cut may undo it.
        OSError: the old contents stand and no temporary file is left.
        ValueError: an option has no meaning; nothing was done.
        TypeError: `data` is text; nothing was done.
    """
    if isinstance(data, str):
        raise TypeError("data is a str: use write_text, or encode it")
    chosen = how(sync, permissions, backup, vfs=vfs)
    target = find(path, chosen)
    try:
        _replace(Replacement(target, chosen), data)
    finally:
        close_quietly(target.folder)


class InPlace(NamedTuple):
    """A file in place: what it is, and whether it is known to have no extended attributes."""

    stat: Stat
    is_bare: bool


def replace_bytes(
    folder: Folder,
    name: str,
    data: Buffer,
    *,
    old: Stat | None,
    is_bare: bool = False,
    sync: Sync = "always",
    permissions: int | None = None,
    backup: str | os.PathLike[str] | None = None,
    vfs: VFS = SYSTEM,
) -> InPlace | None:
    """Replace the file called `name` in an open folder; return what the new file is.

    Everything that `write_bytes` guarantees, for compositions that hold the folder open (it stays
    so), have resolved the name and have just looked what is there: a symlink is refused. The result
    is taken from the new file's own descriptor after the rename, so it describes these contents
    even when somebody has replaced them since; None if somebody has written into the file since.

    Args:
        old: what is there.
        is_bare: it is known to have no extended attributes.

    Raises:
        PromiseUnavailable: as for `write_bytes`; untouched.
        CommittedNotDurable: the new contents are in place, but a power cut may undo it.
        OSError: the old contents stand and no temporary file is left.
    """
    chosen = how(sync, permissions, backup, vfs=vfs)
    target = at(folder, name, old)
    if is_bare:
        target.xattrs = {}
    stat = _replace(Replacement(target, chosen), data, describe=True)
    return None if stat is None else InPlace(stat, target.xattrs == {})


def _replace(replacement: Replacement, data: Buffer, *, describe: bool = False) -> Stat | None:
    try:
        replacement.begin()
        write_all(replacement.file, data)
        return replacement.commit(describe=describe)
    except BaseException as error:
        replacement.give_up(error)
        raise


def encode_text(text: str, encoding: str, newline: str | None) -> bytes:
    """Encode as a text file opened with this `newline` would.

    Raises:
        ValueError: there is no such newline, or the text cannot be encoded; nothing was done.
    """
    if newline not in _NEWLINES:
        raise ValueError(f"newline={newline!r}: it must be None, '', '\\n', '\\r' or '\\r\\n'")
    if (end := _NEWLINES[newline]) != "\n":
        text = text.replace("\n", end)
    return text.encode(encoding)


def write_text(
    path: str | os.PathLike[str],
    text: str,
    *,
    encoding: str = "utf-8",
    newline: str | None = None,
    sync: Sync = "always",
    permissions: int | None = None,
    backup: str | os.PathLike[str] | None = None,
    vfs: VFS = SYSTEM,
) -> None:
    """Replace the file at `path` by `text`: everything that `write_bytes` guarantees.

    Args:
        path: as for `write_bytes`, and so are `sync`, `permissions`, `backup` and `vfs`.
        text: the new contents.
        encoding: how it is encoded; done before anything is touched.
        newline: as for the built-in `open`: None writes the system's line ends.
        sync: see `write_bytes`.
        permissions: see `write_bytes`.
        backup: see `write_bytes`.
        vfs: see `write_bytes`.

    Raises:
        PromiseUnavailable: a folder, FIFO, socket, device or bind-mounted file; it is untouched.
        CommittedNotDurable: the new contents are in place, but a power cut may undo it.
        OSError: the old contents stand and no temporary file is left.
        ValueError: the text cannot be encoded (`UnicodeEncodeError`); nothing was done.
        TypeError: it is no text; nothing was done.
    """
    if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
        raise TypeError(f"text is {type(text).__name__}, not str: use write_bytes, or decode it")
    data = encode_text(text, encoding, newline)
    write_bytes(path, data, sync=sync, permissions=permissions, backup=backup, vfs=vfs)


awrite_bytes = twin(write_bytes)
awrite_text = twin(write_text)
