"""TOML, written: keys, values, and tables with what is in them."""

# Plain data are of any type below the first level, which strict checking calls unknown.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from holdfast.formats.toml_scan import Key

__all__ = ["dotted", "inline", "is_tabular", "restyled", "tables"]

_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+").fullmatch
_SPECIAL: Final = re.compile(r'["\\\x00-\x1f\x7f]')
_SPECIAL_IN_LINES: Final = re.compile(r'\\|[\x00-\x08\x0b-\x1f\x7f]|"(?="")|"\Z')
_ESCAPES: Final = {
    '"': '\\"',
    "\\": "\\\\",
    "\b": "\\b",
    "\t": "\\t",
    "\n": "\\n",
    "\f": "\\f",
    "\r": "\\r",
}


def dotted(key: Key) -> str:
    """The key, its parts in quotes where they need them."""
    return ".".join(part if _BARE_KEY(part) else _text(part) for part in key)


def inline(value: Any) -> str:
    """The value on one line."""
    kind = type(value)
    if kind is str:
        return _text(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is dict:
        items = [f"{dotted((key,))} = {inline(item)}" for key, item in value.items()]
        return "{" + ", ".join(items) + "}"
    if kind is list:
        return "[" + ", ".join(map(inline, value)) + "]"
    if kind is int or kind is float:
        return repr(value)
    moment: str = value.isoformat()
    return moment[:-6] + "Z" if moment.endswith("+00:00") else moment


def restyled(value: Any, old: str) -> str:
    """The value, with the quotes of the old one if both are text and they can hold it."""
    if type(value) is not str or old[0] not in "\"'":
        return inline(value)
    if old[:3] in ('"""', "'''") and "\n" in value:
        # The first line break behind the quotes is layout, not text.
        first = "\n" if old[3:5].lstrip("\r").startswith("\n") or value[0] == "\n" else ""
        if old[0] == "'" and _fits_literal(value.replace("\n", "")):
            return f"'''{first}{value}'''"
        return f'"""{first}{_SPECIAL_IN_LINES.sub(_escaped, value)}"""'
    if old[0] == "'" and _fits_literal(value):
        return f"'{value}'"
    return _text(value)


def is_tabular(value: Any) -> bool:
    """Whether the value gets a header of its own: a table, or a list of nothing but tables."""
    if type(value) is dict:
        return True
    return type(value) is list and bool(value) and all(type(item) is dict for item in value)


def tables(name: Key, value: dict[str, Any], *, item: bool = False) -> list[str]:
    """The table and those in it, each with its header; `item`: it is one of an array of tables."""
    simple = {key: entry for key, entry in value.items() if not is_tabular(entry)}
    found: list[str] = []
    if item or simple or not value:
        header = f"[[{dotted(name)}]]\n" if item else f"[{dotted(name)}]\n"
        lines = [f"{dotted((key,))} = {inline(entry)}\n" for key, entry in simple.items()]
        found.append(header + "".join(lines))
    for key, entry in value.items():
        if key not in simple:
            found += _tabular((*name, key), entry)
    return found


def _tabular(name: Key, value: Any) -> list[str]:
    if type(value) is dict:
        return tables(name, value)
    return [block for entry in value for block in tables(name, entry, item=True)]


def _fits_literal(value: str) -> bool:
    return "'" not in value and value.isprintable()


def _text(value: str) -> str:
    return '"' + _SPECIAL.sub(_escaped, value) + '"'


def _escaped(match: re.Match[str]) -> str:
    char = match[0]
    return _ESCAPES.get(char, f"\\u{ord(char):04x}")
