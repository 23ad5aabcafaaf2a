"""The comments of a YAML text, and whether a change has lost one that is not its own to lose."""

# Plain data are of any type below the first level, which strict checking calls unknown.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import re

from holdfast.formats.diff import Delete, Set, Splice
from holdfast.formats.yaml_places import Places, Unplaced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final, TypeAlias

    from holdfast.formats.diff import Edit
    from holdfast.formats.keypath import KeyPath
    from holdfast.formats.yaml_nodes import Node, Tree

__all__ = ["lost_comment"]

_Span: TypeAlias = "tuple[int, int]"

_COMMENT: Final = re.compile(r"(?:(?<=[ \t\n])|\A)#[^\r\n]*")
_BEHIND: Final = re.compile(r"[ \t]*,?[ \t]*(#[^\r\n]*)?(?=\r|\n|\Z)")
"""What may stand behind an item within brackets and belongs to it alone."""


def lost_comment(
    old: str, tree: Tree, edits: list[Edit], *, new: str, new_tree: Tree
) -> str | None:
    """The first comment of `old` that is not in `new` any more, in its order; None if all are.

    A comment on the lines of what was deleted, or inside what was replaced, may go with it.

    Args:
        edits: What was asked for, not what a wider rewrite made of it.
    """
    if "#" not in old:
        return None
    spans = sorted(_Owner(old, tree).spans(edits), reverse=True)
    kept = "".join(f" {text}\n" for _, text in _comments(new, new_tree))
    place = free = 0
    for at, comment in _comments(old, tree):
        while spans and spans[-1][0] <= at:
            free = max(free, spans.pop()[1])
        if at >= free:
            place = _behind(comment, kept, place)
            if not place:
                return comment
    return None


def _behind(comment: str, kept: str, place: int) -> int:
    """The end of a comment in the kept ones, of which two may have become one; 0 if it is lost."""
    while True:
        start = kept.find(comment, place)
        if start < 0:
            return 0
        place = start + len(comment)
        if kept[start - 1].isspace() and kept[place].isspace():
            return place


def _comments(text: str, tree: Tree) -> list[tuple[int, str]]:
    """Where each comment is, and its text."""
    found: list[tuple[int, str]] = []
    at = 0
    for start, end in [*_scalars(text, tree), (len(text), len(text))]:
        match = _COMMENT.search(text, at)
        while match is not None and match.start() < start:
            found.append((match.start(), match[0].rstrip()))
            match = _COMMENT.search(text, match.end())
        at = max(at, end)
    return found


def _scalars(text: str, tree: Tree) -> list[_Span]:
    """The spans of scalars, in which no comment can be; of blocks, the lines below the header."""
    places = Places(text)
    spans: list[_Span] = []
    pending = [tree.root] if tree.root is not None else []
    while pending:
        node = pending.pop()
        pending += node.items
        if node.kind == "scalar" and node.style in ("|", ">"):
            spans.append((places.line_end(node.start), places.tail(node, ())))
        elif node.kind == "scalar":
            spans.append((node.start, node.end))
    return sorted(spans)


class _Owner(Places):
    """Finds which spans of a text belong to what edits delete or replace."""

    def __init__(self, text: str, tree: Tree) -> None:
        super().__init__(text)
        self.tree = tree
        self._entries: dict[Node, dict[Any, tuple[Node, Node]]] = {}
        self._dashes: dict[Node, list[int]] = {}

    def spans(self, edits: list[Edit]) -> list[_Span]:
        """The spans in which comments may go."""
        found: list[_Span] = []
        for edit in edits:
            try:
                found += self._of_edit(edit)
            except Unplaced:
                continue  # nothing is allowed that cannot be told
        return found

    def _of_edit(self, edit: Edit) -> list[_Span]:
        if isinstance(edit, Splice):
            node = self._node(edit.path)
            return self._items(node, edit) if node is not None else []
        if isinstance(edit, Set):
            node = self._node(edit.path)
            return [] if node is None else [(node.start, self.tail(node, edit.path))]
        return self._entry(edit)

    def _items(self, node: Node, edit: Splice) -> list[_Span]:
        chosen = range(edit.start, edit.start + edit.removed)
        if node.kind != "seq":
            return []
        if node.flow:
            return [self._in_flow(node.items[at].start, node.items[at].end) for at in chosen]
        if node not in self._dashes:
            self._dashes[node] = self.dashes(node, edit.path)
        dashes = self._dashes[node]
        return [
            self.whole_lines(dashes[at], self.item_end(node.items[at], dashes[at], edit.path))
            for at in chosen
        ]

    def _entry(self, edit: Delete) -> list[_Span]:
        node = self._node(edit.path[:-1])
        pair = None if node is None else self._pair(node, edit.path[-1])
        if node is None or pair is None:
            return []
        key, value = pair
        if node.flow:
            return [self._in_flow(key.start, max(key.end, value.end))]
        return [self.whole_lines(key.start, self.pair_end(pair, edit.path))]

    def _in_flow(self, start: int, end: int) -> _Span:
        behind = _BEHIND.match(self.text, end)
        return (start, end if behind is None else behind.end())

    def _node(self, path: KeyPath) -> Node | None:
        """The node at a path, as far as it is written out there."""
        node = self.tree.root
        for part in path:
            if node is None or node.kind not in ("map", "seq"):
                return None
            if node.kind == "seq":
                index: Any = part
                node = node.items[index]
            else:
                pair = self._pair(node, part)
                node = None if pair is None else pair[1]
        return node

    def _pair(self, node: Node, name: Any) -> tuple[Node, Node] | None:
        """The entry of a mapping that is written out there, by its key."""
        if node.kind != "map":
            return None
        if node not in self._entries:
            self._entries[node] = {pair[0].data: pair for pair in node.pairs}
        return self._entries[node].get(name)
