"""What a disk may hold after a crash: the one persistence model, pure, over a list of `operations`.

Every operation splits into micro-operations. After a power cut, whatever a *completed* sync does
not cover may have survived or not, in any combination (the weakest model of ALICE, OSDI'14). The
rules:

R1  Data survive by blocks (`block_bytes`: 4096; 512 for sectors), independent of each other and of
    the size.
R2  A growing file grows page by page: a size on each 4096-byte boundary in between may be what
    survives (measured: ext4, 8192 of 9010 bytes).
R3  What a surviving size covers and no surviving block fills reads as zeros (`garbage`: as old
    disk contents).
R4  A shrinking truncate may leave the *old* size with the tail of the last kept block zeroed
    (measured: ext4, xfs).
R5  A rename or exchange within a folder is atomic; one across folders is two independent halves:
    both names may exist, or neither (measured: btrfs shows both, even after the destination folder
    was synced). `atomic_across`: it is atomic, and a sync of either folder covers it.
R6  A new name, a removed name and each attribute survive or not on their own.
R7  A sync of a file covers its data, size and attributes, and not its name; one of data alone
    covers data and size.
R8  A sync of a folder covers its own entries and attributes, and nothing of the files that they
    name. A sync of the whole filesystem covers everything.
R9  A failed sync covers nothing, and what was dirty then is covered by no later sync of it either:
    the kernel took it for clean (measured: the second fsync succeeds on ext4, xfs and btrfs).
R10 `prefix`, the model of SIGKILL: all that was done survives in order; a write may stop at a page
    boundary.
R11 `linux`, what ext4, xfs and btrfs have in common: a sync of a file (not of data alone) also
    covers each name that the file got by creation, link or rename in a folder in which it still has
    a name, and the names of the folders above that are new. It covers no removed name: not the one
    that a rename across folders leaves behind, and no exchange.
R12 `linux`: of the writes to one block of a file, those that survive are the first so many, for
    what goes to the disk is the page as it is in memory. A cut of the file starts all its blocks
    anew, and what was dirty when a sync failed is bound to nothing.
R13 A sync of everything covers all but bytes that were overwritten in place (measured, xfs: with a
    clean log it does not flush the device).

R2, R4 and R5 are corrections to ALICE's model: with them, none of 5,187 distinct trees from 11,136
crash images of ext4, xfs and btrfs (kernel 6.18) lay outside. `states` enumerates what these rules
allow, `membership` says whether a given tree is among it.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from holdfast.vfs import operations as ops
from holdfast.vfs.contents import Contents
from holdfast.vfs.effects import attributes_of, with_attributes
from holdfast.vfs.micro import (
    PAGE_BYTES,
    Attribute,
    Block,
    Entry,
    Group,
    Item,
    Loss,
    Micro,
    Model,
    Move,
    Shrink,
    Size,
    Swap,
    ZeroTail,
    places_of,
)
from holdfast.vfs.names import Names
from holdfast.vfs.ordering import chains_of
from holdfast.vfs.splitting import attributes_set, truncated, written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from holdfast.vfs.contents import Known
    from holdfast.vfs.micro import Part
    from holdfast.vfs.operations import Node, Operation, Tree
    from holdfast.vfs.ordering import Chain

__all__ = [
    "PAGE_BYTES",
    "Attribute",
    "Block",
    "Disk",
    "Entry",
    "Loss",
    "Micro",
    "Model",
    "Move",
    "Shrink",
    "Size",
    "Swap",
    "ZeroTail",
    "micro_operations",
]


class Disk:
    """A durable tree, the tree as it is now, and what no sync has covered yet.

    `durable` holds data and attributes, `names` the names. `touched` are the groups to which the
    last operation added `added` items; `changed` are the inodes that look different since whoever
    looked last cleared it.
    """

    def __init__(
        self,
        tree: Tree,
        *,
        model: Model = "posix",
        block_bytes: int = PAGE_BYTES,
        atomic_across: bool = False,
        known: Known | None = None,
    ) -> None:
        self.durable: dict[int, Node] = dict(tree)
        self.changed: dict[int, None] = {}
        self.touched: dict[Group, None] = {}
        self.added = 0
        self._loose = 0
        self._known = known
        self._stale: set[int] = set()
        self._nodes: dict[int, Node] = dict(tree)
        self._contents: dict[int, Contents] = {}
        self._pending: dict[tuple[Part, int], Group] = {}
        self._model, self._block_bytes, self._atomic_across = model, block_bytes, atomic_across
        self._order, numbers = count(), count()
        self._numbers = numbers
        self.names = Names(tree, numbers)
        self._made: dict[int, Item] = {}
        self._steps: dict[type, Callable[[Any, int], None]] = {
            ops.Create: self._create,
            ops.Write: self._write,
            ops.Truncate: self._truncate,
            ops.SetAttributes: self._set_attributes,
            ops.Link: self._link,
            ops.Unlink: self._unlink,
            ops.Rename: self._rename,
            ops.Exchange: self._exchange,
            ops.MakeFolder: self._make_folder,
            ops.RemoveFolder: self._unlink,
            ops.SyncFile: self._sync_file,
            ops.SyncFolder: self._sync_folder,
            ops.SyncAll: self._sync_all,
            ops.SyncFailed: self._sync_failed,
            ops.Mark: self._mark,
        }

    def apply(self, operation: Operation, at: int) -> None:
        """Carry out one operation, the `at`th."""
        self.touched = {}
        self.added = 0
        self._steps[type(operation)](operation, at)

    # What there is.

    @property
    def loose(self) -> int:
        """How many micro-operations a crash may take."""
        return self._loose + self.names.loose

    def groups(self) -> Iterator[Group]:
        """Everything that is not durable, but for what can never have a name again."""
        yield from self.names.groups
        for group in self._pending.values():
            if self.names.mentions.get(group.inode, 0) or group.inode == ops.ROOT:
                yield group

    def group(self, part: Part, inode: int) -> Group | None:
        """What is not durable of the data or the attributes of an inode."""
        return self._pending.get((part, inode))

    def chains(self, group: Group) -> list[Chain]:
        """Return which items of a group survive only with those before them (R12)."""
        if self._model != "linux" or group.part != "data":
            return []
        return chains_of(group.items, self._block_bytes)

    def contents(self, inode: int) -> Contents:
        """Return the contents as they are now."""
        if inode not in self._contents:
            self._contents[inode] = Contents(self._nodes[inode].data, self._known)
        return self._contents[inode]

    def node(self, inode: int) -> Node:
        """Return an inode as it is now."""
        if inode in self._stale:
            node = self.durable[inode]
            if group := self._pending.get(("attributes", inode)):
                node = with_attributes(node, attributes_of(node, group.items, ()))
            if inode in self._contents:
                node = node._replace(data=self._contents[inode].freeze())
            if node.kind == "folder":
                node = node._replace(entries=tuple(sorted(self.names.now[inode].items())))
            self._nodes[inode] = node
            self._stale.discard(inode)
        return self._nodes[inode]

    # What operations do.

    def _add(self, part: Part, inode: int, micros: Iterable[Micro]) -> None:
        items = [Item(micro, next(self._order)) for micro in micros]
        if not items:
            return
        group = self._pending.get((part, inode))
        if group is None:
            group = self._pending[part, inode] = Group(part, inode, next(self._numbers))
        group.items += items
        group.version += 1
        self._loose += len(items)
        self._note(group, len(items))
        self._change(inode)

    def _change(self, inode: int) -> None:
        self.changed[inode] = None
        self._stale.add(inode)

    def _note(self, group: Group, items: int) -> None:
        self.touched[group] = None
        self.added += items

    def _create(self, operation: ops.Create, _at: int) -> None:
        inode, node = operation
        self.durable[inode] = self._nodes[inode] = node
        self._contents.pop(inode, None)
        self.changed[inode] = None
        self._stale.discard(inode)
        if node.kind == "folder":
            self.names.make_folder(inode, node.entries)

    def _write(self, operation: ops.Write, at: int) -> None:
        contents = self.contents(operation.inode)
        micros = written(operation, at, size=len(contents), block_bytes=self._block_bytes)
        self._add("data", operation.inode, micros)
        contents.write(operation.offset, operation.data)

    def _truncate(self, operation: ops.Truncate, at: int) -> None:
        contents = self.contents(operation.inode)
        if operation.size != len(contents):
            self._add("data", operation.inode, truncated(operation, at, size=len(contents)))
            contents.resize(operation.size)

    def _set_attributes(self, operation: ops.SetAttributes, at: int) -> None:
        self._add("attributes", operation.inode, attributes_set(operation, at))

    def _name(self, micro: Entry | Move | Swap) -> Item:
        item = Item(micro, next(self._order))
        self.names.show(micro)
        group = self.names.add(item)
        self._note(group, 1)
        for folder, _ in places_of(micro):
            self._change(folder)
        return item

    def _link(self, operation: ops.Link, at: int) -> None:
        self._name(Entry(at, operation.folder, operation.name, operation.inode))

    def _unlink(self, operation: ops.Unlink | ops.RemoveFolder, at: int) -> None:
        self._name(Entry(at, operation.folder, operation.name, None))

    def _make_folder(self, operation: ops.MakeFolder, at: int) -> None:
        folder, name, inode, node = operation
        self._create(ops.Create(inode, node), at)
        self._made[inode] = self._name(Entry(at, folder, name, inode))

    def _rename(self, operation: ops.Rename, at: int) -> None:
        folder, name, to_folder, to_name = operation
        inode = self._standing(folder, name)
        if self.names.find(to_folder, to_name) == inode:
            return  # two names of one file: nothing happens (rename(2))
        if folder == to_folder or self._atomic_across:
            self._name(Move(at, folder, name, to_folder, to_name, inode))
        else:
            self._name(Entry(at, to_folder, to_name, inode))
            self._name(Entry(at, folder, name, None))

    def _exchange(self, operation: ops.Exchange, at: int) -> None:
        folder, name, to_folder, to_name = operation
        inode, other = self._standing(folder, name), self._standing(to_folder, to_name)
        if folder == to_folder or self._atomic_across:
            self._name(Swap(at, folder, name, to_folder, to_name, inode, other))
        else:
            self._name(Entry(at, to_folder, to_name, inode))
            self._name(Entry(at, folder, name, other))

    def _standing(self, folder: int, name: str) -> int:
        inode = self.names.find(folder, name)
        if inode is None:
            raise ValueError(f"no name {name!r} in folder {folder}: the operations do not fit")
        return inode

    def _sync(self, part: Part, inode: int, *, overwrites: bool = True) -> None:
        group = self._pending.get((part, inode))
        if group is None:
            return
        stays = [
            item.lost or (not overwrites and item.loose and _is_overwrite(item.micro))
            for item in group.items
        ]
        self._loose -= sum(
            item.loose and not stay for item, stay in zip(group.items, stays, strict=True)
        )
        if any(stays):
            group.version += 1
            for item, stay in zip(group.items, stays, strict=True):
                item.loose = stay
            return
        del self._pending[part, inode]
        node = self.durable[inode]
        if part == "data":
            self.durable[inode] = node._replace(data=self._contents[inode].freeze())
        else:
            self.durable[inode] = with_attributes(node, attributes_of(node, group.items, ()))

    def _sync_file(self, operation: ops.SyncFile, _at: int) -> None:
        inode, data_only = operation
        self._sync("data", inode)
        if data_only:
            return
        self._sync("attributes", inode)
        if self.durable[inode].kind == "folder":
            self.names.sync_folder(inode)
        elif self._model == "linux":
            self.names.sync_names_of(inode, self._made)

    def _sync_folder(self, operation: ops.SyncFolder, at: int) -> None:
        self._sync_file(ops.SyncFile(operation.folder), at)

    def _sync_all(self, _operation: ops.SyncAll, _at: int) -> None:
        for part, inode in list(self._pending):
            self._sync(part, inode, overwrites=self._model == "prefix")
        self.names.sync_all()

    def _sync_failed(self, operation: ops.SyncFailed, _at: int) -> None:
        for group in (
            self.group("data", operation.inode),
            self.group("attributes", operation.inode),
        ):
            if group is not None:
                group.version += 1
                for item in group.items:
                    item.lost = item.lost or item.loose
        self.names.fail(operation.inode)

    def _mark(self, _operation: ops.Mark, _at: int) -> None:
        """Nothing happens on the disk."""


def _is_overwrite(micro: Micro) -> bool:
    """Whether bytes that lay within the file are among those of a block."""
    return isinstance(micro, Block) and micro.fresh > micro.offset


def micro_operations(
    tree: Tree,
    operations: Iterable[Operation],
    *,
    model: Model = "posix",
    block_bytes: int = PAGE_BYTES,
) -> Iterator[Micro]:
    """List, in order, the micro-operations that no sync of the list covers."""
    disk = Disk(tree, model=model, block_bytes=block_bytes)
    for at, operation in enumerate(operations):
        disk.apply(operation, at)
    items = (item for group in disk.groups() for item in group.items if item.loose)
    for item in sorted(items, key=lambda item: item.order):
        yield item.micro
