"""The scanner of JSON, without what `json` loads beside it: `re` and `enum` take longer than a get.

It is the one that `json` uses, in C; an interpreter that has none gets it from `json`.
"""

# Plain data are of any type below the first level, which strict checking calls unknown.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

__all__ = ["decoded", "past_mark", "past_spaces", "quoted", "replace_scalar", "scalar", "scan"]

_SPACES: Final = " \t\n\r"
_PIECE: Final = 64


class _Rules:
    """What `json.JSONDecoder` says to its scanner."""

    strict = True
    object_hook = object_pairs_hook = array_hook = None
    parse_float = float
    parse_int = int
    parse_constant = {
        "-Infinity": float("-inf"),
        "Infinity": float("inf"),
        "NaN": float("nan"),
    }.__getitem__


def _load() -> tuple[Callable[[str, int], tuple[Any, int]], Callable[[str], str]]:
    try:
        from _json import encode_basestring, make_scanner

        rules: Any = _Rules
        made = make_scanner(rules)
        if hasattr(sys, "gettotalrefcount"):
            __import__("json.decoder")  # a debug build ends where others raise SystemError
    except (ImportError, AttributeError):
        from json import JSONDecoder
        from json.encoder import encode_basestring

        decoder: Any = JSONDecoder()
        return decoder.scan_once, encode_basestring
    return made, encode_basestring


scan, quoted = _load()
"""`scan(text, at)` gives the value that begins there, and its end; it raises one of `_MISTAKES`
where there is none. `quoted(text)` is it as JSON, not escaped beyond need."""

# SystemError: before Python 3.13 the scanner finds the class of its errors only if `json` is there.
_MISTAKES: Final = (StopIteration, ValueError, SystemError)


def decoded(text: str) -> Any:
    """The value of a text, as `json.loads` gives it.

    Raises:
        ValueError: no JSON (`json.JSONDecodeError`), or an integer of over 4,300 digits.
        RecursionError: nested too deep for the stack.
    """
    try:
        value, end = scan(text, 0)
        if end == len(text) or not text[end:].strip(_SPACES):
            return value
    except _MISTAKES:
        pass  # said in full below; or a space comes first
    import json

    return json.JSONDecoder().decode(text)


def replace_scalar(text: str, key: str, value: Any) -> str | None:
    """`text` with the value of the only key called `key` replaced, or None if there is no such one.

    `value` is text, an integer, a finite float or a boolean. Does not look where the key is;
    whoever calls compares the result with what it should be.
    """
    name = quoted(key)
    at = text.find(name)
    if at < 0 or text.find(name, at + 1) >= 0:
        return None
    at = past_spaces(text, at + len(name))
    if not text.startswith(":", at):
        return None
    at = past_spaces(text, at + 1)
    try:
        end = scan(text, at)[1]
    except _MISTAKES:
        return None
    return text[:at] + scalar(value) + text[end:]


def past_spaces(text: str, at: int) -> int:
    """Where the spaces end that begin at `at`, if any do."""
    while piece := text[at : at + _PIECE]:
        rest = piece.lstrip(_SPACES)
        if rest:
            return at + len(piece) - len(rest)
        at += len(piece)
    return at


def past_mark(text: str, at: int) -> int:
    """Behind the comma or colon that comes next, if one does, and the spaces around it."""
    at = past_spaces(text, at)
    return past_spaces(text, at + 1) if text.startswith((",", ":"), at) else at


def scalar(value: Any) -> str:
    """What `json.dumps` gives for text, an integer, a finite float or a boolean.

    It makes an encoder each time.
    """
    kind = type(value)
    if kind is str:
        return quoted(value)
    return ("true" if value else "false") if kind is bool else repr(value)
