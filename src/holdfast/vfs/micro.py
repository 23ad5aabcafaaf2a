"""Micro-operations: the pieces that survive a crash or do not, each on its own.

`model` makes them from `operations`; a report names them as what was lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = [
    "PAGE_BYTES",
    "Attribute",
    "Block",
    "Entry",
    "Group",
    "Item",
    "Loss",
    "Micro",
    "Model",
    "Move",
    "Part",
    "Place",
    "Shrink",
    "Size",
    "Swap",
    "ZeroTail",
    "changes_of",
    "places_of",
]

Model = Literal["posix", "linux", "prefix"]
"""`posix`: the weakest. `linux`: what ext4, xfs and btrfs have in common. `prefix`: a kill."""

PAGE_BYTES = 4096

Part = Literal["data", "attributes", "entries"]

Place: TypeAlias = tuple[int, str]
"""A folder and a name in it."""


class Block(NamedTuple):
    """Some bytes of one block; those from `fresh` on lay beyond the end of the file."""

    at: int
    inode: int
    offset: int
    data: bytes
    fresh: int


class Size(NamedTuple):
    """The file grew to `size`."""

    at: int
    inode: int
    size: int


class Shrink(NamedTuple):
    """The file was cut to `size`."""

    at: int
    inode: int
    size: int


class ZeroTail(NamedTuple):
    """The rest of the last kept block became zeros."""

    at: int
    inode: int
    start: int
    stop: int


class Attribute(NamedTuple):
    """One attribute: `mode`, `owner`, or the name of an extended one (None: it was removed)."""

    at: int
    inode: int
    name: str
    value: int | tuple[int, int] | bytes | None


class Entry(NamedTuple):
    """A name now stands for `inode`, or (None) for nothing."""

    at: int
    folder: int
    name: str
    inode: int | None


class Move(NamedTuple):
    """A name moved, atomically."""

    at: int
    folder: int
    name: str
    to_folder: int
    to_name: str
    inode: int


class Swap(NamedTuple):
    """Two names changed places, atomically: the first now stands for `other`."""

    at: int
    folder: int
    name: str
    to_folder: int
    to_name: str
    inode: int
    other: int


Micro: TypeAlias = Block | Size | Shrink | ZeroTail | Attribute | Entry | Move | Swap
"""`at` is the index of the operation that it is a part of."""


class Item:
    """A micro-operation that is not on the durable base.

    `loose`: a crash may take it away. `lost`: it was dirty when a sync failed, and no later sync
    will cover it. `order` counts all items of a disk.
    """

    __slots__ = ("loose", "lost", "micro", "order")

    def __init__(self, micro: Micro, order: int) -> None:
        self.micro = micro
        self.order = order
        self.loose = True
        self.lost = False


class Group:
    """Items that vary independently of all others: one part of an inode, or names tied by moves.

    `inode` is 0 for names. (`number`, `version`) is never given to other items.
    """

    __slots__ = ("inode", "items", "number", "part", "version")

    def __init__(self, part: Part, inode: int, number: int) -> None:
        self.part: Part = part
        self.inode = inode
        self.number = number
        self.version = 0
        self.items: list[Item] = []

    def loose(self) -> list[int]:
        """The numbers of the items that a crash may take."""
        return [number for number, item in enumerate(self.items) if item.loose]

    def places(self) -> list[Place]:
        """The names that it is about, sorted."""
        return sorted({place for item in self.items for place in places_of(item.micro)})

    def newest(self, at: int) -> int:
        """How many items belong to operation `at`, which is the last one."""
        count = 0
        while count < len(self.items) and self.items[-1 - count].micro.at == at:
            count += 1
        return count


class Loss(NamedTuple):
    """Which items did not survive, by number, and whether lost new blocks show garbage."""

    dropped: Collection[int] = ()
    garbage: bool = False


def changes_of(micro: Micro) -> tuple[tuple[Place, int | None], ...]:
    """Return what each name stands for afterwards."""
    if isinstance(micro, Entry):
        return (((micro.folder, micro.name), micro.inode),)
    if isinstance(micro, Move | Swap):
        left = micro.other if isinstance(micro, Swap) else None
        place, to_place = (micro.folder, micro.name), (micro.to_folder, micro.to_name)
        return ((place, left), (to_place, micro.inode))
    return ()


def places_of(micro: Micro) -> list[Place]:
    """Return the names that it changes."""
    return [place for place, _ in changes_of(micro)]
