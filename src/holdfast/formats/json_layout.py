"""Changes of a JSON text at their places, in the style of what surrounds them."""

# Plain data are of any type below the first level, which strict checking calls unknown.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from holdfast.formats.json_scan import past_mark, past_spaces, scan
from holdfast.formats.plain import MISSING
from holdfast.formats.text import Layout, Patch, newline_of, patched, spliced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from holdfast.formats.changes import Change

__all__ = ["Style", "rewrite"]

_INDENT: Final = r"[\[{]\r?\n([ \t]*)(?=[^\s])"
_COLON: Final = r'"[ \t]*:([ \t]*)'


class Style:
    """How a text writes JSON: indent, separators, line ends, escapes."""

    def __init__(self, text: str) -> None:
        import re

        indent = re.search(_INDENT, text)
        self.multiline = indent is not None or len(text.strip()) < 3
        self.unit = indent[1] if indent is not None else "  "
        colon = re.search(_COLON, text)
        self.key_separator = f":{colon[1]}" if colon is not None else ": "
        self.item_separator = "," if self.key_separator == ":" and not self.multiline else ", "
        self.newline = newline_of(text)
        self.ascii = "\\u" in text and text.isascii()

    def dumps(self, value: Any, *, inline: bool = False, indent: str = "") -> str:
        """The text of a value; `indent` is that of the line it begins on."""
        import json

        if not isinstance(value, (dict, list)):
            return json.dumps(value, ensure_ascii=self.ascii)
        inline = inline or not self.multiline
        text = json.dumps(
            value,
            ensure_ascii=self.ascii,
            indent=None if inline else self.unit,
            separators=(self.item_separator if inline else ",", self.key_separator),
        )
        return text if inline else text.replace("\n", self.newline + indent)


def rewrite(text: str, changes: Change, *, thorough: bool) -> str:
    """`text` with the changes made.

    Args:
        thorough: Look at every key of an object that changes: duplicate keys are all deleted, and
            the last one is set. Otherwise the first one found is taken to be the only one.
    """
    writer = _Rewriter(text, thorough)
    start = past_spaces(text, 0)
    writer.visit(start, changes, inline=False)
    return patched(text, writer.patches)


class _Rewriter:
    """Walks to the places that change, and collects patches."""

    def __init__(self, text: str, thorough: bool) -> None:
        self.text = text
        self.thorough = thorough
        self.patches: list[Patch] = []
        self._style: Style | None = None

    @property
    def style(self) -> Style:
        if self._style is None:
            self._style = Style(self.text)
        return self._style

    def visit(self, start: int, change: Change, *, inline: bool) -> None:
        """The value that begins at `start`; `inline`: its container is written on one line."""
        if change.value is not MISSING:
            self._replace(start, change.value, inline)
        elif self.text[start] == "{":
            self._object(start, change, inline)
        else:
            self._array(start, change, inline)

    def _replace(self, start: int, value: Any, inline: bool) -> None:
        end = scan(self.text, start)[1]
        if isinstance(value, (dict, list)):
            if self.text[start] in "[{" and end - start > 2:
                inline = "\n" not in self.text[start:end]
            new = self.style.dumps(value, inline=inline, indent=self._indent(start))
        else:
            import json

            is_escaped = type(value) is str and not value.isascii() and self.style.ascii
            new = json.dumps(value, ensure_ascii=is_escaped)
        self.patches.append((start, end, new))

    def _indent(self, at: int) -> str:
        """The indent of the line that `at` is on."""
        start = self.text.rfind("\n", 0, at) + 1
        line = self.text[start:at]
        return line[: len(line) - len(line.lstrip(" \t"))]

    def _object(self, start: int, change: Change, inline: bool) -> None:
        text, children = self.text, change.children
        spans: list[tuple[int, int]] = []
        found: dict[str, int] = {}
        deleted: list[int] = []
        at = first = past_spaces(text, start + 1)
        while text[at] != "}":
            key, colon = scan(text, at)
            value = past_mark(text, colon)
            end = scan(text, value)[1]
            if key in children:
                found[key] = value
                if children[key].deleted:
                    deleted.append(len(spans))
            spans.append((at, end))
            at = past_mark(text, end)
            if not self.thorough and not deleted and len(found) == len(children):
                break
        inside = (start + 1, at, text[start + 1 : first])
        inline = self._children(change, found, inside[2], inline=inline)
        new = [(key, c.value) for key, c in children.items() if key not in found and not c.deleted]
        if new or deleted:
            splices = _runs(deleted, len(spans), new)
            self._splice(spans, inside, splices, inline=inline)

    def _array(self, start: int, change: Change, inline: bool) -> None:
        text, children = self.text, change.children
        spans: list[tuple[int, int]] = []
        found: dict[int, int] = {}
        at = first = past_spaces(text, start + 1)
        while text[at] != "]":
            if len(spans) in children:
                found[len(spans)] = at
            end = scan(text, at)[1]
            spans.append((at, end))
            at = past_mark(text, end)
        inside = (start + 1, at, text[start + 1 : first])
        inline = self._children(change, found, inside[2], inline=inline)
        if change.splices:
            splices = [
                (index, removed, [(None, item) for item in inserted])
                for index, removed, inserted in change.splices
            ]
            self._splice(spans, inside, splices, inline=inline)

    def _children(self, change: Change, found: dict[Any, int], lead: str, *, inline: bool) -> bool:
        """Visit the changed values of a container; returns whether its items stand on one line."""
        if found or lead:
            inline = "\n" not in lead
        for key, at in found.items():
            if not change.children[key].deleted:
                self.visit(at, change.children[key], inline=inline)
        return inline

    def _splice(
        self,
        spans: list[tuple[int, int]],
        inside: tuple[int, int, str],
        splices: list[tuple[int, int, list[tuple[Any, Any]]]],
        *,
        inline: bool,
    ) -> None:
        if spans:
            inline = "\n" not in inside[2]
        layout, indent = self._layout(spans, inside, inline=inline)
        rendered = [
            (
                index,
                removed,
                [self._item(key, value, inline=inline, indent=indent) for key, value in items],
            )
            for index, removed, items in splices
        ]
        self.patches += spliced(layout, spans, rendered)

    def _layout(
        self, spans: list[tuple[int, int]], inside: tuple[int, int, str], *, inline: bool
    ) -> tuple[Layout, str]:
        """How to write items between two brackets, and the indent of their lines."""
        start, end, lead = inside
        before = after = ""
        indent = self._indent(start)
        if len(spans) > 1:
            separator = self.text[spans[-2][1] : spans[-1][0]]
        elif spans:
            separator = self.style.item_separator if inline else "," + lead
        elif inline or not self.style.multiline:
            separator = self.style.item_separator
        else:
            after = self.style.newline + indent
            before = after + self.style.unit
            separator = "," + before
        if "\n" in separator:
            indent = separator.rpartition("\n")[2]
        elif before:
            indent += self.style.unit
        return Layout(start, end, separator, before, after), indent

    def _item(self, key: str | None, value: Any, *, inline: bool, indent: str) -> str:
        text = self.style.dumps(value, inline=inline, indent=indent)
        if key is None:
            return text
        import json

        return json.dumps(key, ensure_ascii=self.style.ascii) + self.style.key_separator + text


def _runs(
    deleted: list[int], count: int, new: list[tuple[Any, Any]]
) -> list[tuple[int, int, list[tuple[Any, Any]]]]:
    """Deleted members as splices, with the new ones at the end."""
    splices: list[tuple[int, int, list[tuple[Any, Any]]]] = []
    for index in deleted:
        if splices and sum(splices[-1][:2]) == index:
            splices[-1] = (splices[-1][0], splices[-1][1] + 1, [])
        else:
            splices.append((index, 1, []))
    if new:
        if splices and sum(splices[-1][:2]) == count:
            splices[-1] = (*splices[-1][:2], new)
        else:
            splices.append((count, 0, new))
    return splices
