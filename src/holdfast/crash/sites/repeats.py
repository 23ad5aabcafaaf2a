"""A thread that stands where it stood before is not walked again.

A walk reads a place, learns from it where the next one is, and so on: a dozen calls. Its result
depends on nothing but the bytes that it read. So the places of the last walk are read in one call;
if they hold what they held in some walk before, that walk's result is the result. Else the walk is
made, and takes from those bytes what it needs. Nothing is ever answered from older bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from holdfast.crash.sites.scattered import PLACES_MAX, Scattered

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from holdfast.crash.recording import Site
    from holdfast.crash.sites.memory import Memory
    from holdfast.crash.sites.scattered import Pieces, Place

    Sites: TypeAlias = tuple[Site, ...]

__all__ = ["Repeats"]

PLANS_MAX: Final = 256
RESULTS_MAX: Final = 1024


class Repeats:
    """Walks of the threads of one process."""

    def __init__(self, pid: int, memory: Memory, walk: Callable[[int], Sites]) -> None:
        self._pid = pid
        self._memory = memory
        self._walk = walk
        self._plans: dict[tuple[int, int], _Plan] = {}

    def sites(self, tid: int, instruction_pointer: int) -> Sites:
        """What the walk gives. Calls that are made at one address are expected to be alike.

        Raises:
            Unreadable: as the walk does.
        """
        key = (tid, instruction_pointer)
        plan = self._plans.get(key)
        if plan is None:
            return self._learn(key, {})
        self._memory.read(*plan.first)  # by descriptor: nothing is there after an exec
        raw = plan.places.read()
        if raw is None:
            del self._plans[key]
            return self._learn(key, {})
        found = plan.results.get(raw)
        return self._again(key, plan, raw) if found is None else found

    def _again(self, key: tuple[int, int], plan: _Plan, raw: Pieces) -> Sites:
        ahead = plan.places.parts(raw)
        found = self._learn(key, ahead)
        if self._plans.get(key) is plan:
            if len(plan.results) >= RESULTS_MAX:
                plan.results.clear()
            plan.results[raw] = found
        return found

    def _learn(self, key: tuple[int, int], ahead: dict[Place, bytes]) -> Sites:
        """Walk; what was not known ahead makes a new plan."""
        with self._memory.noting(ahead) as noted:
            found = self._walk(key[0])
        if not ahead.keys() >= noted.keys() and len(noted) <= PLACES_MAX:
            if len(self._plans) >= PLANS_MAX:
                self._plans.clear()
            self._plans[key] = _Plan(self._pid, list(noted))
        return found


class _Plan:
    """Which places are read at once, and what was found when they held what."""

    def __init__(self, pid: int, places: Sequence[Place]) -> None:
        self.first = places[0]
        self.places = Scattered(pid, places)
        self.results: dict[Pieces, Sites] = {}
