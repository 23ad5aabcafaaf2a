"""Carries a change of what a type sees over to the plain data, which may hold more or less.

What the type does not know stays: unknown keys, also inside the items of lists, wherever those go.
What the file lacks because the type has a default for it stays absent unless it is changed.
"""

from __future__ import annotations

from holdfast.formats.matching import matched
from holdfast.formats.plain import MISSING, clone, same

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from holdfast.formats.keypath import KeyPath

__all__ = ["carried"]


def carried(
    plain: Any, seen: Any, changed: Any, *, origins: Mapping[KeyPath, KeyPath] | None = None
) -> Any:
    """`plain` with the change from `seen` to `changed` made. Nothing is shared.

    Args:
        plain: What the file holds.
        seen: What the type sees of it, its defaults included.
        changed: What that became.
        origins: The place in `seen` of what is at each place of `changed`, as far as it is known.
    """
    return _Carrier(plain, seen, origins or {}).carry(plain, seen, changed, path=())


class _Carrier:
    def __init__(self, plain: Any, seen: Any, origins: Mapping[KeyPath, KeyPath]) -> None:
        self._plain = plain
        self._seen = seen
        self._origins = origins

    def carry(self, plain: Any, seen: Any, changed: Any, *, path: KeyPath) -> Any:
        """The new plain data at `path`; MISSING if it stays absent."""
        if _all_are(dict, plain, seen, changed):
            return self._carry_dict(plain, seen, changed, path=path)
        if _all_are(list, plain, seen, changed):
            return self._carry_list(plain, seen, changed, path=path)
        return clone(plain) if same(seen, changed) else clone(changed)

    def _carry_dict(
        self,
        plain: dict[Any, Any],
        seen: dict[Any, Any],
        changed: dict[Any, Any],
        *,
        path: KeyPath,
    ) -> dict[Any, Any]:
        gone = seen.keys() - changed.keys()
        result = {key: clone(value) for key, value in plain.items() if key not in gone}
        for key, value in changed.items():
            place = (*path, key)
            base = self._origin(place) or (plain.get(key, MISSING), seen.get(key, MISSING))
            new = clone(value) if base[1] is MISSING else self.carry(*base, value, path=place)
            if new is not MISSING:
                result[key] = new
        return result

    def _carry_list(
        self, plain: list[Any], seen: list[Any], changed: list[Any], *, path: KeyPath
    ) -> list[Any]:
        """Items that stay, whatever became of them, are carried over; new ones are taken."""
        if len(plain) > len(seen) == len(changed) and _aligned(plain, seen):
            tail: list[Any] = clone(plain[len(seen) :])
            return self._carry_list(plain[: len(seen)], seen, changed, path=path) + tail
        if not _aligned(plain, seen) or len(plain) != len(seen):
            whole: list[Any] = clone(plain if same(seen, changed) else changed)
            return whole
        places = [(*path, index) for index in range(len(changed))]
        bases = [self._origin(place) for place in places]
        known = [self._index_in(seen, base) for base in bases]
        result: list[Any] = []
        found = matched(seen, changed, known)
        for place, base, index, item in zip(places, bases, found, changed, strict=True):
            if base is not None:
                result.append(self.carry(*base, item, path=place))
            elif index is not None:
                result.append(self.carry(plain[index], seen[index], item, path=place))
            else:
                result.append(clone(item))
        return result

    def _origin(self, place: KeyPath) -> tuple[Any, Any] | None:
        """The plain data, and what was seen of them, that an object came from."""
        former = self._origins.get(place)
        if former is None:
            return None
        plain, seen = _at(self._plain, former), _at(self._seen, former)
        return None if plain is MISSING or seen is MISSING else (plain, seen)

    @staticmethod
    def _index_in(seen: list[Any], base: tuple[Any, Any] | None) -> int | None:
        if base is None:
            return None
        return next((index for index, item in enumerate(seen) if item is base[1]), None)


def _at(data: Any, path: KeyPath) -> Any:
    for key in path:
        try:
            data = data[key]
        except (KeyError, IndexError, TypeError):
            return MISSING
    return data


def _aligned(plain: list[Any], seen: list[Any]) -> bool:
    """Whether the items stand for each other by their places; those of a set may not."""
    return all(
        a == b or _all_are(dict, a, b) or _all_are(list, a, b)
        for a, b in zip(plain, seen, strict=False)
    )


def _all_are(kind: type[object], *values: Any) -> bool:
    return all(type(value) is kind for value in values)
