"""The changes between two plain values, as a short edit script.

Edits are applied in their order. Those of one list come from its end to its start, so that every
index is one of the old list.
"""

# Plain data are of any type below the first level, which strict checking calls unknown.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from holdfast.formats.keypath import KeyPath  # noqa: TC001 - a field of the edits
from holdfast.formats.plain import EXACT, MAX_DEPTH, MISSING, clone, same

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final, NamedTuple, TypeAlias
else:
    from holdfast.light_typing import NamedTuple

__all__ = ["Delete", "Edit", "Set", "Splice", "apply", "changed_paths", "diff", "stretches"]


class Set(NamedTuple):
    """The value at `path` becomes `value`; a key that is not there yet is added."""

    path: KeyPath
    value: Any


class Delete(NamedTuple):
    """The key at the end of `path` goes."""

    path: KeyPath


class Splice(NamedTuple):
    """In the list at `path`, `removed` items from `start` on give way to `inserted`."""

    path: KeyPath
    start: int
    removed: int
    inserted: list[Any]


Edit: TypeAlias = "Set | Delete | Splice"

_LARGEST_TABLE: Final = 10_000
"""Lists whose changed middles are larger (the product of both) are replaced there as a whole."""


def diff(old: Any, new: Any) -> list[Edit]:
    """The edits that make `new` of `old`; none when they are the same.

    Lists of equal length are compared index by index; of others the common head and tail stay, and
    what else they have in common where the changed middle is small.

    Raises:
        ValueError: nested too deep.
    """
    edits: list[Edit] = []
    try:
        _diff(old, new, (), edits=edits)
    except RecursionError:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels") from None
    return edits


def _diff(old: Any, new: Any, path: KeyPath, *, edits: list[Edit]) -> None:
    kind = type(old)
    if kind is not type(new):
        edits.append(Set(path, new))
    elif kind is dict:
        _diff_dicts(old, new, path, edits=edits)
    elif kind is list:
        if len(old) == len(new):
            for index, (a, b) in enumerate(zip(old, new, strict=True)):
                if a is b or (type(a) in EXACT and a == b and type(a) is type(b)):
                    continue
                _diff(a, b, (*path, index), edits=edits)
        else:
            _diff_lists(old, new, path, edits=edits)
    elif not same(old, new):
        edits.append(Set(path, new))


def _diff_dicts(
    old: dict[Any, Any], new: dict[Any, Any], path: KeyPath, *, edits: list[Edit]
) -> None:
    kept = 0
    for key, a in old.items():
        b = new.get(key, MISSING)
        if b is MISSING:
            edits.append(Delete((*path, key)))
            continue
        kept += 1
        if a is b or (type(a) in EXACT and a == b and type(a) is type(b)):
            continue
        _diff(a, b, (*path, key), edits=edits)
    if kept != len(new):
        edits += [Set((*path, key), value) for key, value in new.items() if key not in old]


def _diff_lists(old: list[Any], new: list[Any], path: KeyPath, *, edits: list[Edit]) -> None:
    """Lists of different length, from the end to the start."""
    head, end, new_end = _trim(old, new)
    for index, stop, new_index, new_stop in _gaps(old[head:end], new[head:new_end]):
        removed = old[head + index : head + stop]
        inserted = new[head + new_index : head + new_stop]
        paired = _akin(removed, inserted)
        if paired < max(len(removed), len(inserted)):
            at = head + index + paired
            edits.append(Splice(path, at, len(removed) - paired, inserted[paired:]))
        for offset in range(paired):
            _diff(removed[offset], inserted[offset], (*path, head + index + offset), edits=edits)


def stretches(old: list[Any], new: list[Any]) -> list[tuple[int, int, int, int]]:
    """Where two lists differ: start and end in both, in order; items that both have lie between."""
    head, end, new_end = _trim(old, new)
    gaps = _gaps(old[head:end], new[head:new_end])[::-1]
    found = [tuple(head + at for at in gap) for gap in gaps]
    return [(a, b, c, d) for a, b, c, d in found if (a, c) != (b, d)]


def _trim(old: list[Any], new: list[Any]) -> tuple[int, int, int]:
    """The length of the common head, and where the common tail starts in both."""
    shorter = min(len(old), len(new))
    head = 0
    while head < shorter and same(old[head], new[head]):
        head += 1
    tail = 0
    while tail < shorter - head and same(old[-1 - tail], new[-1 - tail]):
        tail += 1
    return head, len(old) - tail, len(new) - tail


def _akin(removed: list[Any], inserted: list[Any]) -> int:
    """How many items, from the first, are the same thing changed rather than another thing."""
    if len(removed) == len(inserted):
        return len(removed)
    count = 0
    for a, b in zip(removed, inserted, strict=False):
        if type(a) is not dict or type(b) is not dict:
            break
        if not any(key in b and same(value, b[key]) for key, value in a.items()):
            break
        count += 1
    return count


def _gaps(old: list[Any], new: list[Any]) -> list[tuple[int, int, int, int]]:
    """The differing stretches between the items of a longest common subsequence, last first."""
    height, width = len(old), len(new)
    if not height or not width or height * width > _LARGEST_TABLE:
        return [(0, height, 0, width)]
    equal = [[same(a, b) for b in new] for a in old]
    lengths = _common_lengths(equal, height, width)
    gaps: list[tuple[int, int, int, int]] = []
    i, j, gap_i, gap_j = 0, 0, 0, 0
    while i < height and j < width:
        if equal[i][j]:
            if (gap_i, gap_j) != (i, j):
                gaps.append((gap_i, i, gap_j, j))
            i, j = i + 1, j + 1
            gap_i, gap_j = i, j
        elif lengths[i + 1][j] >= lengths[i][j + 1]:
            i += 1
        else:
            j += 1
    if (gap_i, gap_j) != (height, width):
        gaps.append((gap_i, height, gap_j, width))
    return gaps[::-1]


def _common_lengths(equal: list[list[bool]], height: int, width: int) -> list[list[int]]:
    lengths = [[0] * (width + 1) for _ in range(height + 1)]
    for i in range(height - 1, -1, -1):
        row, below = lengths[i], lengths[i + 1]
        for j in range(width - 1, -1, -1):
            row[j] = below[j + 1] + 1 if equal[i][j] else max(below[j], row[j + 1])
    return lengths


def apply(edits: list[Edit], value: Any) -> Any:
    """A copy of `value` with the edits made; neither is changed or shared."""
    result = clone(value)
    for edit in edits:
        if not edit.path and isinstance(edit, Set):
            result = clone(edit.value)
            continue
        parent = result
        for part in edit.path if isinstance(edit, Splice) else edit.path[:-1]:
            parent = parent[part]
        if isinstance(edit, Set):
            parent[edit.path[-1]] = clone(edit.value)
        elif isinstance(edit, Delete):
            del parent[edit.path[-1]]
        else:
            parent[edit.start : edit.start + edit.removed] = clone(edit.inserted)
    return result


def changed_paths(edits: list[Edit]) -> list[KeyPath]:
    """The paths that the edits touch, each once; a list that grew or shrank is named as a whole."""
    return list(dict.fromkeys(edit.path for edit in edits))
