"""Changes of a TOML text at their places, in the style of what surrounds them.

I1: What goes is what the edits name: the value, the lines of the key, or the lines of the table
    with the comment directly above its header. Everything else stays byte for byte, in its order.
I2: What comes stands at the end of the table or the array that it belongs to, or at its index.

Whether the result holds the value is for the caller to see.
"""

# Plain data are of any type below the first level, which strict checking calls unknown.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import re

from holdfast.formats.diff import Delete, Edit, Set, Splice
from holdfast.formats.keypath import KeyPath, format_path
from holdfast.formats.text import newline_of
from holdfast.formats.toml_items import inserted, removed
from holdfast.formats.toml_scan import has_comment
from holdfast.formats.toml_tree import Leaf, Table, TableArray, Tree, blocks, loose_statements
from holdfast.formats.toml_write import dotted, inline, is_tabular, restyled, tables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Final, NamedTuple

    from holdfast.formats.toml_scan import Statement
    from holdfast.formats.toml_tree import Node
else:
    from holdfast.light_typing import NamedTuple

__all__ = ["Unplaced", "rewrite"]

_BLANK_LINES: Final = re.compile(r"(?:[ \t\r]*+\n)*+").match
_BLANK_END: Final = re.compile(r"\n[ \t\r]*\n\Z").search


class Unplaced(Exception):
    """The change at `path` has no place of its own in the text."""

    def __init__(self, path: KeyPath) -> None:
        super().__init__(format_path(path))
        self.path = path


def rewrite(text: str, edits: Iterable[Edit]) -> str:
    """`text`, which ends with a line feed, with the edits made.

    Raises:
        Unplaced: one of them has no place, or would take comments with it that are not its own.
    """
    writer = _Writer(text)
    for edit in edits:
        writer.make(edit)
    return _assembled(text, writer.patches())


class _Patch(NamedTuple):
    """The characters from start to end give way to a new text."""

    start: int
    end: int
    new: str
    apart: bool = False
    """It is about whole tables, with a blank line above and below."""


class _Writer:
    """Finds the place of each edit, and collects patches."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tree = Tree(text)
        self._changed: list[_Patch] = []
        self._new_blocks: list[tuple[int, _Patch]] = []
        self._new_keys: dict[Table, list[tuple[str, Any]]] = {}
        self._new_items: dict[Leaf, list[tuple[str, Any]]] = {}
        self._gone_items: dict[Leaf, list[int]] = {}

    def make(self, edit: Edit) -> None:
        """Note one edit."""
        if isinstance(edit, Splice):
            self._splice(edit)
            return
        node, holder = self.tree.find(edit.path), self.tree.find(edit.path[:-1])
        if isinstance(edit, Delete):
            self._delete(edit.path, node, holder)
        elif node is None:
            self._add(edit, holder)
        else:
            self._replace(edit, node, holder)

    def patches(self) -> list[_Patch]:
        """All patches; at the same place new keys come before new tables, inner tables first."""
        for table, entries in self._new_keys.items():
            self._add_keys(table, entries)
        for leaf in {**self._gone_items, **self._new_items}:
            self._change_items(leaf)
        deeper_first = sorted(self._new_blocks, key=lambda block: -block[0])
        return self._changed + [patch for _, patch in deeper_first]

    def _add(self, edit: Set, holder: Node | None) -> None:
        key = edit.path[-1] if edit.path else None
        if isinstance(holder, Table) and isinstance(key, str):
            self._new_keys.setdefault(holder, []).append((key, edit.value))
        elif isinstance(holder, Leaf) and self.text[holder.start] == "{" and isinstance(key, str):
            if any(item.key[0] == key for item in holder.inside(self.text).items):
                raise Unplaced(edit.path)  # made by dotted keys
            self._new_items.setdefault(holder, []).append((key, edit.value))
        else:
            raise Unplaced(edit.path)

    def _delete(self, path: KeyPath, node: Node | None, holder: Node | None) -> None:
        if node is None:
            raise Unplaced(path)
        if isinstance(holder, Leaf):
            child = holder.child(self.text, path[-1])
            if child is None:
                raise Unplaced(path)
            self._gone_items.setdefault(holder, []).append(child[0])
            return
        self._remove(node)

    def _replace(self, edit: Set, node: Node, holder: Node | None) -> None:
        if isinstance(node, Leaf):
            old = self.text[node.start : node.end]
            kind: Any = {"{": dict, "[": list}.get(old[0])
            if type(edit.value) is kind and has_comment(old):
                raise Unplaced(edit.path)
            self._patch(node.start, node.end, restyled(edit.value, old))
            return
        same_kind = type(edit.value) is (dict if isinstance(node, Table) else list)
        if not isinstance(holder, Table) or (same_kind and self._has_comment(node)):
            raise Unplaced(edit.path)
        self._remove(node)
        self._add(edit, holder)

    def _splice(self, edit: Splice) -> None:
        node = self.tree.find(edit.path)
        if isinstance(node, TableArray):
            self._splice_tables(edit, node)
            return
        if not isinstance(node, Leaf) or self.text[node.start] != "[":
            raise Unplaced(edit.path)
        inside = node.inside(self.text)
        paired = min(edit.removed, len(edit.inserted))
        at, end = edit.start + paired, edit.start + edit.removed
        for item, value in zip(inside.items[edit.start : at], edit.inserted, strict=False):
            self._patch(item.value, item.end, restyled(value, self.text[item.value : item.end]))
        if at < end:
            self._patch_all(removed(self.text, inside, (at, end)))
        elif new := edit.inserted[paired:]:
            texts = [inline(value) for value in new]
            self._patch_all(inserted(self.text, inside, texts, index=at))

    def _splice_tables(self, edit: Splice, array: TableArray) -> None:
        if any(type(item) is not dict for item in edit.inserted):
            raise Unplaced(edit.path)
        for item in array.items[edit.start : edit.start + edit.removed]:
            self._remove(item)
        if edit.start < len(array.items):
            at = self.tree.lead(_header_of(array.items[edit.start]))
        else:
            at = self._end_of(array)
        new = [tables(array.name, item, item=True) for item in edit.inserted]
        apart = self._stands_apart(array)
        gap = "\n" if apart else ""
        if new:
            indent = self._indent(_header_of(array.items[-1]))
            texts = [gap.join(_indented(block, indent) for block in blocks) for blocks in new]
            self._new_block(2 * len(array.name), at, gap.join(texts), apart=apart)

    def _add_keys(self, table: Table, entries: list[tuple[str, Any]]) -> None:
        """New keys of one table, and new tables in it."""
        if table.block is not None:
            self._add_dotted(table, table.block, entries)
            return
        blocks = dict(entries)
        if table.header is not None or table is self.tree.root:
            self._add_lines(table, [entry for entry in entries if not is_tabular(entry[1])])
            blocks = {key: value for key, value in entries if is_tabular(value)}
        if blocks:
            new = "\n".join(tables(table.name, blocks))
            depth = 2 * len(table.name) + 1  # before the next item of an array of this name
            self._new_block(depth, self._end_of(table), new, apart=True)

    def _add_lines(self, table: Table, entries: list[tuple[str, Any]]) -> None:
        """New keys behind the last one under the header."""
        if not entries:
            return
        last = table.last
        lines = "".join(self._line(last, (key,), value) for key, value in entries)
        if last is not None:
            self._patch(last.end, last.end, lines)
        elif self.tree.statements:
            at = self.tree.lead(self.tree.statements[0])
            self._changed.append(_Patch(at, at, lines, apart=True))
        else:
            self._patch(len(self.text), len(self.text), lines)

    def _add_dotted(self, table: Table, block: Table, entries: list[tuple[str, Any]]) -> None:
        """New keys of a table that dotted keys make, behind the last of them."""
        last = max(loose_statements(table), key=lambda statement: statement.end)
        rest = table.name[len(block.name) :]
        lines = [self._line(last, (*rest, key), value) for key, value in entries]
        self._patch(last.end, last.end, "".join(lines))

    def _line(self, model: Statement | None, key: tuple[str, ...], value: Any) -> str:
        """A line for a new key, in the style of another one."""
        name = dotted(key)
        if model is None or model.opening:
            indent = "" if model is None else self._indent(model)
            return f"{indent}{name} = {inline(value)}\n"
        written = self.text[model.start : model.value]
        left = written.rstrip(" \t")
        after = written[len(left) :]
        old = left[:-1].rstrip(" \t")
        before = left[len(old) : -1]
        if len(before) > 1:  # the equals signs stand below each other
            name = name.ljust(len(old.lstrip(" \t")) + len(before) - 1)
            before = " "
        return f"{self._indent(model)}{name}{before}={after}{inline(value)}\n"

    def _change_items(self, leaf: Leaf) -> None:
        """Without some keys of an inline table, and with new ones."""
        gone, entries = sorted(self._gone_items.get(leaf, [])), self._new_items.get(leaf, [])
        inside = leaf.inside(self.text)
        items = inside.items
        new = [f"{dotted((key,))} = {inline(value)}" for key, value in entries]
        if new and gone and len(gone) == len(items):
            self._patch(items[0].start, items[-1].end, ", ".join(new))
            return
        for run in _runs(gone):
            self._patch_all(removed(self.text, inside, run))
        if new:
            self._patch_all(inserted(self.text, inside, new, index=len(items)))

    def _remove(self, node: Node) -> None:
        """Without all lines of a node."""
        for statement in loose_statements(node):
            self._patch(statement.start, statement.end, "")
        for table in blocks(node):
            start, end = self._span(table)
            self._changed.append(_Patch(start, end, "", apart=True))

    def _span(self, table: Table) -> tuple[int, int]:
        """The lines under a header, with the comments directly above it and below the last key."""
        header = _header_of(table)
        return self.tree.lead(header), self.tree.tail(table.last or header)

    def _has_comment(self, node: Node) -> bool:
        spans = [(statement.start, statement.end) for statement in loose_statements(node)]
        spans += map(self._span, blocks(node))
        return any(has_comment(self.text, start=start, end=end) for start, end in spans)

    def _end_of(self, node: Table | TableArray) -> int:
        """Behind the last block of a table or an array of tables."""
        if node is self.tree.root:
            return len(self.text)
        return max(self._span(table)[1] for table in blocks(node))

    def _stands_apart(self, array: TableArray) -> bool:
        """Whether the items have blank lines between them."""
        at = self.tree.lead(_header_of(array.items[1 if len(array.items) > 1 else 0]))
        return at == 0 or _BLANK_END(self.text, max(0, at - 200), at) is not None

    def _indent(self, statement: Statement) -> str:
        line = self.text[statement.start : statement.end]
        return line[: len(line) - len(line.lstrip(" \t"))]

    def _new_block(self, depth: int, at: int, new: str, *, apart: bool) -> None:
        self._new_blocks.append((depth, _Patch(at, at, new, apart)))

    def _patch(self, start: int, end: int, new: str) -> None:
        self._changed.append(_Patch(start, end, new))

    def _patch_all(self, patches: list[tuple[int, int, str]]) -> None:
        self._changed += [_Patch(*patch) for patch in patches]


def _header_of(table: Table) -> Statement:
    if table.header is None:
        raise Unplaced(table.name)
    return table.header


def _runs(indexes: list[int]) -> list[tuple[int, int]]:
    """Neighbouring numbers as (first, behind the last)."""
    runs: list[tuple[int, int]] = []
    for index in indexes:
        if runs and runs[-1][1] == index:
            runs[-1] = runs[-1][0], index + 1
        else:
            runs.append((index, index + 1))
    return runs


def _indented(block: str, indent: str) -> str:
    return "".join(indent + line for line in block.splitlines(keepends=True)) if indent else block


def _assembled(text: str, patches: list[_Patch]) -> str:
    """The text with all patches made, and blank lines around tables that come, not that go."""
    output = _Output(newline_of(text))
    at = 0
    for patch in sorted(patches, key=lambda patch: patch[:2]):
        if patch.start < at:
            raise Unplaced(())
        output.keep(text[at : patch.start])
        output.put(patch)
        at = patch.end
    output.keep(text[at:])
    return output.text()


class _Output:
    """The new text, as it grows."""

    def __init__(self, newline: str) -> None:
        self._newline = newline
        self._pieces: list[str] = []
        self._end = "\n\n"
        self._came = False
        """The last thing was a table that came; something that is no blank line follows it."""
        self._went = False

    def keep(self, text: str) -> None:
        """What stays."""
        if not text:
            return
        blank = _BLANK_LINES(text)
        lines = 0 if blank is None else blank.end()
        if self._came and not lines:
            self._append(self._newline)
        if self._went and self._is_apart():
            text = text[lines:]
        self._came = self._went = False
        self._append(text)

    def put(self, patch: _Patch) -> None:
        """What comes instead of what goes."""
        new = patch.new.replace("\n", self._newline)
        if not patch.apart:
            self._append(new)
            return
        if new:
            if not self._is_apart():
                self._append(self._newline)
            self._append(new)
        self._came, self._went = bool(new) or self._came, not new

    def text(self) -> str:
        """All of it; where a table went from the end, without the blank lines above it."""
        text = "".join(self._pieces)
        if self._went:
            text = text.rstrip(" \t\r\n")
            return text + self._newline if text else text
        return text

    def _is_apart(self) -> bool:
        return self._end.endswith(("\n\n", "\n\r\n"))

    def _append(self, text: str) -> None:
        if text:
            self._pieces.append(text)
            self._end = (self._end + text)[-4:]
