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
R5  A rename within a folder is atomic; one across folders is two independent halves: both names
    may exist, or neither (measured: btrfs shows both, even after the destination folder was
    synced).
R6  A new name, a removed name and each attribute survive or not on their own.
R7  A sync of a file covers its data, size and attributes, and not its name.
R8  A sync of a folder covers its own entries and attributes, and nothing of the files that they
    name.
R9  A failed sync covers nothing, and what was dirty then is covered by no later sync of it either:
    the kernel took it for clean (measured: the second fsync succeeds on ext4, xfs and btrfs).
R10 `prefix`, the model of SIGKILL: all that was done survives in order; a write may stop at a page
    boundary.

R2, R4 and R5 are corrections to ALICE's model: with them, none of 5,187 distinct trees from 11,136
crash images of ext4, xfs and btrfs (kernel 6.18) lay outside. Real systems promise more (all three
keep the name of a new file that was synced); nothing here relies on it. `states` enumerates what
these rules allow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from holdfast.vfs import operations as ops

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from holdfast.vfs.operations import Node, Operation, Tree

__all__ = [
    "PAGE_BYTES",
    "RENDER",
    "Attribute",
    "Block",
    "Disk",
    "Entry",
    "Item",
    "Loss",
    "Micro",
    "Model",
    "Move",
    "Part",
    "Pending",
    "Shrink",
    "Size",
    "ZeroTail",
    "attributes_of",
    "changed",
    "contents_of",
    "entries_of",
    "micro_operations",
]

Model = Literal["posix", "prefix"]
"""`posix`: the weak model. `prefix`: a killed process on a living system."""

PAGE_BYTES = 4096
_GARBAGE = b"\xdb\x5a\x0f"  # no text, no zeros


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
    """One attribute: `mode`, `owner`, or the name of an extended one."""

    at: int
    inode: int
    name: str
    value: int | tuple[int, int] | bytes


class Entry(NamedTuple):
    """A name now stands for `inode`, or (None) for nothing."""

    at: int
    folder: int
    name: str
    inode: int | None


class Move(NamedTuple):
    """A name moved within one folder."""

    at: int
    folder: int
    name: str
    to_name: str
    inode: int


Micro: TypeAlias = Block | Size | Shrink | ZeroTail | Attribute | Entry | Move
"""`at` is the index of the operation that it is a part of."""


class Item(NamedTuple):
    """A micro-operation that is not on the durable base; `loose` if a crash may take it away.

    `lost`: it was dirty when a sync failed, and no later sync will cover it (R9).
    """

    micro: Micro
    loose: bool = True
    lost: bool = False


class Loss(NamedTuple):
    """Which items did not survive, by number, and whether lost new blocks show garbage."""

    dropped: Collection[int] = ()
    garbage: bool = False


Pending: TypeAlias = tuple[Item, ...]
Part = Literal["data", "attributes", "entries"]
_PARTS: tuple[Part, ...] = ("data", "attributes", "entries")


class Disk:
    """A durable tree, and for each inode what no sync has covered yet."""

    def __init__(self, tree: Tree, *, block_bytes: int = PAGE_BYTES) -> None:
        self.durable: dict[int, Node] = dict(tree)
        self.pending: dict[tuple[Part, int], Pending] = {}
        self._block_bytes = block_bytes
        self._sizes = {inode: len(node.data) for inode, node in tree.items()}
        self._names = {inode: dict(node.entries) for inode, node in tree.items()}
        self._steps: dict[type, Callable[[Any, int], None]] = {
            ops.Create: self._create,
            ops.Write: self._write,
            ops.Truncate: self._truncate,
            ops.SetAttributes: self._set_attributes,
            ops.Link: self._link,
            ops.Unlink: self._unlink,
            ops.Rename: self._rename,
            ops.MakeFolder: self._make_folder,
            ops.RemoveFolder: self._unlink,
            ops.SyncFile: self._sync,
            ops.SyncFolder: self._sync,
            ops.SyncFailed: self._sync_failed,
            ops.Mark: self._mark,
        }

    def apply(self, operation: Operation, at: int) -> None:
        """Carry out one operation, the `at`th."""
        self._steps[type(operation)](operation, at)

    def _add(self, part: Part, inode: int, micros: Iterable[Micro]) -> None:
        key = (part, inode)
        self.pending[key] = self.pending.get(key, ()) + tuple(Item(micro) for micro in micros)

    def _create(self, operation: ops.Create, _at: int) -> None:
        self.durable[operation.inode] = operation.node
        self._sizes[operation.inode] = len(operation.node.data)
        self._names[operation.inode] = dict(operation.node.entries)

    def _write(self, operation: ops.Write, at: int) -> None:
        inode, offset, data = operation
        size, stop = self._sizes[inode], offset + len(data)
        micros: list[Micro] = []
        start = offset
        while start < stop:
            end = min(stop, (start // self._block_bytes + 1) * self._block_bytes)
            piece = data[start - offset : end - offset]
            micros.append(Block(at, inode, start, piece, max(start, size)))
            start = end
        self._add("data", inode, micros)
        self._grow(inode, stop, at)

    def _grow(self, inode: int, size: int, at: int) -> None:
        old = self._sizes[inode]
        if size <= old:
            return
        steps = [*range((old // PAGE_BYTES + 1) * PAGE_BYTES, size, PAGE_BYTES), size]
        self._add("data", inode, (Size(at, inode, step) for step in steps))
        self._sizes[inode] = size

    def _truncate(self, operation: ops.Truncate, at: int) -> None:
        inode, size = operation
        old = self._sizes[inode]
        if size < old:
            stop = min(old, -(-size // PAGE_BYTES) * PAGE_BYTES)
            tail = [ZeroTail(at, inode, size, stop)] if size < stop else []
            self._add("data", inode, (*tail, Shrink(at, inode, size)))
            self._sizes[inode] = size
        else:
            self._grow(inode, size, at)

    def _set_attributes(self, operation: ops.SetAttributes, at: int) -> None:
        inode, mode, owner, xattrs = operation
        micros: list[Micro] = [Attribute(at, inode, name, value) for name, value in xattrs]
        if owner is not None:
            micros.insert(0, Attribute(at, inode, "owner", owner))
        if mode is not None:
            micros.append(Attribute(at, inode, "mode", mode))
        self._add("attributes", inode, micros)

    def _entry(self, at: int, place: tuple[int, str], inode: int | None) -> None:
        folder, name = place
        self._add("entries", folder, (Entry(at, folder, name, inode),))
        if inode is None:
            self._names[folder].pop(name, None)
        else:
            self._names[folder][name] = inode

    def _link(self, operation: ops.Link, at: int) -> None:
        self._entry(at, (operation.folder, operation.name), operation.inode)

    def _unlink(self, operation: ops.Unlink | ops.RemoveFolder, at: int) -> None:
        self._entry(at, (operation.folder, operation.name), None)

    def _make_folder(self, operation: ops.MakeFolder, at: int) -> None:
        self._create(ops.Create(operation.inode, operation.node), at)
        self._entry(at, (operation.folder, operation.name), operation.inode)

    def _rename(self, operation: ops.Rename, at: int) -> None:
        folder, name, to_folder, to_name = operation
        inode = self._names[folder][name]
        if folder != to_folder:
            self._entry(at, (to_folder, to_name), inode)
            self._entry(at, (folder, name), None)
        elif name != to_name:
            self._add("entries", folder, (Move(at, folder, name, to_name, inode),))
            self._names[folder][to_name] = self._names[folder].pop(name)

    def _sync(self, operation: ops.SyncFile | ops.SyncFolder, _at: int) -> None:
        inode = operation[0]
        for part in _PARTS:
            items = self.pending.pop((part, inode), ())
            if any(item.lost for item in items):
                kept = tuple(item if item.lost else Item(item.micro, loose=False) for item in items)
                self.pending[part, inode] = kept
            elif items:
                node = self.durable[inode]
                self.durable[inode] = changed(node, part, RENDER[part](node, items, Loss()))

    def _sync_failed(self, operation: ops.SyncFailed, _at: int) -> None:
        for part in _PARTS:
            if items := self.pending.get((part, operation.inode)):
                lost = tuple(item._replace(lost=item.loose) for item in items)
                self.pending[part, operation.inode] = lost

    def _mark(self, operation: ops.Mark, _at: int) -> None:
        """Nothing happens on the disk."""


def contents_of(node: Node, items: Pending, loss: Loss) -> bytes:
    """Return what a file holds after a loss."""
    data, size = bytearray(node.data), len(node.data)
    for number, (micro, _, _) in enumerate(items):
        survives = number not in loss.dropped
        if isinstance(micro, Block):
            if survives:
                _put(data, micro.offset, micro.data)
            elif loss.garbage and (lost := micro.offset + len(micro.data) - micro.fresh) > 0:
                _put(data, micro.fresh, (_GARBAGE * (lost // 3 + 1))[:lost])
        elif survives and isinstance(micro, Size):
            size = micro.size
        elif survives and isinstance(micro, ZeroTail):
            _put(data, micro.start, bytes(micro.stop - micro.start))
        elif survives and isinstance(micro, Shrink):
            size = micro.size
            del data[size:]
    return bytes(data[:size]).ljust(size, b"\0")


def _put(data: bytearray, offset: int, piece: bytes) -> None:
    if len(data) < offset:
        data.extend(bytes(offset - len(data)))
    data[offset : offset + len(piece)] = piece


def attributes_of(
    node: Node, items: Pending, loss: Loss
) -> tuple[int, int, int, tuple[tuple[str, bytes], ...]]:
    """Return mode, uid, gid and extended attributes after a loss."""
    mode, uid, gid, xattrs = node.mode, node.uid, node.gid, dict(node.xattrs)
    for number, (micro, _, _) in enumerate(items):
        if number in loss.dropped or not isinstance(micro, Attribute):
            continue
        if isinstance(micro.value, int):
            mode = micro.value
        elif isinstance(micro.value, bytes):
            xattrs[micro.name] = micro.value
        else:
            uid, gid = micro.value
    return mode, uid, gid, tuple(sorted(xattrs.items()))


def entries_of(node: Node, items: Pending, loss: Loss) -> tuple[tuple[str, int], ...]:
    """Return the names of a folder after a loss."""
    names = dict(node.entries)
    for number, (micro, _, _) in enumerate(items):
        if number in loss.dropped:
            continue
        if isinstance(micro, Move):
            names.pop(micro.name, None)
            names[micro.to_name] = micro.inode
        elif isinstance(micro, Entry) and micro.inode is None:
            names.pop(micro.name, None)
        elif isinstance(micro, Entry) and micro.inode is not None:
            names[micro.name] = micro.inode
    return tuple(sorted(names.items()))


def changed(node: Node, part: Part, value: Any) -> Node:
    """Return the node with one part replaced by what its `…_of` function returned."""
    if part == "data":
        return node._replace(data=value)
    if part == "entries":
        return node._replace(entries=value)
    mode, uid, gid, xattrs = value
    return node._replace(mode=mode, uid=uid, gid=gid, xattrs=xattrs)


def micro_operations(
    tree: Tree, operations: Iterable[Operation], *, block_bytes: int = PAGE_BYTES
) -> Iterator[Micro]:
    """List the micro-operations that no sync of the list covers, by inode."""
    disk = Disk(tree, block_bytes=block_bytes)
    for at, operation in enumerate(operations):
        disk.apply(operation, at)
    for items in disk.pending.values():
        yield from (item.micro for item in items if item.loose)


RENDER: dict[Part, Callable[[Node, Pending, Loss], Any]] = {
    "data": contents_of,
    "attributes": attributes_of,
    "entries": entries_of,
}
