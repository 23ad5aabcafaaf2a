"""Where the statements of a TOML text stand, and the items of its arrays and inline tables.

The text has been read by the standard library before, so it is valid; this only finds places. It
knows strings, comments, brackets and headers, and takes time in proportion to the text: what
repeats in its patterns is possessive, so none of them ever steps back.
"""

from __future__ import annotations

import re
import tomllib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, NamedTuple, TypeAlias
else:
    from holdfast.light_typing import NamedTuple

__all__ = [
    "Inside",
    "Item",
    "Key",
    "Statement",
    "has_comment",
    "inside",
    "key_is_too_long",
    "statements",
]

Key: TypeAlias = "tuple[str, ...]"

_BASIC: Final = r'"(?:[^"\\\r\n]++|\\[^\r\n])*+"'
_LITERAL: Final = r"'[^'\r\n]*+'"
_LONG: Final = r'"""(?:[^"\\]++|\\.|"(?!""))*+"{3,5}' + r"|'''(?:[^']++|'(?!''))*+'{3,5}"
_STRING: Final = re.compile(rf"{_LONG}|{_BASIC}|{_LITERAL}", re.DOTALL).match
_TOKEN: Final = re.compile(rf"#[^\n]*+|{_LONG}|{_BASIC}|{_LITERAL}|[\[\]{{}}]", re.DOTALL)
_BARE: Final = re.compile(r"[^,\]}#\r\n]*+").match
_TRIVIA: Final = re.compile(r"(?:[ \t\r]*+(?:#[^\n]*+)?+\n)*+").match
_SPACE: Final = re.compile(r"(?:[ \t\r\n]++|#[^\n]*+)*+").match
_SIMPLE: Final = re.compile(r"[ \t]*+([A-Za-z0-9_-]++)[ \t]*+=[ \t]*+").match
_LINE: Final = re.compile(
    r"""[ \t]*+(?:([A-Za-z0-9_-]++)[ \t]*+=[ \t]*+("[^"\\\r\n]++"|[A-Za-z0-9_+.:-]++)"""
    r"""|(\[\[?+)([A-Za-z0-9_-]++)\]\]?+)[ \t]*+(?:#[^\n]*+)?+\r?+\n"""
).match
"""The commonest statements, which need no closer look."""
_OPENING: Final = re.compile(r"[ \t]*+(\[\[?+)").match
_PART: Final = re.compile(rf"[ \t]*+([A-Za-z0-9_-]++|{_BASIC}|{_LITERAL})[ \t]*+([.=\]])").match
_RUN: Final = re.compile(
    rf"""(?:[A-Za-z0-9_-]++|(?!\"{{3}}|'{{3}})(?:{_BASIC}|{_LITERAL}))[ \t]*+(?P<dot>\.[ \t]*+)?+"""
    rf"""|{_LONG}|#[^\n]*+|(?P<open>["'])|[^A-Za-z0-9_"'#-]++""",
    re.DOTALL,
)
"""A part of a key, with the dot behind it, or what is none; `open` is a string without an end."""
_ASSIGNED: Final = re.compile(r"[ \t]*+").match


class Statement(NamedTuple):
    """A header, or a key with its value: whole lines, with the comment behind it."""

    number: int
    start: int
    end: int
    opening: str
    """`[` or `[[` for a header, nothing for a key."""
    key: Key
    value: int
    """Where the value begins; for a header, behind its name."""
    value_end: int


class Item(NamedTuple):
    """An item of an array or an inline table."""

    start: int
    """Where the key begins, or the value of an item that has none."""
    key: Key
    value: int
    end: int
    comma: int
    """Where the comma behind it stands, or -1."""


class Inside(NamedTuple):
    """What stands between two brackets."""

    open: int
    close: int
    items: list[Item]


def key_is_too_long(text: str, limit: int) -> bool:
    """Whether there is a key of more than `limit` parts, in a text that may not be valid.

    The parser would take time in proportion to the square of their number.
    """
    if text.count(".") < limit or max(line.count(".") for line in text.split("\n")) < limit:
        return False
    parts = 0
    for match in _RUN.finditer(text):
        parts += 1
        if parts > limit:
            return True
        if match["open"]:
            break  # the parser comes no further
        if not match["dot"]:
            parts = 0
    return False


def statements(text: str) -> list[Statement]:
    """All statements of a valid text that ends with a line feed."""
    found: list[Statement] = []
    at, size = _after(_TRIVIA(text, 0)), len(text)
    while at < size:
        statement = _statement(text, at, len(found))
        found.append(statement)
        at = _after(_TRIVIA(text, statement.end))
    return found


def inside(text: str, opening: int) -> Inside:
    """The items of the array or the inline table whose bracket is at `opening`."""
    items: list[Item] = []
    at = _after(_SPACE(text, opening + 1))
    while text[at] not in "]}":
        key, value = _key(text, at) if text[opening] == "{" else ((), at)
        end = _value_end(text, value)
        behind = _after(_SPACE(text, end))
        comma = behind if text[behind] == "," else -1
        items.append(Item(at, key, value, end, comma))
        at = behind if comma < 0 else _after(_SPACE(text, behind + 1))
    return Inside(opening, at, items)


def has_comment(text: str, *, start: int = 0, end: int | None = None) -> bool:
    """Whether there is a comment from `start`, which is in no string, to `end`."""
    end = len(text) if end is None else end
    if text.find("#", start, end) < 0:
        return False
    return any(text[match.start()] == "#" for match in _TOKEN.finditer(text, start, end))


def _after(match: re.Match[str] | None) -> int:
    if match is None:
        raise ValueError("the text is not valid TOML")
    return match.end()


def _statement(text: str, start: int, number: int) -> Statement:
    line = _LINE(text, start)
    if line is not None:
        key, opened = (line[1], "") if line[3] is None else (line[4], line[3])
        value, end = line.span(2) if line[3] is None else (line.end(4), line.end(4))
        return Statement(number, start, line.end(), opened, (key,), value, end)
    opening = _OPENING(text, start)
    if opening is not None:
        key, value = _key(text, opening.end())
        return Statement(number, start, _line_end(text, value), opening[1], key, value, value)
    key, value = _key(text, start)
    end = _value_end(text, value)
    return Statement(number, start, _line_end(text, end), "", key, value, end)


def _line_end(text: str, at: int) -> int:
    return text.index("\n", at) + 1


def _key(text: str, at: int) -> tuple[Key, int]:
    """The parts of the key at `at`, and where what follows its `=` or `]` begins."""
    simple = _SIMPLE(text, at)
    if simple is not None:
        return (simple[1],), simple.end()
    parts: list[str] = []
    while True:
        match = _PART(text, at)
        at = _after(match)
        parts.append(_part(match[1]))  # type: ignore[index]
        if match[2] != ".":  # type: ignore[index]
            return tuple(parts), _after(_ASSIGNED(text, at))


def _part(raw: str) -> str:
    if raw[0] not in "\"'":
        return raw
    if "\\" not in raw or raw[0] == "'":
        return raw[1:-1]
    return str(tomllib.loads(f"k = {raw}")["k"])


def _value_end(text: str, at: int) -> int:
    if text[at] in "\"'":
        return _after(_STRING(text, at))
    if text[at] not in "[{":
        end = _after(_BARE(text, at))
        return at + len(text[at:end].rstrip(" \t"))
    depth = 0
    for match in _TOKEN.finditer(text, at):
        bracket = text[match.start()]
        if bracket in "[{":
            depth += 1
        elif bracket in "]}":
            depth -= 1
            if not depth:
                return match.end()
    raise ValueError("the text is not valid TOML")
