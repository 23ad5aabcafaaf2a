"""Chooses what is lost of each group: all choices that lose so much, or a random one.

Used by `states`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from holdfast.vfs.pages import PageLooks
from holdfast.vfs.variants import EXHAUSTIVE_ITEMS, Variant, Variants

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random

    from holdfast.vfs.contents import Known
    from holdfast.vfs.micro import Group
    from holdfast.vfs.model import Disk

__all__ = ["Library", "Pick", "Picker"]

Pick: TypeAlias = tuple[Variant, ...]
"""The groups that lost something; the others kept all."""

_KEPT_MAX = 5_000
_RENDERED_BYTES_MAX = 64 << 20


class Library:
    """What is made once for all replays: digests, and variants of groups while there is room."""

    def __init__(self, *, garbage: bool) -> None:
        self.known: Known = {}
        self.shares: dict[object, int] = {}
        self.garbage = garbage
        self._made: dict[tuple[int, int], Variants] = {}
        self._latest: tuple[tuple[int, int], Variants] | None = None

    def of(self, disk: Disk, group: Group) -> Variants:
        """Return the variants of a group as it is now."""
        key = (group.number, group.version)
        variants = self._made.get(key)
        if variants is None and self._latest is not None and self._latest[0] == key:
            variants = self._latest[1]
        if variants is None:
            variants = Variants(disk, group, garbage=self.garbage)
            self._keep(key, variants)
        variants.move(disk, group)
        return variants

    def _keep(self, key: tuple[int, int], variants: Variants) -> None:
        """Keep it; of the large ones, the latest alone."""
        if not variants.whole:
            self._latest = (key, variants)
            return
        if len(self._made) >= _KEPT_MAX:
            self._made.clear()
        self._made[key] = variants

    def count(self, disk: Disk, limit: int) -> int | None:
        """How many states a moment has; None if more than `limit`, or too many to tell."""
        if disk.loose > EXHAUSTIVE_ITEMS * limit.bit_length():
            return None
        groups = [(group, self.of(disk, group)) for group in disk.groups()]
        if any(self._is_costly(disk, group, variants) for group, variants in groups):
            return None
        states = 1
        for variants in sorted((some for _, some in groups), key=lambda some: some.cost_max):
            if (count := variants.count(limit // states)) is None:
                return None
            states *= count
        return states

    def _is_costly(self, disk: Disk, group: Group, variants: Variants) -> bool:
        if not variants.whole:
            return True
        if group.part != "data" or (not self.garbage and PageLooks.fit(group.items)):
            return False
        return len(disk.contents(group.inode)) << variants.cost_max > _RENDERED_BYTES_MAX


class Picker:
    """Chooses among the groups of one moment."""

    def __init__(self, library: Library, disk: Disk) -> None:
        self._library = library
        self._disk = disk

    def picks(self, groups: Sequence[Group], cost: int, *, start: int = 0) -> Iterator[Pick]:
        """Yield the choices that lose exactly `cost` micro-operations."""
        if cost == 0:
            yield ()
            return
        for number in range(start, len(groups)):
            group = groups[number]
            variants = self._library.of(self._disk, group)
            for lost in range(1, min(cost, variants.cost_max) + 1):
                for dropped in variants.at_cost(lost):
                    for rest in self.picks(groups, cost - lost, start=number + 1):
                        yield (Variant(group, dropped), *rest)

    def new_picks(self, groups: Sequence[Group], cost: int, *, at: int) -> Iterator[Pick]:
        """Yield those of `picks` that keep a part of operation `at`, the last one."""
        touched = self._disk.touched
        others = [group for group in groups if group not in touched]
        ours = [group for group in groups if group in touched]
        for spent in range(cost + 1 if ours else 0):
            for head in self.picks(ours, spent):
                if sum(_newest_lost(variant, at) for variant in head) < self._disk.added:
                    for rest in self.picks(others, cost - spent):
                        yield (*head, *rest)

    def sample(self, groups: Sequence[Group], chance: float, random: Random) -> Pick:
        """Choose at random, each group suffering with this chance; 1.0: nothing loose is left."""
        picked: list[Variant] = []
        for group in groups:
            variants = self._library.of(self._disk, group)
            if chance >= 1.0:
                picked.append(Variant(group, variants.all_lost()))
            elif random.random() < chance:
                picked.append(Variant(group, variants.sample(random)))
        return tuple(variant for variant in picked if variant.dropped)


def _newest_lost(variant: Variant, at: int) -> int:
    items, lost = variant.group.items, 0
    for number in reversed(variant.dropped):
        if items[number].micro.at != at:
            break
        lost += 1
    return lost
