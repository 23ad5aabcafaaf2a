"""Plain data as YAML text, in the style of the text around it."""

# Plain data are of any type below the first level, which strict checking calls unknown.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from holdfast.formats.yaml_scalars import literal, written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NamedTuple

    from holdfast.formats.yaml_nodes import Node
else:
    from holdfast.light_typing import NamedTuple

__all__ = ["Style", "style_of"]


class Style(NamedTuple):
    """How a text indents."""

    step: int = 2
    """From a key to the keys below it."""
    dash: int = 2
    """From a key to the dashes below it."""
    newline: str = "\n"

    def block(self, value: Any, column: int) -> str:
        """A dict or list with something in it, as lines; the first has no indent."""
        separator = self.newline + " " * column
        if isinstance(value, dict):
            return separator.join(self.entry(key, item, column) for key, item in value.items())
        return separator.join(self.item(item, column) for item in value)

    def entry(self, key: Any, value: Any, column: int) -> str:
        """`key: value`, on as many lines as it takes."""
        if value and isinstance(value, (dict, list)):
            return f"{written(key)}:{self.below(value, column)}"
        return f"{written(key)}: {self.short(value, column)}"

    def item(self, value: Any, column: int) -> str:
        """`- value`."""
        if value and isinstance(value, (dict, list)):
            return "- " + self.block(value, column + 2)
        return "- " + self.short(value, column)

    def below(self, value: Any, column: int) -> str:
        """A dict or list with something in it, on the lines below its key at `column`."""
        inner = column + (self.dash if isinstance(value, list) else self.step)
        return self.newline + " " * inner + self.block(value, inner)

    def short(self, value: Any, column: int, *, style: str | None = None, indent: int = 0) -> str:
        """A scalar (text of several lines as a literal block) or an empty collection.

        Args:
            style: The quote of the old text.
            indent: The columns that the lines of the old literal block began with.
        """
        if isinstance(value, str) and "\n" in value and style not in ("'", '"'):
            block = literal(value, " " * (indent or column + self.step), self.newline)
            if block is not None:
                return block
        return self.flow(value, style=style)

    def flow(self, value: Any, *, style: str | None = None) -> str:
        """Any value on one line."""
        if isinstance(value, dict):
            pairs = (f"{written(k)}: {self.flow(v)}" for k, v in value.items())
            return "{" + ", ".join(pairs) + "}"
        if isinstance(value, list):
            return "[" + ", ".join(self.flow(item) for item in value) + "]"
        return written(value, style=style)


def style_of(text: str, root: Node | None, newline: str) -> Style:
    """The indents of the first mapping and the first list that stand below a key."""
    step = dash = -1
    level = [root] if root is not None else []
    while level and (step < 0 or dash < 0):
        for node in level:
            if node.kind != "map" or node.flow:
                continue
            column = _column(text, node.body)
            for _, value in node.pairs:
                if value.kind == "map" and not value.flow and step < 0:
                    step = _column(text, value.body) - column
                elif value.kind == "seq" and not value.flow and dash < 0:
                    dash = _column(text, value.body) - column
        level = [item for node in level for item in node.items]
    return Style(step if step > 0 else 2, dash if dash >= 0 else 2, newline)


def _column(text: str, index: int) -> int:
    return index - text.rfind("\n", 0, index) - 1
