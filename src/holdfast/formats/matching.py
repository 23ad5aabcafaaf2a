"""Which item of a changed list is which item of the old one, where identity does not say so."""

# The parts of plain data are of any type, which strict checking calls unknown.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

from holdfast.formats.plain import MISSING, same

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

__all__ = ["matched"]

_NAMING = ("id", "uuid", "uid", "key", "slug", "name")


def matched(
    old: Sequence[Any], new: Sequence[Any], known: Sequence[int | None]
) -> list[int | None]:
    """For each item of `new` the index of the item of `old` that it is, or None for a new one.

    In this order: what is `known`; items that are the same, wherever they are; items that carry the
    same id, key or name, if no other does; items at the same place, unless their ids contradict.

    Args:
        old: the items as they were.
        new: the items as they are.
        known: what identity says for each item of `new`.
    """
    result = list(known)
    free = [index for index in range(len(old)) if index not in {*result}]
    for find in (_same_item, _same_name, _same_place):
        for at in range(len(new)):
            if result[at] is None and (index := find(old, new, at=at, free=free)) is not None:
                result[at] = index
                free.remove(index)
    return result


def _same_item(old: Sequence[Any], new: Sequence[Any], *, at: int, free: list[int]) -> int | None:
    return next((index for index in free if same(old[index], new[at])), None)


def _same_name(old: Sequence[Any], new: Sequence[Any], *, at: int, free: list[int]) -> int | None:
    for field in _NAMING:
        name = _field(new[at], field)
        if name is MISSING or sum(same(_field(item, field), name) for item in new) > 1:
            continue
        named = [index for index in range(len(old)) if same(_field(old[index], field), name)]
        if len(named) == 1 and named[0] in free:
            return named[0]
    return None


def _same_place(old: Sequence[Any], new: Sequence[Any], *, at: int, free: list[int]) -> int | None:
    return at if at in free and not _contradict(old[at], new[at]) else None


def _contradict(old: Any, new: Any) -> bool:
    """Whether the ids of two items say that they are two things."""
    fields = (field for field in _NAMING if field != "name")
    return any(
        _field(old, field) is not MISSING and not same(_field(old, field), _field(new, field))
        for field in fields
    )


def _field(item: Any, field: str) -> Any:
    value = item.get(field, MISSING) if isinstance(item, dict) else MISSING
    return MISSING if isinstance(value, (dict, list)) else value
