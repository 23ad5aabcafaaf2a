"""Carries a change of what a type sees over to the plain data beneath, which may hold more.

What the type does not know stays: unknown keys, also inside the items of lists. What the file lacks
because the type has a default for it stays absent unless it is changed.
"""

from __future__ import annotations

from holdfast.formats.diff import alignment
from holdfast.formats.plain import MISSING, clone, same

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["carried"]


def carried(plain: Any, seen: Any, changed: Any) -> Any:
    """`plain` with the change from `seen` to `changed` made; MISSING if it stays absent.

    The result shares nothing with them.

    Args:
        plain: what the file holds, or MISSING.
        seen: what the type sees of it, its defaults included.
        changed: what that became.
    """
    if same(seen, changed):
        return clone(plain)
    if _all_are(dict, plain, seen, changed):
        return _carried_dict(plain, seen, changed)
    if _all_are(list, plain, seen, changed) and _aligned(plain, seen):
        return _carried_list(plain, seen, changed)
    return clone(changed)


def _carried_dict(
    plain: dict[Any, Any], seen: dict[Any, Any], changed: dict[Any, Any]
) -> dict[Any, Any]:
    gone = seen.keys() - changed.keys()
    result = {key: clone(value) for key, value in plain.items() if key not in gone}
    for key, value in changed.items():
        old = seen.get(key, MISSING)
        new = clone(value) if old is MISSING else carried(plain.get(key, MISSING), old, value)
        if new is not MISSING:
            result[key] = new
    return result


def _carried_list(plain: list[Any], seen: list[Any], changed: list[Any]) -> list[Any]:
    """Items that stay, whatever became of them, are carried over; new ones are taken as is."""
    return [
        clone(new) if index is None else carried(plain[index], seen[index], new)
        for index, new in zip(alignment(seen, changed), changed, strict=True)
    ]


def _aligned(plain: list[Any], seen: list[Any]) -> bool:
    """Whether the items stand for each other by their places; those of a set may not."""
    return len(plain) == len(seen) and all(map(_stands_for, plain, seen))


def _stands_for(a: Any, b: Any) -> bool:
    return bool(a == b) or _all_are(dict, a, b) or _all_are(list, a, b)


def _all_are(kind: type[object], *values: Any) -> bool:
    return all(type(value) is kind for value in values)
