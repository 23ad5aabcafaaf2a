"""Where the parts of YAML nodes are in the text: dashes, colons, lines, the ends of contents."""

from __future__ import annotations

import re

from holdfast.formats.keypath import format_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from holdfast.formats.keypath import KeyPath
    from holdfast.formats.yaml_nodes import Node

__all__ = ["Places", "Unplaced"]

_COLON: Final = re.compile(r"[ \t]*:")
_FAR_COLON: Final = re.compile(r"[ \t]*(?:#[^\r\n]*)?(?:\r?\n[ ]*(?:#[^\r\n]*)?)*\n[ ]*:(?=\s|\Z)")
"""The colon of a key that was marked with a question mark."""
_DOCUMENT_END: Final = re.compile(r"^\.\.\.(?=\s|\Z)", re.MULTILINE)
_LINE_COMMENT: Final = re.compile(r"(?:(?<=[ \t\n])|\A)#")


class Unplaced(Exception):
    """The change at `path` cannot be made at its place."""

    def __init__(self, path: KeyPath) -> None:
        super().__init__(format_path(path))
        self.path = path


class Places:
    """A text, and where in it the parts of nodes are."""

    def __init__(self, text: str) -> None:
        self.text = text

    def dashes(self, node: Node, path: KeyPath) -> list[int]:
        """Where the dash of each item is.

        Raises:
            Unplaced: one was not found.
        """
        dashes = [node.body]
        pattern = re.compile(rf"^ {{{self.column(node.body)}}}-(?=\s|\Z)", re.MULTILINE)
        for item in node.items[:-1]:
            match = pattern.search(self.text, self.item_end(item, dashes[-1], path))
            if match is None:
                raise Unplaced(path)
            dashes.append(match.end() - 1)
        if self.text[node.body] != "-":
            raise Unplaced(path)
        return dashes

    def colon(self, key: Node, path: KeyPath, *, flow: bool = False) -> int:
        """Behind the colon of a key, or behind a key in brackets that has none.

        Raises:
            Unplaced: a key without one (`? key`).
        """
        match = _COLON.match(self.text, key.end)
        if match is not None:
            return match.end()
        if flow:
            return key.end
        if self.text[: key.start].rstrip(" \t").endswith("?"):
            match = _FAR_COLON.match(self.text, key.end)
            if match is not None:
                return match.end()
        raise Unplaced(path)

    def pair_end(self, pair: tuple[Node, Node], path: KeyPath) -> int:
        """Where the content of an entry ends."""
        key, value = pair
        return self.colon(key, path) if value.is_empty else self.tail(value, path)

    def item_end(self, item: Node, dash: int, path: KeyPath) -> int:
        """Where the content of a list item ends."""
        return dash + 1 if item.is_empty else self.tail(item, path)

    def tail(self, node: Node, path: KeyPath) -> int:
        """Where the content of a node ends (the parser's ends take in comments and blank lines)."""
        if node.style in ("|", ">"):
            content = self.text[node.start : node.end]
            keep = "+" in content.partition("\n")[0].partition("#")[0]
            if keep:
                return node.start + len(content.removesuffix("\n").removesuffix("\r"))
            return node.start + len(content.rstrip("\r\n "))
        if node.flow or not node.items:
            return node.end
        if node.kind == "map":
            return self.pair_end(node.pairs[-1], path)
        return self.item_end(node.items[-1], self.dashes(node, path)[-1], path)

    def literal_indent(self, node: Node) -> int:
        """How far the lines of a literal block are indented; 0 for other nodes."""
        if node.style not in ("|", ">"):
            return 0
        lines = self.text[node.start : node.end].split("\n")[1:]
        return next((len(line) - len(line.lstrip(" ")) for line in lines if line.strip()), 0)

    def column(self, index: int) -> int:
        """The column of a place, from 0."""
        return index - self.text.rfind("\n", 0, index) - 1

    def begins_line(self, index: int) -> bool:
        """Whether only spaces stand before a place on its line."""
        start = self.text.rfind("\n", 0, index) + 1
        return not self.text[start:index].strip(" ")

    def line_end(self, index: int) -> int:
        """The end of the line, before its line break."""
        end = self.text.find("\n", index)
        if end < 0:
            return len(self.text)
        return end - 1 if end > index and self.text[end - 1] == "\r" else end

    def line_before(self, index: int) -> int:
        """The end of the line before that of a place."""
        return self.line_end(self.text.rfind("\n", 0, self.text.rfind("\n", 0, index)) + 1)

    def has_comment(self, start: int, end: int) -> bool:
        """Whether something like a comment begins between two places."""
        return _LINE_COMMENT.search(self.text, start, end) is not None

    def document_end(self) -> int:
        """Where the marker of the document's end (`...`) is, or the end of the text."""
        match = _DOCUMENT_END.search(self.text)
        return len(self.text) if match is None else match.start()

    def whole_lines(self, start: int, end: int) -> tuple[int, int]:
        """The whole lines from start to end, with their line break.

        At the end of a text without a final one, with that before them.
        """
        start = self.text.rfind("\n", 0, start) + 1
        stop = self.text.find("\n", end) + 1
        if not stop:
            stop = len(self.text)
            start = self.line_end(self.text.rfind("\n", 0, start - 1) + 1) if start else 0
        return start, stop
