"""Whether a tree is among the states that `model` allows after a crash, without listing them.

Names are matched group by group, contents and attributes inode by inode. For each of these one pass
from the last micro-operation to the first is enough: to let one survive that fits what was seen
decides more of what was seen, and never forbids anything. Of the writes to one block that are bound
together (R12), as many survive as fit, for the same reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from holdfast.vfs.effects import garbage_of
from holdfast.vfs.micro import PAGE_BYTES, Attribute, Block, Shrink, Size, ZeroTail, changes_of
from holdfast.vfs.moments import Settings, moments
from holdfast.vfs.operations import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.vfs.micro import Group, Item, Model, Place
    from holdfast.vfs.model import Disk
    from holdfast.vfs.operations import Node, Operation, Tree
    from holdfast.vfs.ordering import Chain

    _Name: TypeAlias = tuple[Place, int | None]

__all__ = ["attributes_fit", "contents_fit", "could_be"]


def could_be(
    tree: Tree,
    operations: Sequence[Operation],
    seen: Tree,
    *,
    at: int | None = None,
    model: Model = "posix",
    block_bytes: int = PAGE_BYTES,
    garbage: bool = False,
    atomic_across: bool = False,
    attributes: bool = True,
) -> bool:
    """Return whether a crash may leave the tree that was seen.

    Args:
        tree: what was durable before the first operation.
        operations: what was done then.
        seen: what was found; its inode numbers are its own, and two names of one number are links.
        at: the crash was when this many operations had been begun; None: at any point.
        model: as for `states.crash_states`, as all that follow.
        block_bytes: what survives as one piece.
        garbage: lost new blocks show old disk contents instead of zeros, or (this lets a little
            too much pass) parts of them do.
        atomic_across: a rename from folder to folder is atomic.
        attributes: compare mode, owner and extended attributes too.
    """
    settings = Settings(at, model, block_bytes, garbage, atomic_across)
    settings.check()
    return any(
        _Match(moment.disk, seen, garbage=garbage, attributes=attributes).exists()
        for moment in moments(tree, operations, settings)
    )


class _Match:
    """A search for which inode is which."""

    def __init__(self, disk: Disk, seen: Tree, *, garbage: bool, attributes: bool) -> None:
        self._disk = disk
        self._seen = seen
        self._garbage = garbage
        self._attributes = attributes
        self._of_seen: dict[int, int] = {}
        self._taken: dict[int, int] = {}
        self._stands: dict[Place, int | None] = {}
        self._fits: dict[tuple[int, int], bool] = {}
        self._group_at = {place: group for group in disk.names.groups for place in group.places()}

    def exists(self) -> bool:
        """Whether everything that was seen can be explained."""
        return self._fit(ROOT, ROOT) and self._solve(self._pair(ROOT, ROOT))

    def _solve(self, todo: list[_Name]) -> bool:
        """Find what the names stand for, guessing only where several inodes look alike."""
        while todo:
            place, seen = todo.pop()
            options = [inode for inode in self._options(place) if self._may_be(inode, seen)]
            if len(options) != 1:
                return any(self._solve_with(list(todo), (place, seen), inode) for inode in options)
            todo += self._assign((place, seen), options[0])
        return all(self._holds(group) for group in self._disk.names.groups)

    def _solve_with(self, todo: list[_Name], name: _Name, inode: int | None) -> bool:
        before = (dict(self._of_seen), dict(self._taken), dict(self._stands))
        if self._solve(todo + self._assign(name, inode)):
            return True
        self._of_seen, self._taken, self._stands = before
        return False

    def _options(self, place: Place) -> list[int | None]:
        """What a name may stand for, by itself."""
        values = [self._disk.names.durable[place[0]].get(place[1])]
        if group := self._group_at.get(place):
            changes = [change for item in group.items for change in changes_of(item.micro)]
            values += [inode for changed, inode in changes if changed == place]
        return list(dict.fromkeys(values))

    def _may_be(self, inode: int | None, seen: int | None) -> bool:
        if inode is None or seen is None:
            return inode is seen
        if seen in self._of_seen or inode in self._taken:
            return self._of_seen.get(seen) == inode and self._taken.get(inode) == seen
        return self._fit(inode, seen)

    def _assign(self, name: _Name, inode: int | None) -> list[_Name]:
        """Say what a name stands for, and return the names that come into sight with it."""
        place, seen = name
        self._stands[place] = inode
        if inode is None or seen is None or seen in self._of_seen:
            return []
        return self._pair(inode, seen)

    def _pair(self, inode: int, seen: int) -> list[_Name]:
        self._of_seen[seen], self._taken[inode] = inode, seen
        if self._seen[seen].kind != "folder":
            return []
        found = dict(self._seen[seen].entries)
        pending = {name for folder, name in self._group_at if folder == inode}
        known = pending.union(found, self._disk.names.durable[inode])
        return [((inode, name), found.get(name)) for name in sorted(known)]

    def _holds(self, group: Group) -> bool:
        """Whether some of the changes of a group make the names as they stand."""
        undecided = {p: self._stands[p] for p in group.places() if p in self._stands}
        for item in reversed(group.items):
            changes = [change for change in changes_of(item.micro) if change[0] in undecided]
            if all(undecided[place] == inode for place, inode in changes):
                for place, _ in changes:
                    del undecided[place]
            elif not item.loose:
                return False
        durable = self._disk.names.durable
        return all(durable[f].get(name) == inode for (f, name), inode in undecided.items())

    def _fit(self, inode: int, seen: int) -> bool:
        """Whether kind, contents and attributes can be those that were seen."""
        if (inode, seen) not in self._fits:
            node, found = self._disk.durable[inode], self._seen[seen]
            data, attributes = (self._disk.group(part, inode) for part in ("data", "attributes"))
            self._fits[inode, seen] = (
                node.kind == found.kind
                and self._data_fit(node, data, found)
                and (not self._attributes or attributes_fit(node, attributes, found))
            )
        return self._fits[inode, seen]

    def _data_fit(self, node: Node, group: Group | None, found: Node) -> bool:
        if group is None:
            return node.data == found.data
        chains = self._disk.chains(group)
        return contents_fit(
            node.data, group.items, found.data, garbage=self._garbage, chains=chains
        )


def attributes_fit(node: Node, group: Group | None, seen: Node) -> bool:
    """Return whether some of the changes make the attributes that were seen."""
    wanted, durable = _named(seen), _named(node)
    decided: set[str] = set()
    for item in reversed(group.items if group else ()):
        micro = item.micro
        if not isinstance(micro, Attribute) or micro.name in decided:
            continue
        if wanted.get(micro.name) == micro.value:
            decided.add(micro.name)
        elif not item.loose:
            return False
    return all(
        wanted.get(name) == durable.get(name) for name in {*wanted, *durable} if name not in decided
    )


def _named(node: Node) -> dict[str, object]:
    return {"mode": node.mode, "owner": (node.uid, node.gid), **dict(node.xattrs)}


def contents_fit(
    data: bytes,
    items: Sequence[Item],
    seen: bytes,
    *,
    garbage: bool,
    chains: Sequence[Chain] = (),
) -> bool:
    """Return whether some of the changes, without gaps in chains, make what was seen of `data`."""
    for last in range(len(items) - 1, -1, -1):
        item = items[last]
        if not isinstance(item.micro, Size | Shrink):
            continue
        bytes_seen = _Bytes(seen, garbage=garbage, chains=chains)
        if item.micro.size == len(seen) and bytes_seen.fit(data, items, last):
            return True
        if not item.loose:
            return False
    bytes_seen = _Bytes(seen, garbage=garbage, chains=chains)
    return len(data) == len(seen) and bytes_seen.fit(data, items, -1)


class _Bytes:
    """Contents that were seen, and which of them are explained."""

    def __init__(self, seen: bytes, *, garbage: bool, chains: Sequence[Chain]) -> None:
        self._seen = seen
        self._garbage = garbage
        self._explained = bytearray(len(seen))
        self._ending = {chain[-1]: chain for chain in chains}
        self._bound = {number for chain in chains for number in chain}

    def fit(self, data: bytes, items: Sequence[Item], last: int) -> bool:
        """Whether they can be explained if item `last` is the last one that sets the size."""
        for number in range(len(items) - 1, -1, -1):
            item = items[number]
            if number in self._bound:
                self._keep_first([items[one] for one in self._ending.get(number, ())])
            elif isinstance(item.micro, Size) or (isinstance(item.micro, Shrink) and number > last):
                continue
            elif not self._explain(*self._piece(item)):
                if not item.loose or number == last:
                    return False
                self._lose(item)
        return self._explain(0, data.ljust(len(self._seen), b"\0"))

    def _keep_first(self, chain: list[Item]) -> None:
        """Let the first so many survive, as many as fit; nothing else of their block is between."""
        pieces = [self._piece(item) for item in chain]
        start = min((start for start, _ in pieces), default=0)
        stop = max((start + len(piece) for start, piece in pieces), default=0)
        while chain:
            before = self._explained[start:stop]
            if all(self._explain(*piece) for piece in reversed(pieces[: len(chain)])):
                return
            self._explained[start:stop] = before
            self._lose(chain.pop())

    def _lose(self, item: Item) -> None:
        if self._garbage and isinstance(item.micro, Block):
            self._explain_some(item.micro.fresh, garbage_of(item.micro))

    def _piece(self, item: Item) -> tuple[int, bytes]:
        micro = item.micro
        if isinstance(micro, Block):
            return micro.offset, micro.data
        if isinstance(micro, ZeroTail):
            return micro.start, bytes(micro.stop - micro.start)
        start = micro.size if isinstance(micro, Shrink) else 0
        return start, bytes(max(len(self._seen) - start, 0))

    def _explain(self, start: int, piece: bytes) -> bool:
        """Explain what is not explained by this piece; False, and nothing done, if it differs."""
        stop = min(start + len(piece), len(self._seen))
        if start >= stop:
            return True
        seen, made, known = (
            self._seen[start:stop],
            piece[: stop - start],
            self._explained[start:stop],
        )
        if seen != made and not all(
            done or byte == other for done, byte, other in zip(known, seen, made, strict=True)
        ):
            return False
        self._explained[start:stop] = b"\1" * (stop - start)
        return True

    def _explain_some(self, start: int, piece: bytes) -> None:
        """Explain those bytes that are as in the piece."""
        for place in range(start, min(start + len(piece), len(self._seen))):
            if self._seen[place] == piece[place - start]:
                self._explained[place] = 1
