"""What a tree looks like, in one number: equal for trees that look the same, whatever their inodes.

The number is a sum over the inodes, so that a changed file costs its own share alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from holdfast.vfs.contents import digest
from holdfast.vfs.operations import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.vfs.contents import Key
    from holdfast.vfs.model import Disk
    from holdfast.vfs.operations import Node

__all__ = ["Look", "Looks"]

_MASK = (1 << 128) - 1
_SHARES_KEPT_MAX = 100_000


class Look(NamedTuple):
    """The inodes below the top, each with its place in the order of the names, and the number."""

    nodes: dict[int, Node]
    order: dict[int, int]
    total: int


class Looks:
    """Looks at one disk while it changes."""

    def __init__(self, disk: Disk, shares: dict[object, int]) -> None:
        """Look at a disk; `shares` are kept from one replay to the next."""
        self._disk = disk
        self._shares = shares
        self._keys: dict[int, int] = {}
        self._version = -1
        self._now = Look({}, {}, 0)

    def now(self) -> Look:
        """Look at everything as it is now."""
        disk = self._disk
        if self._version != disk.names.version:
            for inode in disk.changed:
                self._keys.pop(inode, None)
            self._now = self._walk({}) or Look({}, {}, 0)
            self._version = disk.names.version
        elif disk.changed:
            nodes, order, total = self._now
            for inode in disk.changed:
                before = self._keys.pop(inode, None)
                if inode in order and before is not None:
                    nodes[inode] = disk.node(inode)
                    total += (self.key(inode) - before) * _factor(order[inode])
            self._now = Look(nodes, order, total & _MASK)
        disk.changed.clear()
        return self._now

    def with_names(self, folders: Mapping[int, Node]) -> Look | None:
        """Look at the tree with other folders; None if a folder lies inside itself."""
        return self._walk(folders)

    def with_nodes(self, look: Look, others: Mapping[int, tuple[Node, Key]]) -> int:
        """Return the number of the tree with other contents or attributes of some inodes."""
        total = look.total
        for inode, (node, key) in others.items():
            share = self._share(node, key) - self.key(inode)
            total += share * _factor(look.order[inode])
        return total & _MASK

    def key(self, inode: int) -> int:
        """Return the share of an inode as it is now."""
        if inode not in self._keys:
            contents = self._disk.contents(inode)
            self._keys[inode] = self._share(self._disk.node(inode), contents.key())
        return self._keys[inode]

    def _share(self, node: Node, contents: Key) -> int:
        kind, mode, uid, gid, _, xattrs, _ = node
        seen = (kind, mode, uid, gid, xattrs, contents)
        share = self._shares.get(seen)
        if share is None:
            if len(self._shares) >= _SHARES_KEPT_MAX:
                self._shares.clear()
            share = self._shares[seen] = digest(repr(seen).encode("utf-8", "surrogatepass"))
        return share

    def _walk(self, folders: Mapping[int, Node]) -> Look | None:
        nodes: dict[int, Node] = {}
        order: dict[int, int] = {}
        shape: list[object] = []
        above: set[int] = set()

        def enter(inode: int) -> bool:
            order[inode] = len(order)
            node = nodes[inode] = folders.get(inode) or self._disk.node(inode)
            if node.kind != "folder":
                return True
            above.add(inode)
            shape.append("/")
            for name, entry in sorted(node.entries):
                if entry in above or (entry not in order and not enter(entry)):
                    return False
                shape.extend((name, order[entry]))
            shape.append(0)
            above.discard(inode)
            return True

        if not enter(ROOT):
            return None
        total = digest(repr(shape).encode("utf-8", "surrogatepass"))
        for inode, number in order.items():
            total += self.key(inode) * _factor(number)
        return Look(nodes, order, total & _MASK)


_FACTORS: list[int] = []


def _factor(number: int) -> int:
    """The weight of a place in the order: always the same odd number."""
    while len(_FACTORS) <= number:
        _FACTORS.append(digest(b"place", len(_FACTORS)) | 1)
    return _FACTORS[number]
