"""Enumerates the states that `model` allows after a crash: all of them, or an honest sample.

States come by the number of micro-operations that did not survive, so the first one that breaks a
promise is minimal. They are factored: each inode's data, each inode's attributes and each group of
names that renames tie together vary on their own, and only what can be reached from the top folder
is counted. No tree is given twice for the same marks.

The operations are replayed once for each number of losses, and only the disk of the moment is kept,
so memory does not grow with the history, and the first states come at once.
"""

from __future__ import annotations

from math import inf
from random import Random
from typing import TYPE_CHECKING, NamedTuple, TypedDict

from holdfast.vfs.looks import Looks
from holdfast.vfs.micro import PAGE_BYTES
from holdfast.vfs.moments import Settings, moments
from holdfast.vfs.picks import Library
from holdfast.vfs.views import View

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from holdfast.vfs.micro import Micro, Model
    from holdfast.vfs.moments import Moment
    from holdfast.vfs.operations import Operation, Tree
    from holdfast.vfs.views import Found

__all__ = ["CrashOptions", "CrashState", "CrashStates", "crash_state", "crash_states"]

_ROOM_BYTES = 32 << 20  # for states that are made before their turn
_MOMENT_BYTES_MAX = 1 << 20
_STATE_BYTES = 2000  # of a small one, about
_COST_MAX = 16  # of a moment that is sampled: each cost is a replay, and chains have few states
_SAMPLE_ROUNDS = (1, 16, 256)  # of each moment, before any gets more


class CrashOptions(TypedDict, total=False):
    """The options of `crash_states`, for those who pass them on."""

    at: int | None
    model: Model
    block_bytes: int
    garbage: bool
    atomic_across: bool
    limit: int
    seed: int


class CrashState(NamedTuple):
    """One legal state: the tree, and how it came about.

    `at` operations had been begun when the crash struck; `dropped` did not survive; `marks` had
    been given. `inside`: the index of the last operation if this is one that was cut off in the
    middle and nothing older was lost, as a kill may leave it; None if it was whole or older things
    are missing.
    """

    tree: Tree
    at: int
    dropped: tuple[Micro, ...]
    marks: tuple[str, ...]
    inside: int | None = None


def crash_states(
    tree: Tree,
    operations: Sequence[Operation],
    *,
    at: int | None = None,
    model: Model = "posix",
    block_bytes: int = PAGE_BYTES,
    garbage: bool = False,
    atomic_across: bool = False,
    limit: int = 4096,
    seed: int = 0,
) -> CrashStates:
    """Enumerate the states that a crash may leave.

    Args:
        tree: what was durable before the first operation.
        operations: what was done then.
        at: crash when this many operations had been begun, the last of them perhaps half done (a
            sync or a mark is done); None: at every point.
        model: `posix` for a power cut, `linux` for one on ext4, xfs or btrfs, `prefix` for a kill.
        block_bytes: what survives as one piece: 4096, or 512.
        garbage: lost new blocks show old disk contents instead of zeros.
        atomic_across: a rename from folder to folder is atomic.
        limit: at a point with more combinations than this, as many are tried: first those that
            drop least, then seeded samples of the others.
        seed: of those samples.

    Raises:
        ValueError: `block_bytes` does not divide a page.
    """
    settings = Settings(at, model, block_bytes, garbage, atomic_across, limit, seed)
    return CrashStates(tree, operations, settings)


def crash_state(
    tree: Tree, operations: Sequence[Operation], *, seed: int | None = None
) -> CrashState:
    """Return one state after the last operation: nothing unsynced survived or (seed) some."""
    moment = next(moments(tree, operations, Settings(at=len(operations))))
    random = Random(seed or 0)
    chance = 1.0 if seed is None else random.random()
    library = Library(garbage=False)
    view = View(library, Looks(moment.disk, library.shares), moment)
    return _state(view, view.sample(chance, random))


def _state(view: View, found: Found) -> CrashState:
    moment, dropped = view.moment, found.dropped
    return CrashState(found.tree(), moment.at, dropped, moment.marks, view.inside(dropped))


class _Facts:
    """What is known of one moment over all replays."""

    __slots__ = ("cost_max", "exhaustive", "quota", "tried")

    def __init__(self, moment: Moment, library: Library, limit: int) -> None:
        disk = moment.disk
        few = disk.loose < 64 and 2**disk.loose <= limit
        self.exhaustive = few or library.count(disk, limit) is not None
        self.quota = limit if self.exhaustive else limit // 2
        self.tried = 0
        most = disk.loose if moment.anew else disk.loose - 1  # of the last one a part is kept
        self.cost_max = most if self.exhaustive else min(most, _COST_MAX)

    def goes_on(self, cost: int) -> bool:
        """Whether there may be states that lost so much, and room for them."""
        return cost <= self.cost_max and self.tried < self.quota


class CrashStates:
    """The states; once iterated to the end, `states` counts them.

    `exhaustive` says whether that is all there is; it is False until the last one was given.
    """

    def __init__(self, tree: Tree, operations: Sequence[Operation], settings: Settings) -> None:
        self._tree = tree
        self._operations = operations
        self._settings = settings
        self.exhaustive = False
        self.states = 0
        settings.check()

    def __iter__(self) -> Iterator[CrashState]:
        self.exhaustive, self.states = False, 0
        search = _Search(self._tree, self._operations, self._settings)
        seen: set[tuple[int, int]] = set()
        for view, found in search.candidates():
            key = (len(view.moment.marks), found.total)
            if key not in seen:
                seen.add(key)
                self.states += 1
                yield found.state if isinstance(found, _Kept) else _state(view, found)
        self.exhaustive = search.exhaustive


class _Kept(NamedTuple):
    """A state that was made before its turn."""

    total: int
    state: CrashState


class _Search:
    """One walk over all states, with some of them twice."""

    def __init__(self, tree: Tree, operations: Sequence[Operation], settings: Settings) -> None:
        self._of = (tree, operations, settings)
        self._limit, self._seed = settings.limit, settings.seed
        self._library = Library(garbage=settings.garbage)
        self._facts: dict[int, _Facts] = {}
        self._kept: dict[int, list[tuple[View, _Kept]]] = {}
        self._kept_moments: set[int] = set()
        self._room_bytes = _ROOM_BYTES

    @property
    def exhaustive(self) -> bool:
        """Whether nothing was left out."""
        return all(facts.exhaustive for facts in self._facts.values())

    def candidates(self) -> Iterator[tuple[View, Found | _Kept]]:
        """Yield the states in order, then samples of the moments that have too many."""
        for view in self._views():
            if view.is_new:
                facts = _Facts(view.moment, self._library, self._limit)
                self._facts[view.moment.number] = facts
                yield from self._dropping(view, 0)
                self._keep(view, facts)
        alive, cost = set(self._facts), 0
        while alive:
            cost += 1
            yield from self._kept.pop(cost, ())
            alive = {number for number in alive if self._facts[number].goes_on(cost)}
            for view in self._views(alive.difference(self._kept_moments)):
                yield from self._dropping(view, cost)
        yield from self._samples()

    def _keep(self, view: View, facts: _Facts) -> None:
        """Make the states of a small moment now, which saves replays, while there is room."""
        states = 2 ** min(facts.cost_max, 20)
        size_bytes = states * (_STATE_BYTES + view.size_bytes)
        if not facts.exhaustive or size_bytes > min(self._room_bytes, _MOMENT_BYTES_MAX):
            return
        self._room_bytes -= size_bytes
        self._kept_moments.add(view.moment.number)
        for cost in range(1, facts.cost_max + 1):
            for _, found in self._dropping(view, cost):
                kept = _Kept(found.total, _state(view, found))
                self._kept.setdefault(cost, []).append((view, kept))

    def _views(self, numbers: set[int] | None = None) -> Iterator[View]:
        """Replay, as far as needed, and stop at some moments."""
        if numbers is not None and not numbers:
            return
        last = inf if numbers is None else max(numbers)
        looks: Looks | None = None
        for moment in moments(*self._of, known=self._library.known):
            looks = looks or Looks(moment.disk, self._library.shares)
            if numbers is None or moment.number in numbers:
                yield View(self._library, looks, moment)
            if moment.number >= last:
                return

    def _dropping(self, view: View, cost: int) -> Iterator[tuple[View, Found]]:
        facts = self._facts[view.moment.number]
        for found in view.dropping(cost):
            if facts.tried >= facts.quota:
                return
            facts.tried += found is not None or not facts.exhaustive
            if found is not None:
                yield view, found

    def _samples(self) -> Iterator[tuple[View, Found]]:
        """The state that lost everything, then random ones: some of each moment, then more."""
        sampled = {number for number, facts in self._facts.items() if not facts.exhaustive}
        for number, times in enumerate((*_SAMPLE_ROUNDS, self._limit)):
            for view in self._views(sampled):
                random = Random(f"{self._seed} {view.moment.number} {number}")
                facts = self._facts[view.moment.number]
                for _ in range(min(times, max(self._limit - facts.tried, number == 0))):
                    facts.tried += 1
                    yield view, view.sample(random.random() if number else 1.0, random)
