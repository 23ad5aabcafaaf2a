"""Three-way merge of plain values: what each side changed since their common base."""

# Plain data are of any type below the first level, which strict checking calls unknown.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from holdfast.formats.merge_lists import in_place, spliced_both
from holdfast.formats.plain import MAX_DEPTH, MISSING, clone, same

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Literal, NamedTuple, TypeAlias

    from holdfast.formats.keypath import KeyPath
else:
    from holdfast.light_typing import NamedTuple

__all__ = ["Merge", "Prefer", "merge3"]

Resolver: TypeAlias = "Callable[[KeyPath, Any, Any, Any], Any]"
Prefer: TypeAlias = "Literal['mine', 'theirs'] | Resolver | None"


class Merge(NamedTuple):
    """The merged value, and the key paths that both sides changed differently."""

    value: Any
    conflicts: list[KeyPath]


def merge3(base: Any, mine: Any, theirs: Any, *, prefer: Prefer = "mine") -> Merge:
    """Take the changes of both sides; the result shares nothing with them.

    Mappings are merged by key. Lists are merged item by item where both sides only changed items
    at their places; where a side inserted, removed, moved or replaced items, both edits are made
    if they stand apart in the list, and else the whole list is one conflict.

    Args:
        prefer: Who wins a conflict. A callable is given (path, base, mine, theirs), where a side
            that has no such key is `MISSING`, and returns the value, or MISSING to leave the key
            out. None takes mine as well: look at `conflicts` before the value is used.

    Raises:
        ValueError: nested too deep.
    """
    if prefer not in ("mine", "theirs", None) and not callable(prefer):
        raise ValueError(f'prefer is "mine", "theirs", None or a callable, not {prefer!r}')
    merger = _Merger(prefer)
    try:
        value = merger.merge((), base, mine=mine, theirs=theirs)
    except RecursionError:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels") from None
    return Merge(value, merger.conflicts)


class _Merger:
    def __init__(self, prefer: Prefer) -> None:
        self.prefer = prefer
        self.conflicts: list[KeyPath] = []

    def merge(self, path: KeyPath, base: Any, *, mine: Any, theirs: Any) -> Any:
        """The merged value at one place; any of the three may be MISSING."""
        if type(base) is type(mine) is type(theirs) is dict:
            return self._merge_dicts(path, base, mine=mine, theirs=theirs)
        if same(mine, theirs) or same(base, theirs):
            return clone(mine)
        if same(base, mine):
            return clone(theirs)
        if type(base) is type(mine) is type(theirs) is list:
            return self._merge_lists(path, base, mine=mine, theirs=theirs)
        if base is MISSING and type(mine) is dict and type(theirs) is dict:
            return self._merge_dicts(path, {}, mine=mine, theirs=theirs)
        return self._conflict(path, base, mine=mine, theirs=theirs)

    def _merge_dicts(
        self, path: KeyPath, base: dict[Any, Any], *, mine: dict[Any, Any], theirs: dict[Any, Any]
    ) -> dict[Any, Any]:
        """In the order of mine, then what only theirs has."""
        merged: dict[Any, Any] = {}
        for key in dict.fromkeys((*mine, *theirs)):
            a, b, c = (side.get(key, MISSING) for side in (base, mine, theirs))
            value = self.merge((*path, key), a, mine=b, theirs=c)
            if value is not MISSING:
                merged[key] = value
        return merged

    def _merge_lists(
        self, path: KeyPath, base: list[Any], *, mine: list[Any], theirs: list[Any]
    ) -> Any:
        if in_place(base, mine, theirs):
            sides = enumerate(zip(base, mine, theirs, strict=True))
            return [self.merge((*path, index), a, mine=b, theirs=c) for index, (a, b, c) in sides]
        merged = spliced_both(base, mine, theirs)
        if merged is not MISSING:
            return merged
        return self._conflict(path, base, mine=mine, theirs=theirs)

    def _conflict(self, path: KeyPath, base: Any, *, mine: Any, theirs: Any) -> Any:
        self.conflicts.append(path)
        if callable(self.prefer):
            return clone(self.prefer(path, clone(base), clone(mine), clone(theirs)))
        return clone(theirs if self.prefer == "theirs" else mine)
