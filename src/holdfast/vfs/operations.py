"""What programs do to a disk, as a list: the language between recorders and the `model`.

A recorder (the memory filesystem; a tracer of real programs) writes down completed operations in
the order in which the kernel saw them, by inode number, so that no name has to be looked up again.
Plain data: nothing here touches a disk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ROOT",
    "Create",
    "Exchange",
    "Kind",
    "Link",
    "MakeFolder",
    "Mark",
    "Node",
    "Operation",
    "RemoveFolder",
    "Rename",
    "SetAttributes",
    "SyncAll",
    "SyncFailed",
    "SyncFile",
    "SyncFolder",
    "Tree",
    "Truncate",
    "Unlink",
    "Write",
]

Kind = Literal["file", "folder", "symlink", "fifo", "character", "block"]

ROOT = 1
"""The inode number of the top folder of every tree."""


class Node(NamedTuple):
    """One inode at rest.

    `data` is the contents, or what a symlink points to; `entries` are a folder's names.
    """

    kind: Kind
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    data: bytes = b""
    xattrs: tuple[tuple[str, bytes], ...] = ()
    entries: tuple[tuple[str, int], ...] = ()


Tree: TypeAlias = "Mapping[int, Node]"


class Create(NamedTuple):
    """A new inode, without a name as yet; what `node` says of it comes with the inode."""

    inode: int
    node: Node


class Write(NamedTuple):
    """Bytes were written; past the end, the file grew."""

    inode: int
    offset: int
    data: bytes


class Truncate(NamedTuple):
    """The file was cut or extended."""

    inode: int
    size: int


class SetAttributes(NamedTuple):
    """Attributes were set one by one; None and absent names were left as they were.

    An extended attribute with the value None was removed.
    """

    inode: int
    mode: int | None = None
    owner: tuple[int, int] | None = None
    xattrs: tuple[tuple[str, bytes | None], ...] = ()


class Link(NamedTuple):
    """An inode got a name."""

    folder: int
    name: str
    inode: int


class Unlink(NamedTuple):
    """A name went."""

    folder: int
    name: str


class Rename(NamedTuple):
    """A name moved, over another one if that was there."""

    folder: int
    name: str
    to_folder: int
    to_name: str


class Exchange(NamedTuple):
    """Two names swapped what they stand for (`RENAME_EXCHANGE`)."""

    folder: int
    name: str
    to_folder: int
    to_name: str


class MakeFolder(NamedTuple):
    """A new folder with its name."""

    folder: int
    name: str
    inode: int
    node: Node


class RemoveFolder(NamedTuple):
    """The name of an empty folder went."""

    folder: int
    name: str


class SyncFile(NamedTuple):
    """A sync of a file returned well; `data_only` is `fdatasync`."""

    inode: int
    data_only: bool = False


class SyncFolder(NamedTuple):
    """A sync of a folder returned well."""

    folder: int


class SyncAll(NamedTuple):
    """A sync of the whole filesystem returned well (`sync`, `syncfs`)."""


class SyncFailed(NamedTuple):
    """A sync of a file or folder failed: the kernel now takes what was dirty for clean."""

    inode: int


class Mark(NamedTuple):
    """The program told somebody something, such as "saved"."""

    text: str


Operation: TypeAlias = (
    Create
    | Write
    | Truncate
    | SetAttributes
    | Link
    | Unlink
    | Rename
    | Exchange
    | MakeFolder
    | RemoveFolder
    | SyncFile
    | SyncFolder
    | SyncAll
    | SyncFailed
    | Mark
)
