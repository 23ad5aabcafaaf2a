"""What may be left of one group of pending micro-operations, by how many of them were lost.

Up to 12 of them: all subsets, and those that look the same are one. Beyond: subsets as they come,
and random ones. No subset has a gap in a chain (R12). Used by `states`.
"""

from __future__ import annotations

from itertools import chain, combinations
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from holdfast.vfs.effects import attributes_of, contents_of, names_of
from holdfast.vfs.micro import Loss
from holdfast.vfs.ordering import tails_by_count, without_gaps, without_tails
from holdfast.vfs.pages import PageLooks

if TYPE_CHECKING:
    from collections.abc import Iterable
    from random import Random

    from holdfast.vfs.effects import Attributes
    from holdfast.vfs.micro import Group, Place
    from holdfast.vfs.model import Disk
    from holdfast.vfs.ordering import Chain

__all__ = ["EXHAUSTIVE_ITEMS", "Variant", "Variants", "attributes_left", "data_left", "names_left"]

EXHAUSTIVE_ITEMS = 12  # 2^12 subsets of one inode

Dropped: TypeAlias = tuple[int, ...]


class Variant(NamedTuple):
    """What is left of a group when the items with these numbers did not survive."""

    group: Group
    dropped: Dropped


def data_left(disk: Disk, variant: Variant, *, garbage: bool) -> bytes:
    """Return the contents that a crash leaves."""
    group, dropped = variant
    durable = disk.durable[group.inode].data
    return contents_of(durable, group.items, Loss(frozenset(dropped), garbage))


def attributes_left(disk: Disk, variant: Variant) -> Attributes:
    """Return the attributes that a crash leaves."""
    return attributes_of(disk.durable[variant.group.inode], variant.group.items, variant.dropped)


def names_left(disk: Disk, variant: Variant) -> dict[Place, int | None]:
    """Return what the names of a group stand for after a crash."""
    return names_of(disk.names.durable, variant.group.items, frozenset(variant.dropped))


class Variants:
    """The variants of one version of a group."""

    def __init__(self, disk: Disk, group: Group, *, garbage: bool) -> None:
        self._disk = disk
        self._group = group
        self._garbage = garbage
        self._loose = group.loose()
        self._chains = disk.chains(group)
        self._pieces = self._all_chains()
        self._levels: list[list[Dropped]] = [[()]]
        self._seen: set[object] = set()
        self._pages: PageLooks | None = None
        self.whole = len(self._loose) <= EXHAUSTIVE_ITEMS
        self._tails = tails_by_count(self._pieces) if self.whole and self._pieces else []
        if self.whole and self._loose:
            self._seen.add(self._look(()))

    def move(self, disk: Disk, group: Group) -> None:
        """Go on with the same group in another replay."""
        self._disk, self._group = disk, group

    @property
    def cost_max(self) -> int:
        """How many items can be lost at most."""
        return len(self._loose)

    def count(self, most: int) -> int | None:
        """How many variants look different; None if more than `most`. All subsets are tried."""
        found = 0
        for cost in range(len(self._loose) + 1):
            found += len(self._level(cost))
            if found > most:
                return None
        return found

    def at_cost(self, cost: int) -> Iterable[Dropped]:
        """Return the variants that lost exactly so many items."""
        return self._level(cost) if self.whole else self._subsets(cost)

    def _subsets(self, cost: int) -> Iterable[Dropped]:
        if not self._chains:
            return combinations(self._loose, cost)
        return self._tails[cost] if self.whole else without_tails(self._pieces, cost)

    def _all_chains(self) -> list[Chain]:
        """Those of one item too, if there are others."""
        bound = set(chain.from_iterable(self._chains))
        free = [[number] for number in self._loose if number not in bound] if bound else []
        return sorted([*self._chains, *free])

    def _level(self, cost: int) -> list[Dropped]:
        while len(self._levels) <= min(cost, len(self._loose)):
            found: list[Dropped] = []
            for dropped in self._subsets(len(self._levels)):
                if (look := self._look(dropped)) not in self._seen:
                    self._seen.add(look)
                    found.append(dropped)
            self._levels.append(found)
        return self._levels[cost] if cost < len(self._levels) else []

    def _look(self, dropped: Dropped) -> object:
        """A value that is equal for variants that look the same."""
        variant = Variant(self._group, dropped)
        if self._group.part == "data":
            return self._look_of_data(variant)
        if self._group.part == "attributes":
            return attributes_left(self._disk, variant)
        return tuple(names_left(self._disk, variant).values())

    def _look_of_data(self, variant: Variant) -> object:
        group, dropped = variant
        if self._pages is None and not self._garbage and PageLooks.fit(group.items):
            durable = self._disk.durable[group.inode].data
            self._pages = PageLooks(durable, group.items)
        if self._pages is not None:
            return self._pages.look(dropped)
        value = data_left(self._disk, variant, garbage=self._garbage)
        items = [group.items[number] for number in dropped]
        return self._disk.contents(group.inode).key_without(items, value)

    def sample(self, random: Random) -> Dropped:
        """Return a random subset: a tail, a head, all but one, or each with one chance."""
        chosen = self._any_subset(random)
        if not self._chains:
            return chosen
        dropped = set(chosen)
        without_gaps(self._chains, dropped, keep=random.random() < 0.5)
        return tuple(sorted(dropped))

    def _any_subset(self, random: Random) -> Dropped:
        loose = self._loose
        cut, kind = random.randrange(len(loose) + 1), random.randrange(4)
        if kind == 0:
            return tuple(loose[cut:])
        if kind == 1:
            return tuple(loose[:cut])
        if kind == 2:
            return tuple(loose[: max(cut - 1, 0)] + loose[cut:])
        chance = random.random()
        return tuple(number for number in loose if random.random() < chance)

    def all_lost(self) -> Dropped:
        """Return the variant that keeps nothing that a crash may take."""
        return tuple(self._loose)
