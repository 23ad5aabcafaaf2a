"""The states of one moment: what may be left of names and files, and the trees that this makes.

Used by `states`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from holdfast.vfs.effects import with_attributes
from holdfast.vfs.picks import Picker
from holdfast.vfs.variants import attributes_left, data_left, names_left

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from holdfast.vfs.contents import Key
    from holdfast.vfs.looks import Look, Looks
    from holdfast.vfs.micro import Group, Micro
    from holdfast.vfs.moments import Moment
    from holdfast.vfs.operations import Node, Tree
    from holdfast.vfs.picks import Library, Pick

__all__ = ["Found", "View"]

_SAMPLE_ATTEMPTS = 100  # random names may form a loop of folders


class Found(NamedTuple):
    """A state that need not be made yet: what it looks like, and what it is made of."""

    total: int
    look: Look
    others: dict[int, tuple[Node, Key]]
    dropped: tuple[Micro, ...]

    def tree(self) -> Tree:
        """Make the tree."""
        return {**self.look.nodes, **{inode: node for inode, (node, _) in self.others.items()}}


class View:
    """One moment, with what varies in it."""

    def __init__(self, library: Library, looks: Looks, moment: Moment) -> None:
        self.moment = moment
        self._looks = looks
        self._library = library
        self._picker = Picker(library, moment.disk)
        self._folders: list[Group] = []
        self._files: list[Group] = []

    @property
    def is_new(self) -> bool:
        """Whether it has states that were not possible a moment ago."""
        return self.moment.anew or bool(self.moment.disk.touched)

    @property
    def size_bytes(self) -> int:
        """About how much memory its tree takes."""
        return sum(200 + len(node.data) for node in self._looks.now().nodes.values())

    def inside(self, dropped: tuple[Micro, ...]) -> int | None:
        """Return the last operation, if what is lost is a part of it and nothing else."""
        if not dropped:
            return self.moment.inside
        last = self.moment.at - 1
        torn = len(dropped) < self.moment.disk.added and all(micro.at == last for micro in dropped)
        return last if torn else None

    def dropping(self, cost: int) -> Iterator[Found | None]:
        """Yield the new states that lost exactly so many micro-operations; None between trees."""
        if cost == 0:
            yield self._found(self._looks.now(), (), ())
            return
        groups = list(self.moment.disk.groups())
        self._folders = [group for group in groups if group.part == "entries"]
        self._files = [group for group in groups if group.part != "entries"]
        names_are_new = any(group.part == "entries" for group in self.moment.disk.touched)
        for folder_cost in range(cost + 1):
            for names in self._picks(self._folders, folder_cost, new=names_are_new):
                yield None  # so that whoever counts need not wait for a state
                if (look := self._look(names)) is None:
                    continue
                files = [group for group in self._files if group.inode in look.nodes]
                for contents in self._picks(files, cost - folder_cost, new=not names_are_new):
                    yield self._found(look, names, contents)

    def _picks(self, groups: list[Group], cost: int, *, new: bool) -> Iterator[Pick]:
        if new and not self.moment.anew:
            return self._picker.new_picks(groups, cost, at=self.moment.at - 1)
        return self._picker.picks(groups, cost)

    def sample(self, chance: float, random: Random) -> Found:
        """Return a state where each group suffers with this chance; 1.0: nothing loose is left."""
        groups = list(self.moment.disk.groups())
        folders = [group for group in groups if group.part == "entries"]
        for _ in range(_SAMPLE_ATTEMPTS):
            names = self._picker.sample(folders, chance, random)
            if (look := self._look(names)) is not None:
                files = [g for g in groups if g.part != "entries" and g.inode in look.nodes]
                return self._found(look, names, self._picker.sample(files, chance, random))
        return self._found(self._looks.now(), (), ())

    def _look(self, names: Pick) -> Look | None:
        """The tree with these names; None if folders form a loop."""
        if not names:
            return self._looks.now()
        disk = self.moment.disk
        changes: dict[int, dict[str, int | None]] = {}
        for variant in names:
            for (folder, name), inode in names_left(disk, variant).items():
                changes.setdefault(folder, {})[name] = inode
        nodes: dict[int, Node] = {}
        for folder, some in changes.items():
            node = disk.node(folder)
            entries = {**dict(node.entries), **some}
            left = tuple((name, inode) for name, inode in sorted(entries.items()) if inode)
            nodes[folder] = node._replace(entries=left)
        return self._looks.with_names(nodes)

    def _found(self, look: Look, names: Pick, contents: Pick) -> Found:
        disk, garbage = self.moment.disk, self._library.garbage
        others: dict[int, tuple[Node, Key]] = {}
        for variant in contents:
            group, inode = variant.group, variant.group.inode
            now = disk.contents(inode)
            node, key = others.get(inode) or (look.nodes[inode], now.key())
            if group.part == "data":
                data = data_left(disk, variant, garbage=garbage)
                key = now.key_without((group.items[n] for n in variant.dropped), data)
                others[inode] = node._replace(data=data), key
            else:
                others[inode] = with_attributes(node, attributes_left(disk, variant)), key
        dropped = tuple(v.group.items[n].micro for v in (*names, *contents) for n in v.dropped)
        total = self._looks.with_nodes(look, others) if others else look.total
        return Found(total, look, others, dropped)
