"""Three-way merge of lists: item by item where both sides changed in place, else by stretches.

No item comes out that neither side had, and none twice that both sides moved or added.
"""

# Plain data are of any type below the first level, which strict checking calls unknown.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from holdfast.formats.diff import stretches
from holdfast.formats.plain import MISSING, clone, same

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable
    from typing import Any, Final, TypeAlias

__all__ = ["in_place", "spliced_both"]

_Hunk: TypeAlias = "tuple[int, int, list[Any]]"
"""The items of the base from start to stop give way to new ones."""

_IDS: Final = ("id", "_id", "uuid", "uid", "guid", "key")
"""Fields that tell one record from another."""


def in_place(base: list[Any], *sides: list[Any]) -> bool:
    """Whether the sides only changed items at their places: none moved, came or went."""
    if any(len(side) != len(base) for side in sides):
        return False
    known = {_frozen(item) for item in base}
    for side in sides:
        for old, new in zip(base, side, strict=True):
            if same(old, new):
                continue
            if not _akin(old, new) or _frozen(new) in known:
                return False
    return True


def _akin(old: Any, new: Any) -> bool:
    """Whether one may be what became of the other: records with the same id, or half alike."""
    if type(old) is not dict or type(new) is not dict:
        kinds = (dict, list)
        return type(old) is type(new) or (type(old) not in kinds and type(new) not in kinds)
    for field in _IDS:
        if field in old and field in new:
            return same(old[field], new[field])
    if "name" in old and same(old["name"], new.get("name", MISSING)):
        return True
    scalars = [
        {key for key, value in item.items() if type(value) is not dict and type(value) is not list}
        for item in (old, new)
    ]
    equal = sum(same(old[key], new[key]) for key in scalars[0] & scalars[1])
    return 2 * equal >= min(map(len, scalars))


def spliced_both(base: list[Any], mine: list[Any], theirs: list[Any]) -> Any:
    """The list with what both sides inserted, removed and replaced; MISSING where they collide.

    They collide where stretches touch, and where one side adds or moves what the other side has
    added, moved or removed. A stretch that both changed alike is changed once.
    """
    hunks = [_hunks(base, side) for side in (mine, theirs)]
    common = [hunk for hunk in hunks[0] if any(_same_hunk(hunk, other) for other in hunks[1])]
    own = [
        [hunk for hunk in side if not any(_same_hunk(hunk, other) for other in common)]
        for side in hunks
    ]
    if _touch(*own) or _meet(base, own[0], hunks[1]) or _meet(base, own[1], hunks[0]):
        return MISSING
    merged: list[Any] = []
    at = 0
    for start, stop, items in sorted(common + own[0] + own[1], key=lambda hunk: hunk[:2]):
        merged += base[at:start] + items
        at = stop
    return clone(merged + base[at:])


def _hunks(base: list[Any], side: list[Any]) -> list[_Hunk]:
    return [
        (start, stop, side[new_start:new_stop])
        for start, stop, new_start, new_stop in stretches(base, side)
    ]


def _same_hunk(a: _Hunk, b: _Hunk) -> bool:
    return a[:2] == b[:2] and same(a[2], b[2])


def _touch(mine: list[_Hunk], theirs: list[_Hunk]) -> bool:
    """Whether two stretches overlap or are neighbours; each side's own never are."""
    events = sorted([(*hunk[:2], 0) for hunk in mine] + [(*hunk[:2], 1) for hunk in theirs])
    last = (-1, -1, -1)
    for event in events:
        if event[2] != last[2] and event[0] <= last[1]:
            return True
        last = event
    return False


def _meet(base: list[Any], mine: list[_Hunk], theirs: list[_Hunk]) -> bool:
    """Whether something that mine puts in is put in or taken out by theirs as well."""
    added = {_identity(item) for _, _, items in mine for item in items}
    return any(
        _identity(item) in added
        for start, stop, items in theirs
        for item in (*base[start:stop], *items)
    )


def _identity(item: Any) -> Hashable:
    """What makes an item this one: the id of a record, else all that it holds."""
    if type(item) is dict:
        for field in _IDS:
            if field in item:
                return (field, _frozen(item[field]))
    return _frozen(item)


def _frozen(value: Any) -> Hashable:
    """The same for two values that are the same, and for no others."""
    kind = type(value)
    if kind is dict:
        return (kind, frozenset((key, _frozen(item)) for key, item in value.items()))
    if kind is list:
        return (kind, tuple(map(_frozen, value)))
    return (kind, repr(value))
