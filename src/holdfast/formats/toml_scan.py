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

_BASIC: Final = r'"(?:[^"\\\r\n]++|\\.)*+"'
_LITERAL: Final = r"'[^'\r\n]*+'"
_LONG: Final = r'"""(?:[^"\\]++|\\.|"(?!""))*+"{3,5}' + r"|'''(?:[^']++|'(?!''))*+'{3,5}"
_STRING: Final = re.compile(rf"{_LONG}|{_BASIC}|{_LITERAL}", re.DOTALL).match
_TOKEN: Final = re.compile(rf"#[^\n]*+|{_LONG}|{_BASIC}|{_LITERAL}|[\[\]{{}}]", re.DOTALL)
_BARE: Final = re.compile(r"[^,\]}#\r\n]*+").match
_TRIVIA: Final = re.compile(r"(?:[ \t\r]*+(?:#[^\n]*+)?+\n)*+").match
_SPACE: Final = re.compile(r"(?:[ \t\r\n]++|#[^\n]*+)*+").match
_SIMPLE: Final = re.compile(r"[ \t]*+([A-Za-z0-9_-]++)[ \t]*+=[ \t]*+").match
_OPENING: Final = re.compile(r"[ \t]*+(\[\[?+)").match
_PART: Final = re.compile(rf"[ \t]*+([A-Za-z0-9_-]++|{_BASIC}|{_LITERAL})[ \t]*+([.=\]])").match
_ASSIGNED: Final = re.compile(r"[ \t]*+").match


class Statement(NamedTuple):
    """A header, or a key with its value: whole lines, with the comment behind it."""

    index: int
    start: int
    end: int
    opening: str
    """`[` or `[[` for a header, nothing for a key."""
    key: Key
    value: int
    """Where the value begins and ends; for a header, where its name ends."""
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
    """Whether a line has a key of more than `limit` parts, which no walk over it could bear."""
    start = 0
    while True:
        # Fewer dots in all of the rest than a long key has: the common case, and the last one.
        if text.count(".", start) < limit:
            return False
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        if text.count(".", start, end) >= limit and _longest_key(text, start, end) > limit:
            return True
        start = end + 1


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


def has_comment(text: str, start: int = 0, end: int | None = None) -> bool:
    """Whether there is a comment from `start`, which is in no string, to `end`."""
    end = len(text) if end is None else end
    if text.find("#", start, end) < 0:
        return False
    return any(text[match.start()] == "#" for match in _TOKEN.finditer(text, start, end))


def _after(match: re.Match[str] | None) -> int:
    if match is None:
        raise ValueError("the text is not valid TOML")
    return match.end()


def _statement(text: str, start: int, index: int) -> Statement:
    opening = _OPENING(text, start)
    if opening is not None:
        key, value = _key(text, opening.end())
        return Statement(index, start, _line_end(text, value), opening[1], key, value, value)
    key, value = _key(text, start)
    end = _value_end(text, value)
    return Statement(index, start, _line_end(text, end), "", key, value, end)


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


def _longest_key(text: str, start: int, end: int) -> int:
    """The parts of the longest run of key parts and dots in a line, strings taken as one part."""
    longest = parts = 0
    for match in _RUN.finditer(text, start, end):
        parts = parts + 1 if match[2] else 0
        longest = max(longest, parts + 1)
    return longest


_RUN: Final = re.compile(
    rf"[ \t]*+([A-Za-z0-9_-]++|{_BASIC}|{_LITERAL})[ \t]*+(\.)?+|[^A-Za-z0-9_\"'-]|[\"']", re.DOTALL
)
