"""Keys in order, in runs of a bounded size: a key comes and goes without moving all the others.

No step of it takes long by itself, so that putting many keys in order holds up no other thread.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import chain, islice, pairwise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

__all__ = ["KeyOrder", "Sorting"]

_RUN = 4096
_SAMPLED = 64


class KeyOrder:
    """Sorted keys.

    Args:
        keys: each once, in any order; the list is not kept.
    """

    __slots__ = ("_bounds", "_runs")

    def __init__(self, keys: Sequence[str]) -> None:
        runs = [sorted(keys[at : at + _RUN]) for at in range(0, len(keys), _RUN)]
        if any(before[-1] > after[0] for before, after in pairwise(runs)):
            runs = _merged(runs)
        self._runs: list[list[str]] = runs or [[]]
        self._bounds = ["", *[run[0] for run in self._runs[1:]]]
        """For each run, what no key in it is less than, and every key before it is."""

    def keys(self, prefix: str = "") -> list[str]:
        """Return the keys that begin so."""
        if not prefix:
            return list(chain.from_iterable(self._runs))
        found: list[str] = []
        for run in islice(self._runs, self._run_of(prefix), None):
            start = bisect_left(run, prefix)
            if start == len(run):
                continue
            end = len(run)
            if not run[-1].startswith(prefix):
                size = len(prefix)
                end = bisect_right(run, prefix, start, key=lambda key: key[:size])
            found += run[start:end]
            if end < len(run):
                break
        return found

    def first(self) -> str | None:
        """Return the first key; None if there is none."""
        return self._runs[0][0] if self._runs[0] else None

    def place(self, key: str, *, is_there: bool) -> None:
        """See to it that a key is among them, or is not."""
        at = self._run_of(key)
        run = self._runs[at]
        index = bisect_left(run, key)
        if index < len(run) and run[index] == key:
            if not is_there:
                del run[index]
                self._drop_empty(at)
        elif is_there:
            run.insert(index, key)
            if len(run) > 2 * _RUN:
                self._runs.insert(at + 1, run[_RUN:])
                self._bounds.insert(at + 1, run[_RUN])
                del run[_RUN:]

    def _run_of(self, key: str) -> int:
        """Return which run a key belongs to."""
        return bisect_right(self._bounds, key) - 1

    def _drop_empty(self, at: int) -> None:
        if not self._runs[at] and len(self._runs) > 1:
            del self._runs[at], self._bounds[at]
            self._bounds[0] = ""


class Sorting:
    """One sorting of keys that others change meanwhile: their order, and what it lacks yet.

    Who sorts without a lock gives the order to the sorting that it has looked at the keys for: one
    that was given up in between is nobody's any more, and nor is that order.
    """

    __slots__ = ("is_torn", "moved", "order")

    def __init__(self) -> None:
        self.is_torn = False
        """Whether putting keys in their places was interrupted: it is to be given up."""
        self.moved: set[str] = set()
        """What came or went since the first look for it, and is not placed in the order."""
        self.order: KeyOrder | None = None
        """None: somebody is still at it."""

    def adopt(self, order: KeyOrder) -> None:
        """Take the order of the keys as they were at any look for this sorting."""
        if self.order is None:
            self.order = order

    def settled(self, there: Collection[str]) -> KeyOrder:
        """Return the order of the keys that are there now."""
        order, moved = self.order, self.moved
        if order is None:
            order = self.order = KeyOrder([*there])
        self.is_torn = True
        while moved:
            key = moved.pop()
            order.place(key, is_there=key in there)
        self.is_torn = False
        return order


def _merged(runs: Sequence[list[str]]) -> list[list[str]]:
    """Return runs with the same keys, each wholly before the next.

    A sample says where to cut every run; what lies between the same two cuts is sorted together.
    """
    sample = sorted(chain.from_iterable(run[::_SAMPLED] for run in runs))
    cuts = sample[_RUN // _SAMPLED :: _RUN // _SAMPLED]
    parts: list[list[str]] = [[] for _ in range(len(cuts) + 1)]
    for run in runs:
        bounds = [0, *[bisect_left(run, cut) for cut in cuts], len(run)]
        for part, (start, end) in zip(parts, pairwise(bounds), strict=True):
            part.extend(run[start:end])
    return list(chain.from_iterable(map(_sorted_runs, parts)))


def _sorted_runs(part: list[str]) -> Iterable[list[str]]:
    part.sort()
    return [part[at : at + 2 * _RUN] for at in range(0, len(part), 2 * _RUN)]
