"""An edit script as a tree, for codecs that walk a text once and change it at many places."""

from __future__ import annotations

from holdfast.formats.diff import Delete, Edit, Set, Splice
from holdfast.formats.plain import MISSING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from holdfast.formats.keypath import KeyPath

__all__ = ["Change", "tree", "value_at", "widened"]


class Change:
    """What changes at one place: a new `value`, or something below it."""

    __slots__ = ("children", "deleted", "splices", "value")

    def __init__(self) -> None:
        self.value: Any = MISSING
        self.deleted = False
        self.children: dict[Any, Change] = {}
        self.splices: list[tuple[int, int, list[Any]]] = []
        """(index, removed, inserted), each index one of the old list, the last first."""


def tree(edits: list[Edit]) -> Change:
    """The same edits, hanging on their key paths."""
    root = Change()
    for edit in edits:
        node = root
        for part in edit.path:
            child = node.children.get(part)
            if child is None:
                child = node.children[part] = Change()
            node = child
        if isinstance(edit, Set):
            node.value = edit.value
        elif isinstance(edit, Delete):
            node.deleted = True
        else:
            node.splices.append((edit.start, edit.removed, edit.inserted))
    return root


def widened(edits: list[Edit], place: KeyPath, *, old: Any, new: Any) -> list[Edit]:
    """The edits around `place` as one `Set` of the smallest block that takes in more than they did.

    Lists that grew or shrank are taken whole, since indexes of old and new items differ. Ends with
    a `Set` of the root.
    """
    while place and not any(_below(edit, place) for edit in edits):
        place = place[:-1]
    lists = [e.path for e in edits if isinstance(e, Splice) and place[: len(e.path)] == e.path]
    place = min(lists, key=len, default=place)
    while place and (value_at(old, place) is MISSING or value_at(new, place) is MISSING):
        place = place[:-1]
    kept = [edit for edit in edits if edit.path[: len(place)] != place]
    return [*kept, Set(place, value_at(new, place))]


def _below(edit: Edit, place: KeyPath) -> bool:
    depth = len(place)
    if edit.path[:depth] != place:
        return False
    return len(edit.path) > depth or isinstance(edit, Splice)


def value_at(value: Any, path: KeyPath) -> Any:
    """The value at `path`, or MISSING."""
    for part in path:
        try:
            value = value[part]
        except (LookupError, TypeError):
            return MISSING
    return value
