"""Enumerates the states that `model` allows after a crash: all of them, or an honest sample.

States come by the number of micro-operations that did not survive, so the first one that breaks a
promise is minimal. They are factored: each inode's data, each inode's attributes and each group of
names that renames tie together vary on their own, and only what can be reached from the top folder
is counted. No tree is given twice for the same marks.
"""

from __future__ import annotations

from math import prod
from random import Random
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypedDict

from holdfast.vfs.model import PAGE_BYTES, changed
from holdfast.vfs.operations import ROOT
from holdfast.vfs.variants import Group, Groups, Points, Variant, prefixes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from holdfast.vfs.model import Micro, Model
    from holdfast.vfs.operations import Operation, Tree
    from holdfast.vfs.variants import Point

__all__ = ["CrashOptions", "CrashState", "CrashStates", "crash_state", "crash_states"]

_SAMPLE_ATTEMPTS = 100  # random names may form a loop of folders
_Pick: TypeAlias = tuple[tuple[Group, Variant], ...]


class CrashOptions(TypedDict, total=False):
    """The options of `crash_states`, for those who pass them on."""

    at: int | None
    model: Model
    block_bytes: int
    garbage: bool
    limit: int
    seed: int


class CrashState(NamedTuple):
    """One legal state: the tree, and how it came about.

    The crash struck when `at` operations were done (and the next one perhaps half); `dropped` did
    not survive; `marks` had been given.
    """

    tree: Tree
    at: int
    dropped: tuple[Micro, ...]
    marks: tuple[str, ...]


def crash_states(
    tree: Tree,
    operations: Sequence[Operation],
    *,
    at: int | None = None,
    model: Model = "posix",
    block_bytes: int = PAGE_BYTES,
    garbage: bool = False,
    limit: int = 4096,
    seed: int = 0,
) -> CrashStates:
    """Enumerate the states that a crash may leave.

    Args:
        tree: what was durable before the first operation.
        operations: what was done then.
        at: crash when this many operations were done; None: at every point.
        model: `posix` for a power cut, `prefix` for a kill.
        block_bytes: what survives as one piece: 4096, or 512.
        garbage: lost new blocks show old disk contents instead of zeros.
        limit: at a point with more combinations than this, as many are tried: first those that
            drop least, then seeded samples of the others.
        seed: of those samples.
    """
    if model == "prefix":
        return CrashStates(prefixes(tree, operations, at), limit=limit, seed=seed)
    points = Points(tree, block_bytes=block_bytes, garbage=garbage, seed=seed)
    return CrashStates(points.along(operations, at), limit=limit, seed=seed)


def crash_state(
    tree: Tree, operations: Sequence[Operation], *, seed: int | None = None
) -> CrashState:
    """Return one state after the last operation: nothing unsynced survived or (seed) some."""
    points = Points(tree, block_bytes=PAGE_BYTES, garbage=False, seed=seed or 0)
    walk = _Walk(next(points.along(operations, len(operations))), 1)
    random = Random(seed or 0)
    return walk.sample(1.0 if seed is None else random.random(), random)


class CrashStates:
    """The states; once iterated, `states` counts them and `exhaustive` says whether that is all."""

    def __init__(self, points: Iterable[Point], *, limit: int, seed: int) -> None:
        self._points = points
        self._limit = limit
        self._seed = seed
        self.exhaustive = True
        self.states = 0

    def __iter__(self) -> Iterator[CrashState]:
        self.exhaustive, self.states = True, 0
        walks = [_Walk(point, self._limit) for point in self._points]
        self._points = [walk.point for walk in walks]
        seen: set[object] = set()
        for state in self._candidates(walks):
            if (key := (len(state.marks), _key(state.tree))) not in seen:
                seen.add(key)
                self.states += 1
                yield state

    def _candidates(self, walks: list[_Walk]) -> Iterator[CrashState]:
        cost = 0
        alive: list[_Walk] = list(walks)
        while alive:
            for walk in alive:
                yield from walk.dropping(cost)
            cost += 1
            alive = [walk for walk in alive if cost <= walk.cost_max and not walk.cut_off]
        for number, walk in enumerate(walks):
            self.exhaustive &= walk.exhaustive
            if not walk.exhaustive:
                yield from walk.samples(Random(self._seed * 1_000_003 + number))


class _Walk:
    """The states of one point, by cost."""

    def __init__(self, point: Point, limit: int) -> None:
        self.point = point
        self._limit = limit
        self._tried = 0
        self.cost_max = _cost_max(point.folders) + _cost_max(point.files)
        few = prod(len(group.variants) for group in (*point.folders, *point.files)) <= limit
        self.exhaustive = few and point.exhaustive
        self._quota = limit if few else limit // 2
        self._reached: dict[tuple[int, ...], tuple[Tree, Groups] | None] = {}

    @property
    def cut_off(self) -> bool:
        """Whether enough was tried in order."""
        return self._tried >= self._quota

    def dropping(self, cost: int) -> Iterator[CrashState]:
        """Yield the states with exactly `cost` lost micro-operations."""
        for folder_cost in range(min(cost, _cost_max(self.point.folders)) + 1):
            for names in _picks(self.point.folders, folder_cost):
                reached = self._reach(names)
                if reached is None:
                    continue
                tree, files = reached
                for contents in _picks(files, cost - folder_cost):
                    if self.cut_off:
                        return
                    self._tried += 1
                    yield self._state(tree, names, contents)

    def samples(self, random: Random) -> Iterator[CrashState]:
        """Yield the state that lost everything, then random ones, from few losses to nearly all."""
        for number in range(max(self._limit - self._tried, 1)):
            yield self.sample(1.0 if number == 0 else random.random(), random)

    def sample(self, chance: float, random: Random) -> CrashState:
        """Return a state where each group suffers with this chance; 1.0: nothing loose is left."""
        for _ in range(_SAMPLE_ATTEMPTS):
            names = _sample(self.point.folders, chance, random)
            if (reached := self._reach(names)) is not None:
                return self._state(reached[0], names, _sample(reached[1], chance, random))
        return self._state(self.point.full, (), ())

    def _reach(self, names: _Pick) -> tuple[Tree, Groups] | None:
        """The tree with these names and the groups in it; None if folders form a loop."""
        key = tuple(id(variant) for _, variant in names)
        if key not in self._reached:
            tree = _override(self.point.full, names)
            inodes = _reachable(tree)
            self._reached[key] = (
                None
                if inodes is None
                else (
                    {inode: tree[inode] for inode in inodes},
                    tuple(group for group in self.point.files if group.inode in inodes),
                )
            )
        return self._reached[key]

    def _state(self, tree: Tree, names: _Pick, contents: _Pick) -> CrashState:
        dropped = tuple(micro for _, variant in (*names, *contents) for micro in variant.dropped)
        return CrashState(_override(tree, contents), self.point.at, dropped, self.point.marks)


def _cost_max(groups: Groups) -> int:
    return sum(len(group.variants[-1].dropped) for group in groups)


def _picks(groups: Groups, cost: int, *, start: int = 0) -> Iterator[_Pick]:
    """Yield the choices, other than keeping all, that drop exactly `cost` together."""
    if cost == 0:
        yield ()
        return
    for number in range(start, len(groups)):
        group = groups[number]
        for variant in group.variants[1:]:
            if len(variant.dropped) > cost:
                break
            for rest in _picks(groups, cost - len(variant.dropped), start=number + 1):
                yield ((group, variant), *rest)


def _sample(groups: Groups, chance: float, random: Random) -> _Pick:
    picked: list[tuple[Group, Variant]] = []
    for group in groups:
        if chance >= 1.0:
            picked.append((group, group.nothing))
        elif random.random() < chance:
            picked.append((group, random.choice(group.variants)))
    return tuple(picked)


def _override(tree: Tree, picks: _Pick) -> Tree:
    if not picks:
        return tree
    nodes = dict(tree)
    for (part, inode, _, _), variant in picks:
        node = nodes[inode]
        if part == "entries":  # a group holds some names of the folder; the others stay
            names: dict[str, int | None] = {**dict(node.entries), **dict(variant.value)}
            entries = tuple((name, names[name]) for name in sorted(names) if names[name])
            nodes[inode] = changed(node, part, entries)
        else:
            nodes[inode] = changed(node, part, variant.value)
    return nodes


def _reachable(tree: Tree) -> set[int] | None:
    """The inodes below the top; None if a folder lies inside itself, which no system shows."""
    found: set[int] = set()
    above: set[int] = set()

    def walk(inode: int) -> bool:
        found.add(inode)
        above.add(inode)
        for _, entry in tree[inode].entries:
            if entry in above or (entry not in found and not walk(entry)):
                return False
        above.discard(inode)
        return True

    return found if walk(ROOT) else None


def _key(tree: Tree) -> tuple[object, ...]:
    """A value that is equal for trees which look the same, whatever their inode numbers."""
    numbers = {ROOT: 0}
    todo, parts = [ROOT], list[object]()
    for inode in todo:
        kind, mode, uid, gid, data, xattrs, entries = tree[inode]
        names: list[tuple[str, int]] = []
        for name, entry in entries:
            if entry not in numbers:
                numbers[entry] = len(numbers)
                todo.append(entry)
            names.append((name, numbers[entry]))
        parts.append((kind, mode, uid, gid, data, xattrs, tuple(names)))
    return tuple(parts)
