"""Items of arrays and inline tables: put in and taken out at their places, as patches of a text."""

from __future__ import annotations

import re

from holdfast.formats.toml_scan import has_comment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final, NamedTuple

    from holdfast.formats.text import Patch
    from holdfast.formats.toml_scan import Inside, Item
else:
    from holdfast.light_typing import NamedTuple

__all__ = ["inserted", "removed"]

_LINE_REST: Final = re.compile(r"[ \t]*+,?+[ \t\r]*+(?:#[^\n]*+)?+\n").match
_OPENING_REST: Final = re.compile(r"[ \t\r]*+(?:#[^\n]*+)?+\n").match
_BLANKS: Final = re.compile(r"[ \t]*+").match


class _Line(NamedTuple):
    start: int
    end: int
    indent: str


def removed(text: str, inside: Inside, run: tuple[int, int]) -> list[Patch]:
    """Without the items of a run (first, behind the last); of their own lines, the whole line."""
    start, end = run
    items = inside.items
    gone = items[start:end]
    if len(gone) == len(items) and not has_comment(text, start=inside.open + 1, end=inside.close):
        return [(inside.open + 1, inside.close, "")]
    lines = [line for item in gone if (line := _own_line(text, item)) is not None]
    if len(lines) == len(gone):
        return [(line.start, line.end, "") for line in lines]
    if start and end == len(items) and gone[-1].comma < 0:
        before = items[start - 1].comma
        if "\n" not in _between(text, items[start - 1 :]):
            return [(before, gone[-1].end, "")]
    return [patch for item in gone for patch in _taken_out(text, item)]


def inserted(text: str, inside: Inside, new: Sequence[str], *, index: int) -> list[Patch]:
    """With new items before the one at `index`, on lines of their own if its neighbour has one."""
    items = inside.items
    if not items:
        if has_comment(text, start=inside.open + 1, end=inside.close):
            return [(inside.open + 1, inside.open + 1, ", ".join(new))]
        return [(inside.open + 1, inside.close, ", ".join(new))]
    line = _own_line(text, items[max(0, index - 1)])
    if index:
        return _behind(items[index - 1], line, new, comma=_comma(items))
    opening = _OPENING_REST(text, inside.open + 1)
    if line is None or opening is None:
        at, comma = items[0].start, _comma(items)
        return [(at, at, "".join(item + comma for item in new))]
    at = opening.end()
    return [(at, at, "".join(f"{line.indent}{item},\n" for item in new))]


def _behind(item: Item, line: _Line | None, new: Sequence[str], *, comma: str) -> list[Patch]:
    if line is None:
        return [(item.end, item.end, "".join(comma + entry for entry in new))]
    rows = [f"{line.indent}{entry}," for entry in new]
    if item.comma >= 0:
        return [(line.end, line.end, "\n".join([*rows, ""]))]
    rows[-1] = rows[-1][:-1]
    return [(item.end, item.end, ","), (line.end, line.end, "\n".join([*rows, ""]))]


def _own_line(text: str, item: Item) -> _Line | None:
    """The lines that an item has for itself, with its comma and the comment behind it."""
    start = text.rfind("\n", 0, item.start) + 1
    indent = text[start : item.start]
    rest = _LINE_REST(text, item.end)
    if indent.strip(" \t") or rest is None or item.comma >= rest.end():
        return None
    return _Line(start, rest.end(), indent)


def _comma(items: list[Item]) -> str:
    return "," if len(items) > 1 and items[0].comma + 1 == items[1].start else ", "


def _between(text: str, items: Sequence[Item]) -> str:
    """All that stands between the items."""
    starts = [item.start for item in items[1:]]
    return "".join(text[item.end : start] for item, start in zip(items, starts, strict=False))


def _taken_out(text: str, item: Item) -> list[Patch]:
    """Without the item and its comma; a comment between both stays."""
    patches = [(item.start, item.end, "")]
    if item.comma >= 0:
        blanks = _BLANKS(text, item.comma + 1)
        patches.append((item.comma, item.comma + 1 if blanks is None else blanks.end(), ""))
    return patches
