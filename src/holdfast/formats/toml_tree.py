"""A TOML text as a tree: for each key path, the statements and the values that make it."""

from __future__ import annotations

from holdfast.formats.toml_scan import Inside, Key, Statement, inside, statements

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    from holdfast.formats.keypath import KeyPath

__all__ = ["Leaf", "Node", "Table", "TableArray", "Tree", "blocks", "loose_statements"]


class Leaf:
    """A value behind a key or in an array; if it is an array or an inline table, what is in it."""

    __slots__ = ("_children", "_inside", "end", "start", "statement")

    def __init__(self, start: int, end: int, statement: Statement | None) -> None:
        self.start = start
        self.end = end
        self.statement = statement
        self._inside: Inside | None = None
        self._children: dict[str | int, tuple[int, Leaf]] = {}

    def inside(self, text: str) -> Inside:
        """The items between its brackets."""
        if self._inside is None:
            self._inside = inside(text, self.start)
            for index, item in enumerate(self._inside.items):
                if len(item.key) < 2:
                    key = item.key[0] if item.key else index
                    self._children[key] = index, Leaf(item.value, item.end, None)
        return self._inside

    def child(self, text: str, part: str | int) -> tuple[int, Leaf] | None:
        """The number and the value of an item; None for what dotted keys make."""
        if text[self.start] not in "[{":
            return None
        self.inside(text)
        return self._children.get(part)


class Table:
    """A table that has a header, or is only implied by others; the root has none and implies none.

    `block` is the table in whose lines its dotted keys stand, if such keys make it.
    """

    __slots__ = ("block", "children", "header", "last", "name")

    def __init__(self, name: Key, header: Statement | None, block: Table | None) -> None:
        self.name = name
        self.header = header
        self.block = block
        self.children: dict[str, Node] = {}
        self.last = header
        """The last statement under its header."""


class TableArray:
    """An array of tables."""

    __slots__ = ("items", "name")

    def __init__(self, name: Key) -> None:
        self.name = name
        self.items: list[Table] = []


Node: TypeAlias = "Leaf | Table | TableArray"


class Tree:
    """All statements of a text that ends with a line feed, and the tree that they make."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.statements = statements(text)
        self.root = Table((), None, None)
        block = self.root
        for statement in self.statements:
            if statement.opening:
                block = self._header(statement)
            else:
                _assign(block, statement)

    def find(self, path: KeyPath) -> Node | None:
        """What stands at the path; None if the text has no place of its own for it."""
        node: Node | None = self.root
        for part in path:
            if isinstance(node, Table):
                node = node.children.get(part) if isinstance(part, str) else None
            elif isinstance(node, TableArray):
                node = node.items[part] if isinstance(part, int) else None
            elif node is not None:
                found = node.child(self.text, part)
                node = found[1] if found is not None else None
        return node

    def lead(self, statement: Statement) -> int:
        """Where the comment directly above begins; one at the head of the file is the file's."""
        floor = self.statements[statement.number - 1].end if statement.number else 0
        at = statement.start
        while at > floor:
            start = max(floor, self.text.rfind("\n", floor, at - 1) + 1)
            if self.text[start:at].lstrip(" \t")[:1] != "#":
                break
            at = start
        return at or statement.start

    def tail(self, statement: Statement) -> int:
        """Where the comment directly below ends, unless it stands above the next statement."""
        index = statement.number + 1
        end = self.statements[index].start if index < len(self.statements) else len(self.text)
        at = statement.end
        while at < end and self.text[at : self._line_end(at)].lstrip(" \t")[:1] == "#":
            at = self._line_end(at)
        return statement.end if at == end < len(self.text) else at

    def _line_end(self, at: int) -> int:
        return self.text.index("\n", at) + 1

    def _header(self, statement: Statement) -> Table:
        parent = self.root
        for part in statement.key[:-1]:
            parent = _entered(parent, part)
        name = statement.key[-1]
        if statement.opening == "[":
            table = _entered(parent, name)
            table.header = table.last = statement
            return table
        array = parent.children.setdefault(name, TableArray(statement.key))
        if not isinstance(array, TableArray):
            raise TypeError("the text is not valid TOML")
        array.items.append(Table(statement.key, statement, None))
        return array.items[-1]


def blocks(node: Node) -> Iterator[Table]:
    """The tables with a header at a node and below it."""
    if isinstance(node, Table):
        if node.header is not None:
            yield node
        for child in node.children.values():
            yield from blocks(child)
    elif isinstance(node, TableArray):
        for item in node.items:
            yield from blocks(item)


def loose_statements(node: Node) -> Iterator[Statement]:
    """The statements at a node and below it that stand under the header of another table."""
    if isinstance(node, Leaf):
        if node.statement is not None:
            yield node.statement
    elif isinstance(node, Table) and node.header is None:
        for child in node.children.values():
            yield from loose_statements(child)


def _entered(table: Table, part: str) -> Table:
    """The table, implied if it is new; of an array of tables, the last one."""
    node = table.children.get(part)
    if node is None:
        node = table.children[part] = Table((*table.name, part), None, None)
    if isinstance(node, TableArray):
        return node.items[-1]
    if isinstance(node, Leaf):
        raise TypeError("the text is not valid TOML")
    return node


def _assign(block: Table, statement: Statement) -> None:
    block.last = statement
    table = block
    for part in statement.key[:-1]:
        table = _entered(table, part)
        table.block = block
    table.children[statement.key[-1]] = Leaf(statement.value, statement.value_end, statement)
