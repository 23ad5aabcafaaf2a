"""YAML text to a tree of nodes, each with its place in the text and its plain value.

Built from the parser's events without recursion. Aliases give copies, so that no two places of
the value share anything; what they expand to is bounded, and so is the depth.
"""

# Plain data are of any type below the first level, which strict checking calls unknown.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import re

from holdfast.errors import DecodeError
from holdfast.formats.extras import MissingExtra
from holdfast.formats.plain import MAX_DEPTH, clone
from holdfast.formats.text import place_of
from holdfast.formats.yaml_scalars import resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

__all__ = ["Node", "Tree", "parse"]

_MAX_EXPANDED: Final = 100_000
"""How many nodes all aliases of a file may stand for."""
_TAG: Final = "tag:yaml.org,2002:"
_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "int": (int,),
    "float": (float, int),
    "bool": (bool,),
    "null": (type(None),),
}


class Node:
    """One node of the text: a "scalar", "seq", "map" or "alias"."""

    __slots__ = (
        "anchor", "body", "data", "end", "flow", "height", "items", "kind", "open", "size", "start",
        "style",
    )  # fmt: skip

    def __init__(self, kind: str, event: Any) -> None:
        self.kind = kind
        self.start: int = event.start_mark.index
        """Where it begins, with its anchor and tag."""
        self.body: int = event.end_mark.index
        """For collections: where the first bracket, dash or key is."""
        self.end: int = event.end_mark.index
        self.anchor: str | None = getattr(event, "anchor", None)
        self.style: str | None = getattr(event, "style", None)
        self.flow = bool(getattr(event, "flow_style", False))
        if self.flow:
            self.body -= 1
        self.data: Any = None
        self.items: list[Node] = []
        """The items of a sequence; keys and values of a mapping in turn."""
        self.open = True
        self.size = 1
        self.height = 0

    @property
    def pairs(self) -> list[tuple[Node, Node]]:
        """The keys and values of a mapping."""
        return list(zip(self.items[::2], self.items[1::2], strict=True))

    @property
    def is_empty(self) -> bool:
        """Whether nothing stands in the text (a null by absence)."""
        return self.kind == "scalar" and self.start == self.end


class Tree:
    """A parsed text: its `root` (None where there is no content) and its `value`."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self.value: Any = {}
        self.aliased: set[str] = set()
        """The anchors that some alias stands for."""


def parse(text: str) -> Tree:
    """The nodes of one YAML document.

    Raises:
        DecodeError: it does not parse, or goes beyond plain data or a bound.
        MissingExtra: ruamel.yaml is not installed.
    """
    parser = _parser()
    builder = _Builder(text)
    try:
        for event in parser.parse(text):
            builder.feed(event)
    except DecodeError:
        raise
    except Exception as error:
        # Whatever the parser trips over is the document's fault.
        raise _decode_error(text, error) from None
    return builder.tree


def _parser() -> Any:
    try:
        from ruamel.yaml import YAML
        from ruamel.yaml.scanner import Scanner
    except ImportError:
        raise MissingExtra(
            "YAML needs ruamel.yaml. Nothing was read or written. "
            "Run: pip install 'holdfast[yaml]'",
            extra="yaml",
        ) from None
    parser = YAML(typ="safe", pure=True)
    parser.Scanner = _with_tabs(Scanner)
    return parser


def _with_tabs(scanner: Any) -> Any:
    """The scanner, with tabs as separators (never as indents), as YAML 1.2 has them."""

    def scan_to_next_token(self: Any) -> None:
        while True:
            scanner.scan_to_next_token(self)
            reader = self.reader
            if reader.peek() != "\t" or not _separates(reader.buffer, reader.pointer):
                return
            while reader.peek() in " \t":
                reader.forward()

    return type("TabScanner", (scanner,), {"scan_to_next_token": scan_to_next_token})


def _separates(text: str, tab: int) -> bool:
    """Whether a tab follows something on its line, and what follows it is no block by itself."""
    if not text[text.rfind("\n", 0, tab) + 1 : tab].strip():
        return False
    return re.match(r"[ \t]+[-?](?=\s)", text[tab : tab + 80]) is None


def _decode_error(text: str, error: Exception) -> DecodeError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    reason = str(problem).partition("\n")[0].strip() or type(error).__name__
    if mark is None:
        position = getattr(error, "position", None)
        line, column = (None, None) if position is None else place_of(text, position)
        return DecodeError(reason, line=line, column=column)
    return DecodeError(reason, line=mark.line + 1, column=mark.column + 1)


def _error(reason: str, event: Any) -> DecodeError:
    mark = event.start_mark
    return DecodeError(reason, line=mark.line + 1, column=mark.column + 1)


class _Builder:
    """Takes events one by one, with a stack of the collections that are open."""

    def __init__(self, text: str) -> None:
        self.tree = Tree()
        self._text = text
        self._stack: list[Node] = []
        self._anchors: dict[str, Node] = {}
        self._documents = 0
        self._expanded = 0

    def feed(self, event: Any) -> None:
        """Take one event of the parser."""
        kind = type(event).__name__
        if kind == "ScalarEvent":
            self._add(self._scalar(event))
        elif kind == "AliasEvent":
            self._add(self._alias(event))
        elif kind in ("MappingStartEvent", "SequenceStartEvent"):
            self._start(event, "map" if kind[0] == "M" else "seq")
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            self._close(event)
        elif kind == "DocumentStartEvent":
            self._documents += 1
            if self._documents > 1:
                raise _error("more than one document in the file", event)

    def _scalar(self, event: Any) -> Node:
        node = Node("scalar", event)
        node.data = _scalar_value(event)
        node.open = False
        if node.anchor is not None:
            self._anchors[node.anchor] = node
        return node

    def _alias(self, event: Any) -> Node:
        target = self._anchors.get(event.anchor)
        if target is None:
            raise _error(f"no anchor {event.anchor} before this alias", event)
        if target.open:
            raise _error(f"the alias {event.anchor} stands inside its own anchor", event)
        self._expanded += target.size
        if self._expanded > _MAX_EXPANDED:
            raise _error(f"aliases stand for more than {_MAX_EXPANDED} nodes", event)
        if len(self._stack) + target.height > MAX_DEPTH:
            raise _error(f"nested deeper than {MAX_DEPTH} levels", event)
        self.tree.aliased.add(event.anchor)
        node = Node("alias", event)
        node.data, node.open = clone(target.data), False
        node.size, node.height = target.size, target.height
        return node

    def _start(self, event: Any, kind: str) -> None:
        tag = str(event.ctag) if event.ctag is not None else ""
        if tag not in ("", "!", _TAG + kind):
            raise _error(f"the tag {tag.replace(_TAG, '!!')} is not supported", event)
        if len(self._stack) >= MAX_DEPTH:
            raise _error(f"nested deeper than {MAX_DEPTH} levels", event)
        node = Node(kind, event)
        if kind == "seq" and self._text[node.body - 1 : node.body + 1].strip() == "-":
            # The parser gives the end of the first dash for a list that is not indented.
            node.body -= self._text[node.body - 1] == "-"
        if node.anchor is not None:
            self._anchors[node.anchor] = node
        self._stack.append(node)

    def _close(self, event: Any) -> None:
        node = self._stack.pop()
        node.end = event.end_mark.index
        node.open = False
        node.size = 1 + sum(item.size for item in node.items)
        node.height = 1 + max((item.height for item in node.items), default=0)
        if node.kind == "seq":
            node.data = [item.data for item in node.items]
        else:
            node.data = {}
            for key, value in node.pairs:
                if _is_merge(key):
                    self._merge(node.data, value)
            for key, value in node.pairs:
                if not _is_merge(key):
                    node.data[key.data] = value.data
        self._add(node)

    def _add(self, node: Node) -> None:
        if not self._stack:
            self.tree.root = node
            self.tree.value = {} if node.is_empty else node.data
            return
        parent = self._stack[-1]
        if parent.kind == "map" and len(parent.items) % 2 == 0:
            self._check_key(parent, node)
        parent.items.append(node)

    def _check_key(self, parent: Node, key: Node) -> None:
        if isinstance(key.data, (dict, list)):
            raise self._error_at("a list or mapping as a key is not supported", key)
        if parent.data is None:
            parent.data = set()
        name = "<<" if _is_merge(key) else (key.data,)
        if name in parent.data:
            raise self._error_at(f"the key {key.data!r} is there twice", key)
        parent.data.add(name)

    def _merge(self, data: dict[Any, Any], value: Node) -> None:
        """Take over the keys of a merged mapping, or of a list of them (the first counts most)."""
        merged = value.data if isinstance(value.data, list) else [value.data]
        for mapping in reversed(merged):
            if not isinstance(mapping, dict):
                raise self._error_at("a merge key (<<) takes a mapping or a list of them", value)
            data.update(clone(mapping))

    def _error_at(self, reason: str, node: Node) -> DecodeError:
        line, column = place_of(self._text, node.start)
        return DecodeError(reason, line=line, column=column)


def _is_merge(key: Node) -> bool:
    return key.kind == "scalar" and key.style is None and key.data == "<<"


def _scalar_value(event: Any) -> Any:
    text = str(event.value)
    if event.ctag is None:
        if event.style is not None:
            return text
        try:
            return resolve(text)
        except ValueError as error:
            raise _error(str(error).partition(";")[0], event) from None
    tag = str(event.ctag).removeprefix(_TAG)
    if tag in ("str", "!"):
        return text
    value = resolve(text)
    if tag not in _TYPES:
        raise _error(f"the tag {str(event.ctag).replace(_TAG, '!!')} is not supported", event)
    if type(value) not in _TYPES[tag]:
        raise _error(f"{text[:40]!r} is not what its tag !!{tag} says", event)
    return float(value) if tag == "float" else value
