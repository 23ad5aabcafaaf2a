"""Changes of a YAML text at their places.

A scalar gives way on its own span; entries come and go by lines, with the comments of others left
where they are. What cannot be done at its place raises `Unplaced`, and the caller tries a larger
block; what would touch an anchor or alias raises ValueError.
"""

# Plain data are of any type below the first level, which strict checking calls unknown.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from holdfast.formats.keypath import KeyPath, format_path
from holdfast.formats.plain import MISSING
from holdfast.formats.text import Layout, Patch, newline_of, patched, spliced
from holdfast.formats.yaml_emit import Style, style_of
from holdfast.formats.yaml_places import Places, Unplaced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NamedTuple

    from holdfast.formats.changes import Change
    from holdfast.formats.yaml_nodes import Node, Tree
else:
    from holdfast.light_typing import NamedTuple

__all__ = ["rewrite"]


def rewrite(text: str, tree: Tree, changes: Change) -> str:
    """`text` with the changes made.

    Raises:
        Unplaced: a change does not fit its place.
        ValueError: a change would reach an alias, or what aliases stand for.
    """
    writer = _Writer(text, tree)
    root = tree.root
    if root is None or root.is_empty:
        return writer.filled(changes)
    writer.visit(_Slot(root, root.start, 0, "root", ()), changes)
    return patched(text, writer.patches)


class _Slot(NamedTuple):
    """A node with where it stands."""

    node: Node
    mark: int
    """Behind the colon or dash that it belongs to."""
    column: int
    """Of that key or dash."""
    kind: str
    """"root", "entry" (of a mapping), "item" (of a list) or "flow" (within brackets)."""
    path: KeyPath


class _Writer(Places):
    """Walks to the places that change, and collects patches."""

    def __init__(self, text: str, tree: Tree) -> None:
        super().__init__(text)
        self.tree = tree
        self.newline = newline_of(text)
        self.patches: list[Patch] = []
        self._style: Style | None = None

    @property
    def style(self) -> Style:
        if self._style is None:
            self._style = style_of(self.text, self.tree.root, self.newline)
        return self._style

    def filled(self, changes: Change) -> str:
        """A text without content, with some."""
        value = changes.value
        if value is MISSING:
            value = {key: child.value for key, child in changes.children.items()}
        end = self.document_end()
        text, rest = self.text[:end], self.text[end:]
        if text and not text.endswith("\n"):
            text += self.newline
        if value and isinstance(value, (dict, list)):
            return text + self.style.block(value, 0) + self.newline + rest
        return text + self.style.short(value, 0) + self.newline + rest

    def visit(self, slot: _Slot, change: Change) -> None:
        """Make the changes at and below one node."""
        node = slot.node
        if change.value is not MISSING:
            self._replace(slot, change.value)
            return
        if node.kind == "alias":
            raise _shared(slot.path, f"*{node.anchor}")
        if node.anchor is not None and node.anchor in self.tree.aliased:
            raise _shared(slot.path, f"&{node.anchor}")
        if node.kind == "map":
            self._map(slot, change)
        elif node.kind == "seq":
            self._seq(slot, change)
        else:
            raise Unplaced(slot.path)

    # One value for another.

    def _replace(self, slot: _Slot, value: Any) -> None:
        self._let_go(slot.node, slot.path)
        long = bool(value) and isinstance(value, (dict, list))
        node = slot.node
        if slot.kind == "flow":
            self._put_flow(slot, self.style.flow(value, style=node.style))
        elif long and node.flow and "\n" not in self.text[node.start : node.end]:
            self.patches.append((node.start, node.end, self.style.flow(value)))
        elif slot.kind == "root":
            text = self.style.block(value, 0) if long else self.style.short(value, 0)
            text = text if self.begins_line(node.start) else self.newline + text
            self.patches.append((node.start, self.tail(node, slot.path), text))
        elif long:
            self._put_long(slot, value)
        else:
            indent = self.literal_indent(node)
            new = self.style.short(value, slot.column, style=node.style, indent=indent)
            self._put_short(slot, new)

    def _put_flow(self, slot: _Slot, new: str) -> None:
        node = slot.node
        before = self.text[slot.mark : node.start]
        if node.is_empty:
            new = ("" if before.endswith(" ") else " ") + new
            new = new if self.text[slot.mark - 1] in ":,[{ " else ":" + new
        self.patches.append((node.start, node.end, new))

    def _put_short(self, slot: _Slot, new: str) -> None:
        node, mark = slot.node, slot.mark
        # A comment on the line stays behind the header of a block.
        head, line_break, block = new.partition(self.newline)
        start, tail = (mark, mark) if node.is_empty else (node.start, self.tail(node, slot.path))
        gap = self.line_end(mark)
        below = "\n" in self.text[mark:start]
        if below and not self.has_comment(gap, start):
            # The line of the key keeps its comment.
            self.patches += [(mark, mark, " " + head), (gap, tail, "")]
        else:
            # A value may not stand at the column of its key, as a list may.
            pad = " " if node.is_empty or (below and self.column(start) <= slot.column) else ""
            self.patches.append((start, tail, pad + head))
        if block:
            end = self.line_end(tail)
            self.patches.append((end, end, line_break + block))

    def _put_long(self, slot: _Slot, value: Any) -> None:
        node, mark = slot.node, slot.mark
        if slot.kind == "item":
            column = slot.column + 2
            below = self.newline + " " * column + self.style.block(value, column)
        else:
            below = self.style.below(value, slot.column)
        if node.is_empty:
            end = self.line_end(mark)
            self.patches.append((end, end, below))
            return
        tail = self.tail(node, slot.path)
        end = self.line_end(tail)
        if "\n" in self.text[mark : node.start]:
            self.patches.append((self.line_before(node.start), tail, below))
        elif slot.kind == "item" and not self.text[tail:end].strip():
            block = self.style.block(value, slot.column + 2)
            self.patches.append((mark, tail, " " + block))
        else:
            self.patches += [(mark, tail, ""), (end, end, below)]

    def _let_go(self, node: Node, path: KeyPath) -> None:
        """Refuse to remove what aliases elsewhere stand for."""
        if not self.tree.aliased:
            return
        nodes = [node]
        while nodes:
            node = nodes.pop()
            if node.kind != "alias" and node.anchor in self.tree.aliased:
                raise _shared(path, f"&{node.anchor}")
            nodes += node.items

    # Mappings.

    def _map(self, slot: _Slot, change: Change) -> None:
        node, path = slot.node, slot.path
        keys = [key.data if key.style or key.data != "<<" else MISSING for key, _ in node.pairs]
        children = change.children
        deleted = [i for i, key in enumerate(keys) if key in children and children[key].deleted]
        new = {key: child.value for key, child in children.items() if key not in keys}
        for key, value in new.items():
            if value is MISSING:
                raise _shared((*path, key), "<<")
        for index in deleted:
            self._let_go(node.pairs[index][1], (*path, keys[index]))
        if len(deleted) == len(keys):
            self._all_gone(slot, new)
            return
        column = self.column(node.body)
        for index, (key, value) in enumerate(node.pairs):
            if keys[index] in children and index not in deleted:
                child = (*path, keys[index])
                mark = self.colon(key, child, flow=node.flow)
                kind = "flow" if node.flow else "entry"
                self.visit(_Slot(value, mark, column, kind, child), children[keys[index]])
        if new or deleted:
            entries = self._flow_entries if node.flow else self._block_entries
            entries(slot, deleted, new)

    def _all_gone(self, slot: _Slot, new: dict[Any, Any]) -> None:
        node = slot.node
        lines = []
        if not node.flow:
            lines = [(key.start, self.pair_end((key, v), slot.path)) for key, v in node.pairs]
        if slot.kind == "root" and lines and not new:
            self.patches += [(*self.whole_lines(*line), "") for line in lines]
        else:
            self._put_instead(slot, lines, new)

    def _put_instead(self, slot: _Slot, lines: list[tuple[int, int]], new: Any) -> None:
        """Another content for a collection of which only the comments between entries stay."""
        node = slot.node
        if not lines or not self.has_comment(slot.mark, lines[-1][0]):
            self._replace(slot, new)
            return
        self._let_go(node, slot.path)
        column = self.column(node.body)
        text = self.style.block(new, column) if new else self.style.flow(new)
        pad = " " if not new and column <= slot.column and slot.kind == "entry" else ""
        self.patches.append((node.body, self.line_end(lines[0][1]), pad + text))
        self.patches += [(*self.whole_lines(*line), "") for line in lines[1:]]

    def _block_entries(self, slot: _Slot, deleted: list[int], new: dict[Any, Any]) -> None:
        node, path = slot.node, slot.path
        pairs = node.pairs
        column = self.column(node.body)
        if deleted[:1] == [0] and not self.begins_line(node.body):
            first = next(i for i in range(len(pairs)) if i not in deleted)
            lines = [(key.start, self.pair_end((key, value), path)) for key, value in pairs[:first]]
            self._take_first(slot, lines, pairs[first][0].start)
            deleted = [index for index in deleted if index > first]
        for index in deleted:
            end = self.pair_end(pairs[index], path)
            self.patches.append((*self.whole_lines(pairs[index][0].start, end), ""))
        if new:
            last = max(i for i in range(len(pairs)) if i not in deleted)
            end = self.line_end(self.pair_end(pairs[last], path))
            lead = self.newline + " " * column
            added = [lead + self.style.entry(key, value, column) for key, value in new.items()]
            self.patches.append((end, end, "".join(added)))

    def _take_first(self, slot: _Slot, lines: list[tuple[int, int]], following: int) -> None:
        """Remove the first lines of a collection that begins behind a dash."""
        if not self.has_comment(self.line_end(lines[0][1]), following):
            self.patches.append((lines[0][0], following, ""))
            return
        self.patches.append((slot.mark, self.line_end(lines[0][1]), ""))
        self.patches += [(*self.whole_lines(*line), "") for line in lines[1:]]

    def _flow_entries(self, slot: _Slot, deleted: list[int], new: dict[Any, Any]) -> None:
        node = slot.node
        if self.text[node.body] != "{":
            raise Unplaced(slot.path)
        spans = [(key.start, max(key.end, value.end)) for key, value in node.pairs]
        splices: list[tuple[int, int, list[str]]] = [(index, 1, []) for index in deleted]
        added = [self.style.flow({key: value})[1:-1] for key, value in new.items()]
        self._splice_flow(slot, spans, _joined(splices, len(spans), added))

    # Lists.

    def _seq(self, slot: _Slot, change: Change) -> None:
        node, path = slot.node, slot.path
        for index, removed, _ in change.splices:
            for item in node.items[index : index + removed]:
                self._let_go(item, path)
        dashes = [] if node.flow else self.dashes(node, path)
        if len(node.items) == sum(removed for _, removed, _ in change.splices):
            new = [item for splice in change.splices[::-1] for item in splice[2]]
            self._put_instead(slot, self._lines(node.items, dashes, path), new)
            return
        if node.flow:
            self._flow_seq(slot, change)
            return
        column = self.column(node.body)
        for index, child in change.children.items():
            mark = dashes[index] + 1
            self.visit(_Slot(node.items[index], mark, column, "item", (*path, index)), child)
        for index, removed, inserted in change.splices:
            self._splice_block(slot, dashes, (index, removed, inserted))

    def _flow_seq(self, slot: _Slot, change: Change) -> None:
        node, path = slot.node, slot.path
        for index, child in change.children.items():
            item = node.items[index]
            self.visit(_Slot(item, item.start, 0, "flow", (*path, index)), child)
        if change.splices:
            spans = [(item.start, item.end) for item in node.items]
            splices = [
                (index, removed, [self.style.flow(item) for item in inserted])
                for index, removed, inserted in change.splices
            ]
            self._splice_flow(slot, spans, splices)

    def _splice_flow(
        self, slot: _Slot, spans: list[tuple[int, int]], splices: list[tuple[int, int, list[str]]]
    ) -> None:
        separator = ", "
        if len(spans) > 1:
            separator = self.text[spans[-2][1] : spans[-1][0]]
        if "#" in separator:
            separator = "," + separator[separator.rindex("\n") :]
        layout = Layout(slot.node.body + 1, slot.node.end - 1, separator, "", "")
        self.patches += spliced(layout, spans, splices)

    def _splice_block(
        self, slot: _Slot, dashes: list[int], splice: tuple[int, int, list[Any]]
    ) -> None:
        index, removed, inserted = splice
        node, path = slot.node, slot.path
        column = self.column(node.body)
        lead = self.newline + " " * column
        items = [self.style.item(item, column) for item in inserted]
        stop = index + removed
        gone = self._lines(node.items[index:stop], dashes[index:stop], path)
        if index == 0 and items:
            end = self.line_end(gone[0][1]) if gone else dashes[0]
            new = lead.join(items) + ("" if gone else lead)
            self.patches.append((dashes[0], end, new))
            gone, items = gone[1:], []
        elif index == 0 and not self.begins_line(node.body):
            self._take_first(slot, gone, dashes[removed])
            return
        self.patches += [(*self.whole_lines(*line), "") for line in gone]
        if items:
            end = self.line_end(self.item_end(node.items[index - 1], dashes[index - 1], path))
            self.patches.append((end, end, "".join(lead + item for item in items)))

    def _lines(self, items: list[Node], dashes: list[int], path: KeyPath) -> list[tuple[int, int]]:
        """From the dash to the end of each item; within brackets there are no dashes."""
        pairs = zip(items, dashes, strict=False)
        return [(dash, self.item_end(item, dash, path)) for item, dash in pairs]


def _joined(
    splices: list[tuple[int, int, list[str]]], count: int, added: list[str]
) -> list[tuple[int, int, list[str]]]:
    """Neighbouring removals as one, with what is added at the end."""
    if added:
        splices = [*splices, (count, 0, added)]
    joined: list[tuple[int, int, list[str]]] = []
    for index, removed, items in splices:
        if joined and joined[-1][0] + joined[-1][1] == index:
            joined[-1] = (joined[-1][0], joined[-1][1] + removed, items)
        else:
            joined.append((index, removed, items))
    return joined


def _shared(path: KeyPath, sign: str) -> ValueError:
    where = format_path(path)
    if sign == "<<":
        return ValueError(f"{where} comes from a merge key (<<): change it where it is written")
    return ValueError(f"{where} is shared by {sign}: a change would reach more than one place")
