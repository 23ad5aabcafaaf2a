"""YAML scalars: what a text means (YAML 1.2 core schema, with dates), and how a value is written.

What is written is read the same by YAML 1.1 readers: text that such a reader would take for a
switch, a number or a time (`no`, `1_000`, `12:30`) is quoted.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta, timezone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

__all__ = ["literal", "resolve", "written"]

_NAMED: Final[dict[str, Any]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_INT: Final = re.compile(r"[-+]?[0-9]+")
_BASED: Final = re.compile(r"0o([0-7]+)|0x([0-9a-fA-F]+)")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_DATE: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_TIMESTAMP: Final = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[Tt]|[ \t]+)([0-9]{1,2}):([0-9]{2}):([0-9]{2})"
    r"(?:\.([0-9]*))?[ \t]*(?:(Z)|([-+])([0-9]{1,2})(?::?([0-9]{2}))?)?"
)
_PLAIN: Final = re.compile(r"[^\W\d][^\x00-\x1f\x7f-\x9f\[\]{},#&*!|>%@`\"\\]*")
_LITERAL: Final = re.compile(r"[^\s][^\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]*")
_ESCAPED: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_RESERVED: Final = frozenset(
    ("null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf")
)


def resolve(text: str) -> Any:
    """The value of a plain (unquoted) scalar.

    Raises:
        ValueError: an integer of more digits than Python converts.
    """
    first = text[:1]
    if first not in "-+.0123456789~nNtTfF":
        return text
    if text in _NAMED:
        return _NAMED[text]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    based = _BASED.fullmatch(text)
    if based is not None:
        return int(based[1], 8) if based[1] else int(based[2], 16)
    return _resolve_date(text)


def _resolve_date(text: str) -> Any:
    """A date or a time stamp; what has the form of one but is none (month 13) is text."""
    try:
        match = _DATE.fullmatch(text)
        if match is not None:
            return date(int(match[1]), int(match[2]), int(match[3]))
        match = _TIMESTAMP.fullmatch(text)
        if match is None:
            return text
        year, month, day, hour, minute, second = (int(match[group]) for group in range(1, 7))
        fraction = int((match[7] or "0")[:6].ljust(6, "0"))
        zone = _zone(match)
        return datetime(year, month, day, hour, minute, second, fraction, zone)
    except ValueError:
        return text


def _zone(match: re.Match[str]) -> timezone | None:
    if match[8]:
        return UTC
    if not match[9]:
        return None
    offset = timedelta(hours=int(match[10]), minutes=int(match[11] or 0))
    return timezone(-offset if match[9] == "-" else offset)


def written(value: Any, *, style: str | None = None) -> str:
    """The text of a scalar on one line, within brackets or not.

    Args:
        style: The quote that text had before, kept where it can hold the new one.
    """
    if isinstance(value, str):
        return _written_text(value, style)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _written_float(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def _written_float(value: float) -> str:
    if value != value:
        return ".nan"
    if value - value != 0.0:
        return ".inf" if value > 0 else "-.inf"
    text = repr(value)
    # YAML 1.1 readers take a number for a float only if it has a point.
    return text if "." in text else text.replace("e", ".0e")


def _written_text(value: str, style: str | None) -> str:
    if style == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    if style != '"' and _is_plain(value):
        return value
    text = json.dumps(value, ensure_ascii=False)
    return _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _is_plain(value: str) -> bool:
    return (
        _PLAIN.fullmatch(value) is not None
        and value.isprintable()
        and value[-1] not in ": "
        and ": " not in value
        and value.lower() not in _RESERVED
    )


def literal(value: str, indent: str, newline: str) -> str | None:
    """`value` as a literal block (`|`) with its lines indented, or None if it does not fit."""
    body = value.removesuffix("\n")
    if "\n" not in value or not body or body[-1].isspace() or not _LITERAL.fullmatch(value):
        return None
    header = "|" if value.endswith("\n") else "|-"
    lines = [indent + line if line else "" for line in body.split("\n")]
    return header + newline + newline.join(lines)
