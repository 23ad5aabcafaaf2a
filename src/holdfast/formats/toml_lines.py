"""TOML of the plainest kind, read line by line: what most settings are, in a tenth of the time.

Tables with bare names, and keys with a text, a number, a boolean or a list of them on one line.
Whatever is more than that, or may be a mistake, is left to the parser of the standard library; what
is read here means the same there.
"""

# Plain data are of any type below the first level, which strict checking calls unknown.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

__all__ = ["decoded", "replace_scalar"]

_SPACES: Final = " \t"
_WORDS: Final = {"true": True, "false": False}
_BARE: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
_DIGITS: Final = frozenset("0123456789")
_DIGITS_MAX: Final = 18
_PARTS_MAX: Final = 16


class _Beyond(Exception):
    """More than is read here."""


def decoded(text: str) -> dict[str, Any] | None:
    """The value of a text, or None if it takes more than this to tell."""
    root: dict[str, Any] = {}
    table = root
    seen: set[tuple[str, ...]] = set()
    try:
        for line in _lines(text):
            at = _past_spaces(line, 0)
            if line[at : at + 1] in ("", "#"):
                continue
            if line[at] == "[":
                table = _opened(root, _header(line, at + 1), seen)
            else:
                key, at = _key(line, at)
                if key in table:
                    return None
                table[key], at = _value(line, at)
                _require_end(line, at)
    except _Beyond:
        return None
    return root


def _lines(text: str) -> list[str]:
    lines = text.split("\n")
    if "\r" in text:
        lines[:-1] = [line.removesuffix("\r") for line in lines[:-1]]
    for line in lines:
        if not (line.isprintable() or line.replace("\t", " ").isprintable()):
            raise _Beyond
    return lines


def _past_spaces(line: str, at: int) -> int:
    while line.startswith((" ", "\t"), at):
        at += 1
    return at


def _require_end(line: str, at: int) -> None:
    """Nothing but a comment may follow."""
    if line[_past_spaces(line, at) :][:1] not in ("", "#"):
        raise _Beyond


def _header(line: str, at: int) -> tuple[str, ...]:
    end = line.find("]", at)
    parts = tuple(part.strip(_SPACES) for part in line[at:end].split("."))
    if end < 0 or len(parts) > _PARTS_MAX or not all(map(_is_bare, parts)):
        raise _Beyond
    _require_end(line, end + 1)
    return parts


def _opened(
    root: dict[str, Any], parts: tuple[str, ...], seen: set[tuple[str, ...]]
) -> dict[str, Any]:
    """The table of a header: each table here was made by one, so it may have no second."""
    if parts in seen:
        raise _Beyond
    seen.add(parts)
    table = root
    for part in parts:
        below = table.setdefault(part, {})
        if type(below) is not dict:
            raise _Beyond
        table = below
    return table


def _is_bare(name: str) -> bool:
    return name != "" and _BARE.issuperset(name)


def _key(line: str, at: int) -> tuple[str, int]:
    """The key at `at`, and where its value begins."""
    sign = line.find("=", at)
    key = line[at:sign].rstrip(_SPACES)
    if sign < 0 or not _is_bare(key):
        raise _Beyond
    return key, _past_spaces(line, sign + 1)


def _value(line: str, at: int) -> tuple[Any, int]:
    """The value at `at`, and its end."""
    first = line[at : at + 1]
    if first in ('"', "'"):
        return _text(line, at, first)
    return _list(line, at) if first == "[" else _word(line, at)


def _text(line: str, at: int, quote: str) -> tuple[str, int]:
    end = line.find(quote, at + 1)
    text = line[at + 1 : end]
    if end < 0 or (quote == '"' and "\\" in text) or line.startswith(quote * 3, at):
        raise _Beyond
    return text, end + 1


def _list(line: str, at: int) -> tuple[list[Any], int]:
    found: list[Any] = []
    at = _past_spaces(line, at + 1)
    while not line.startswith("]", at):
        if line.startswith("[", at):
            raise _Beyond
        value, at = _value(line, at)
        found.append(value)
        at = _past_spaces(line, at)
        if line.startswith(",", at):
            at = _past_spaces(line, at + 1)
        elif not line.startswith("]", at):
            raise _Beyond
    return found, at + 1


def _word(line: str, at: int) -> tuple[bool | int | float, int]:
    end = at
    while end < len(line) and line[end] not in " \t,]#":
        end += 1
    word = line[at:end]
    if word in _WORDS:
        return _WORDS[word], end
    whole, dot, part = word.removeprefix("-").partition(".")
    if not _is_number(whole) or (whole[0] == "0" and len(whole) > 1):
        raise _Beyond
    if not dot:
        return int(word), end
    if not _is_number(part):
        raise _Beyond
    return float(word), end


def _is_number(digits: str) -> bool:
    return 0 < len(digits) <= _DIGITS_MAX and _DIGITS.issuperset(digits)


def replace_scalar(text: str, key: str, value: Any) -> str | None:
    """`text` with the value of the only key called `key` replaced, or None if there is no such one.

    `value` is text, an integer, a finite float or a boolean. None as well if the old or the new one
    is not of the plainest kind. Whoever calls compares the result with what it should be.
    """
    lines = text.split("\n")
    places = [number for number, line in enumerate(lines) if _sets(line, key)]
    try:
        if len(places) != 1:
            return None
        line = lines[places[0]]
        start = _key(line, _past_spaces(line, 0))[1]
        old, end = _value(line, start)
        new = _scalar(value, like=old, quote=line[start])
        if _value(new, 0) != (value, len(new)):
            return None
    except _Beyond:
        return None
    lines[places[0]] = line[:start] + new + line[end:]
    return "\n".join(lines)


def _sets(line: str, key: str) -> bool:
    line = line.lstrip(_SPACES)
    return line.startswith(key) and line[len(key) :].lstrip(_SPACES).startswith("=")


def _scalar(value: Any, *, like: Any, quote: str) -> str:
    """How a value is written; it takes the place of `like`, which may have quotes."""
    kind = type(value)
    if kind is not type(like) or kind is list:
        raise _Beyond
    if kind is str:
        if quote != '"' or '"' in value or "\\" in value or not value.isprintable():
            raise _Beyond
        return f'"{value}"'
    return ("true" if value else "false") if kind is bool else repr(value)
