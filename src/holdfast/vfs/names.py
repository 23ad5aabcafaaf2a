"""Names: what they stand for, what is durable, and what of it a crash may take.

Changes that share a name are tied together in one group; all other changes vary on their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.vfs.effects import names_of
from holdfast.vfs.micro import Group, Item, changes_of, places_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from holdfast.vfs.micro import Micro, Place
    from holdfast.vfs.operations import Tree

__all__ = ["Names"]


class Names:
    """The names of all folders; `version` changes when any of them does."""

    def __init__(self, tree: Tree, numbers: Iterator[int]) -> None:
        """Start with the names of a durable tree; `numbers` are for new groups."""
        folders = {i: dict(node.entries) for i, node in tree.items() if node.kind == "folder"}
        self.durable = folders
        self.now = {inode: dict(names) for inode, names in folders.items()}
        self.groups: dict[Group, None] = {}
        self.version = 0
        self.loose = 0
        self.mentions: dict[int, int] = {}
        for names in folders.values():
            self._mention(names.values(), 1)
        self.homes: dict[int, dict[Place, None]] = {}
        for folder, names in self.now.items():
            for name, inode in names.items():
                self.homes.setdefault(inode, {})[folder, name] = None
        self._numbers = numbers
        self._at_place: dict[Place, Group] = {}
        self._of_folder: dict[int, dict[Group, None]] = {}
        self._of_inode: dict[int, dict[Group, None]] = {}

    def make_folder(self, inode: int, names: Iterable[tuple[str, int]] = ()) -> None:
        """Start a folder."""
        self.durable[inode] = dict(names)
        self.now[inode] = dict(names)
        self._mention(self.now[inode].values(), 1)

    def _mention(self, inodes: Iterable[int | None], times: int) -> None:
        for inode in inodes:
            if inode is not None:
                self.mentions[inode] = self.mentions.get(inode, 0) + times

    def find(self, folder: int, name: str) -> int | None:
        """Return what a name stands for at present."""
        return self.now[folder].get(name)

    def show(self, micro: Micro) -> None:
        """Change what the names stand for at present."""
        self.version += 1
        for place, inode in changes_of(micro):
            folder, name = place
            before = self.now[folder].pop(name, None)
            if before is not None:
                del self.homes[before][place]
            if inode is not None:
                self.now[folder][name] = inode
                self.homes.setdefault(inode, {})[place] = None

    def add(self, item: Item) -> Group:
        """Take in a change that is not durable, and return its group."""
        self.loose += 1
        places = places_of(item.micro)
        tied = {self._at_place[place]: None for place in places if place in self._at_place}
        if len(tied) == 1:
            (group,) = tied
            group.items.append(item)
            group.version += 1
        else:
            items = [*(old for group in tied for old in group.items), item]
            for group in tied:
                self._forget(group)
            group = self._make(sorted(items, key=lambda some: some.order))
        self._index(group, (item,))
        return group

    def _make(self, items: list[Item]) -> Group:
        group = Group("entries", 0, next(self._numbers))
        group.items = items
        self._index(group, items)
        return group

    def _index(self, group: Group, items: Iterable[Item]) -> None:
        self.groups[group] = None
        for item in items:
            for place, inode in changes_of(item.micro):
                self._at_place[place] = group
                self._of_folder.setdefault(place[0], {})[group] = None
                if inode is not None:
                    self._of_inode.setdefault(inode, {})[group] = None
                    self._mention((inode,), 1)

    def _forget(self, group: Group) -> None:
        del self.groups[group]
        for item in group.items:
            for place, inode in changes_of(item.micro):
                self._at_place.pop(place, None)
                self._of_folder[place[0]].pop(group, None)
                if inode is not None:
                    self._of_inode[inode].pop(group, None)
                    self._mention((inode,), -1)

    # Which items a sync covers.

    def sync_folder(self, folder: int) -> None:
        """Make the names in a folder durable, but for what a failed sync lost."""
        self._cover(self._of_folder.get(folder, {}), lambda micro: _is_in(micro, folder))

    def sync_all(self) -> None:
        """Make all names durable, but for what a failed sync lost."""
        self._cover(self.groups, lambda _micro: True)

    def sync_names_of(self, inode: int, made: dict[int, Item]) -> None:
        """Make the names that an inode got durable, and those of folders above that are new.

        Args:
            inode: what was synced.
            made: for each new folder, the item that gave it its first name.
        """
        todo, done = [inode], set[int]()
        while todo:
            here = todo.pop()
            done.add(here)
            groups = self._of_inode.get(here, {})
            folders = {folder for folder, _ in self.homes.get(here, {})}
            self._cover(groups, lambda micro: _gives(micro, here, folders))  # noqa: B023 called at once
            todo += [
                folder
                for folder in folders - done
                if folder in made and made[folder].loose and not made[folder].lost
            ]

    def fail(self, folder: int) -> None:
        """Lose, for every later sync, what is not durable of the names of a folder."""
        for group in self._of_folder.get(folder, {}):
            for item in group.items:
                if _is_in(item.micro, folder):
                    item.lost = item.lost or item.loose

    def _cover(self, groups: Iterable[Group], covers: Callable[[Micro], bool]) -> None:
        for group in list(groups):
            covered = [item for item in group.items if _may_cover(item) and covers(item.micro)]
            for item in covered:
                item.loose = False
            self.loose -= len(covered)
            if covered:
                self._settle(group)

    def _settle(self, group: Group) -> None:
        """Fold in what is durable, and untie what nothing ties any more."""
        self._forget(group)
        items = _alive(group.items)
        self.loose += sum(item.loose for item in items) - sum(item.loose for item in group.items)
        first = next((n for n, item in enumerate(items) if item.loose), len(items))
        for (folder, name), inode in names_of(self.durable, items[:first], ()).items():
            self._mention((self.durable[folder].pop(name, None),), -1)
            self._mention((inode,), 1)
            if inode is not None:
                self.durable[folder][name] = inode
        for tied in _tied(items[first:]):
            self._make(tied)


def _may_cover(item: Item) -> bool:
    return item.loose and not item.lost


def _is_in(micro: Micro, folder: int) -> bool:
    return any(place[0] == folder for place in places_of(micro))


def _gives(micro: Micro, inode: int, folders: set[int]) -> bool:
    """Whether it gave an inode a name, by creation, link or plain rename, in these folders."""
    changes = changes_of(micro)
    (folder, _), given = changes[-1]
    return given == inode and folder in folders and all(left is None for _, left in changes[:-1])


def _alive(items: list[Item]) -> list[Item]:
    """Without those of which nothing can be seen, since later ones that stay say otherwise."""
    alive: list[Item] = []
    decided: set[Place] = set()
    for item in reversed(items):
        places = places_of(item.micro)
        if decided.issuperset(places):
            continue
        alive.append(item)
        if not item.loose:
            decided.update(places)
    return alive[::-1]


def _tied(items: list[Item]) -> list[list[Item]]:
    """Split items into those that share names."""
    together: dict[Place, list[Item]] = {}
    for item in items:
        places = places_of(item.micro)
        lists = {id(some): some for place in places if (some := together.get(place)) is not None}
        merged = [*(old for some in lists.values() for old in some), item]
        for place in {place for some in merged for place in places_of(some.micro)}:
            together[place] = merged
    unique = {id(some): sorted(some, key=lambda item: item.order) for some in together.values()}
    return list(unique.values())
