"""Factors what is pending at each moment of a crash into groups that vary on their own.

Used by `states`.
"""

from __future__ import annotations

from itertools import combinations
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from holdfast.vfs.model import PAGE_BYTES, RENDER, Disk, Entry, Loss, Move, changed
from holdfast.vfs.operations import Mark, Write

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from holdfast.vfs.model import Micro, Part, Pending
    from holdfast.vfs.operations import Node, Operation, Tree

__all__ = ["Group", "Groups", "Point", "Points", "Variant", "prefixes"]

_EXHAUSTIVE_ITEMS = 12  # 2^12 subsets of one inode
_RENDERED_BYTES_MAX = 32 << 20


class Variant(NamedTuple):
    """What is left of one part of an inode when `dropped` did not survive."""

    value: Any
    dropped: tuple[Micro, ...]


class Group(NamedTuple):
    """Micro-operations that vary on their own.

    `variants[0]` keeps all, the rest drop ever more; `nothing` keeps nothing that a crash may take.
    """

    part: Part
    inode: int
    variants: tuple[Variant, ...]
    nothing: Variant


Groups: TypeAlias = tuple[Group, ...]
_Made: TypeAlias = tuple[tuple[Variant, ...], Variant, bool]


class Point(NamedTuple):
    """One moment of a crash: the tree if all survives, and what varies."""

    at: int
    marks: tuple[str, ...]
    full: Tree
    folders: Groups
    files: Groups
    exhaustive: bool


def prefixes(tree: Tree, operations: Sequence[Operation], at: int | None) -> Iterator[Point]:
    """Each point with all that was done, and each page boundary inside a write."""
    disk = Disk(tree)
    marks: tuple[str, ...] = ()
    if at in {None, 0}:
        yield Point(0, marks, _full(disk), (), (), exhaustive=True)
    for done, operation in enumerate(operations, 1):
        for piece in _pages(operation):
            disk.apply(piece, done - 1)
            if isinstance(piece, Mark):
                marks += (piece.text,)
            if at in {None, done}:
                yield Point(done, marks, _full(disk), (), (), exhaustive=True)


def _pages(operation: Operation) -> Iterator[Operation]:
    if not isinstance(operation, Write):
        yield operation
        return
    start, stop = operation.offset, operation.offset + len(operation.data)
    while start < stop:
        end = min(stop, (start // PAGE_BYTES + 1) * PAGE_BYTES)
        yield Write(
            operation.inode,
            start,
            operation.data[start - operation.offset : end - operation.offset],
        )
        start = end


def _full(disk: Disk) -> Tree:
    """The tree if everything survives."""
    nodes = dict(disk.durable)
    for (part, inode), items in disk.pending.items():
        node = nodes[inode]
        nodes[inode] = changed(node, part, RENDER[part](node, items, Loss()))
    return nodes


class Points:
    """Walks along the operations and factors what is pending; equal factors are made once."""

    def __init__(self, tree: Tree, *, block_bytes: int, garbage: bool, seed: int) -> None:
        self._disk = Disk(tree, block_bytes=block_bytes)
        self._garbage = garbage
        self._seed = seed
        self._made: dict[object, _Made] = {}

    def along(self, operations: Sequence[Operation], at: int | None) -> Iterator[Point]:
        """Yield the points."""
        marks: tuple[str, ...] = ()
        for done in range(len(operations) + 1):
            if done:
                operation = operations[done - 1]
                self._disk.apply(operation, done - 1)
                if isinstance(operation, Mark):
                    marks += (operation.text,)
            if at in {None, done}:
                yield self._point(done, marks)

    def _point(self, at: int, marks: tuple[str, ...]) -> Point:
        folders: list[Group] = []
        files: list[Group] = []
        exhaustive = True
        for (part, inode), items in self._disk.pending.items():
            node = self._disk.durable[inode]
            for some in _tied(items) if part == "entries" else (items,):
                variants, nothing, whole = self._variants(part, node, some)
                exhaustive &= whole
                if len(variants) > 1:
                    group = Group(part, inode, variants, nothing)
                    (folders if part == "entries" else files).append(group)
        return Point(at, marks, _full(self._disk), tuple(folders), tuple(files), exhaustive)

    def _variants(self, part: Part, node: Node, items: Pending) -> _Made:
        key = (part, node, items)
        if key not in self._made:
            self._made[key] = self._make(part, node, items)
        return self._made[key]

    def _make(self, part: Part, node: Node, items: Pending) -> _Made:
        loose = [number for number, item in enumerate(items) if item.loose]
        whole = len(loose) <= _EXHAUSTIVE_ITEMS
        subsets = _all_subsets(loose) if whole else _some_subsets(loose, Random(self._seed))
        found: dict[object, Variant] = {}
        rendered_bytes = 0
        for dropped in subsets:
            variant = self._variant((part, node), items, dropped)
            if variant.value not in found:
                found[variant.value] = variant
                rendered_bytes += len(variant.value)
            if rendered_bytes > _RENDERED_BYTES_MAX:
                whole = False
                break
        nothing = self._variant((part, node), items, frozenset(loose))
        ordered = sorted(found.values(), key=lambda variant: len(variant.dropped))
        return tuple(ordered), nothing, whole

    def _variant(self, of: tuple[Part, Node], items: Pending, dropped: Collection[int]) -> Variant:
        part, node = of
        value = RENDER[part](node, items, Loss(dropped, self._garbage))
        if part == "entries":  # of the names of this group alone
            entries = dict(value)
            names = sorted({name for item in items for name in _names_of(item.micro)})
            value = tuple((name, entries.get(name)) for name in names)
        return Variant(value, tuple(items[number].micro for number in sorted(dropped)))


def _all_subsets(numbers: Sequence[int]) -> Iterator[frozenset[int]]:
    for size in range(len(numbers) + 1):
        yield from map(frozenset, combinations(numbers, size))


def _some_subsets(numbers: Sequence[int], random: Random) -> Iterator[frozenset[int]]:
    """None, each alone, each tail, each head, all but one, all; then random ones."""
    everything = frozenset(numbers)
    yield frozenset()
    for number in numbers:
        yield frozenset({number})
        yield everything - {number}
    for cut in range(len(numbers)):
        yield frozenset(numbers[cut:])
        yield frozenset(numbers[:cut])
    for _ in range(256):
        chance = random.random()
        yield frozenset(number for number in numbers if random.random() < chance)


def _tied(items: Pending) -> Iterator[Pending]:
    """Split the changes of a folder into groups of names that no rename ties to another."""
    group: dict[str, set[str]] = {}
    for micro, _, _ in items:
        names = _names_of(micro)
        together = set[str]().union(names, *(group.get(name, ()) for name in names))
        for name in together:
            group[name] = together
    for together in {id(names): names for names in group.values()}.values():
        some = tuple(item for item in items if _names_of(item.micro)[0] in together)
        yield some


def _names_of(micro: Micro) -> tuple[str, ...]:
    if isinstance(micro, Move):
        return micro.name, micro.to_name
    return (micro.name,) if isinstance(micro, Entry) else ()
