"""Reads a folder into a `Tree`: everything that a crash could change."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, Final, TypeAlias

from holdfast.crash.recorders.errors import RecordingRefused
from holdfast.vfs.operations import Node

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.vfs.operations import Kind

__all__ = [
    "SEVERAL_FILESYSTEMS",
    "TREE_BYTES_MAX",
    "Identity",
    "contents",
    "identity",
    "kind_of",
    "node_of",
    "read_at",
    "read_tree",
    "too_large",
    "xattrs_of",
]

Identity: TypeAlias = tuple[int, int]
"""A device and an inode number on it."""

SEVERAL_FILESYSTEMS: Final = (
    "the recorded folder spans several filesystems or subvolumes, which the model takes for one: "
    "what a sync of one makes durable counts on the others too, and syncfs counts as no sync"
)
"""A note about a recording."""

TREE_BYTES_MAX: Final = 512 << 20
_CHUNK_BYTES: Final = 1 << 20
_KINDS: Final[dict[int, Kind]] = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "folder",
    stat.S_IFLNK: "symlink",
    stat.S_IFIFO: "fifo",
    stat.S_IFCHR: "character",
    stat.S_IFBLK: "block",
}
_XATTRS: Final = ("user.", "system.posix_acl_", "security.capability")


def identity(found: os.stat_result) -> Identity:
    """Tell one inode from all others."""
    return found.st_dev, found.st_ino


def kind_of(found: os.stat_result) -> Kind | None:
    """Return what it is; None for a socket, which outlives no restart."""
    return _KINDS.get(stat.S_IFMT(found.st_mode))


def read_tree(root: str, number: Callable[[Identity], int]) -> dict[int, Node]:
    """Read all that is below a folder; `number` gives each inode its own.

    Raises:
        OSError: something cannot be read.
        RecordingRefused: there is more of it than can be held.
    """
    nodes: dict[int, Node] = {}
    number(identity(os.stat(root)))
    todo, size = [os.fsencode(root)], 0
    while todo:
        path = todo.pop()
        found = os.lstat(path)
        inode = number(identity(found))
        if inode in nodes:
            continue
        size += found.st_size
        if size > TREE_BYTES_MAX:
            raise too_large(os.fsdecode(path))
        entries: list[tuple[str, int]] = []
        if stat.S_ISDIR(found.st_mode):
            for name in sorted(os.listdir(path)):
                below = os.path.join(path, name)
                if kind_of(there := os.lstat(below)) is not None:
                    entries.append((os.fsdecode(name), number(identity(there))))
                    todo.append(below)
        nodes[inode] = node_of(path, found)._replace(entries=tuple(sorted(entries)))
    return nodes


def too_large(path: str) -> RecordingRefused:
    """Say that there is too much."""
    return RecordingRefused(
        f"{path}: the recorded folder holds more than {TREE_BYTES_MAX >> 20} MiB, sparse files by "
        "their length. Its files stand as the program left them. "
        "Record a smaller folder, or let the program make smaller files."
    )


def node_of(path: bytes | str, found: os.stat_result) -> Node:
    """Read one inode, without the names in it.

    Raises:
        OSError: it cannot be read, or is a socket; nothing changed.
    """
    kind = kind_of(found)
    data = b""
    if kind is None:
        raise OSError(errno.EINVAL, "is a socket", path)
    if kind == "file":
        data = contents(path)
    elif kind == "symlink":
        data = os.readlink(os.fsencode(path))
    mode = stat.S_IMODE(found.st_mode)
    return Node(kind, mode, found.st_uid, found.st_gid, data, xattrs_of(path))


def contents(path: bytes | str) -> bytes:
    """Read a whole file, and leave its access time alone where that is allowed."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NOATIME)
    except PermissionError:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        return read_at(file, 0, os.fstat(file).st_size)
    finally:
        os.close(file)


def read_at(file: int, offset: int, size: int) -> bytes:
    """Read from a place of a file, as much as there is."""
    pieces: list[bytes] = []
    while size > 0 and (piece := os.pread(file, min(size, _CHUNK_BYTES), offset)):
        pieces.append(piece)
        offset += len(piece)
        size -= len(piece)
    return b"".join(pieces)


def xattrs_of(path: bytes | str | int, *, follow: bool = False) -> tuple[tuple[str, bytes], ...]:
    """Read the extended attributes that a program or its user set."""
    found: list[tuple[str, bytes]] = []
    follow = follow or isinstance(path, int)
    try:
        found += [
            (name, os.getxattr(path, name, follow_symlinks=follow))
            for name in os.listxattr(path, follow_symlinks=follow)
            if name.startswith(_XATTRS)
        ]
    except OSError as error:
        if error.errno not in {errno.ENOTSUP, errno.EPERM, errno.EACCES}:
            raise
    return tuple(sorted(found))
