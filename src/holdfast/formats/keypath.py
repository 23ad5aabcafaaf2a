"""Key paths: `a.b.0`, `a."b.c"` and the JSON Pointer `/a/b~1c/0`, to tuples and back."""

# Plain data are of any type below the first level, which strict checking calls unknown.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from re import Match
    from typing import Any, Final, TypeAlias

__all__ = ["KeyPath", "format_path", "format_pointer", "lookup", "parse_path"]

KeyPath: TypeAlias = "tuple[str | int, ...]"

_NOT_BARE: Final = frozenset("./\"'")
_DIGITS_MAX: Final = 18
_SEGMENT: Final = r"""("(?:[^"\\]|\\.)*")|'([^']*)'|([^."']+)"""


def parse_path(text: str) -> KeyPath:
    """Read a key path.

    A segment of digits is a list index; quoted, it is a key. `lookup` takes either for what it
    finds there. The empty text and "." name the whole document.

    Raises:
        ValueError: an empty segment, or a quote that is not closed.
    """
    if text in ("", "."):
        return ()
    if text[0] == "/":
        return tuple(_pointer_segment(part) for part in text[1:].split("/"))
    if not ("'" in text or '"' in text) and all(parts := text.split(".")):
        return tuple(int(part) if _is_number(part) else part for part in parts)
    import re  # every program that opens a document imports this module

    path: list[str | int] = []
    pattern = re.compile(_SEGMENT)
    at = 0
    while True:
        match = pattern.match(text, at)
        if match is None:
            raise ValueError(f"{text!r}: no key at position {at + 1}")
        path.append(_segment(match, text))
        at = match.end()
        if at == len(text):
            return tuple(path)
        if text[at] != ".":
            raise ValueError(f"{text!r}: a dot is missing at position {at + 1}")
        at += 1


def _segment(match: Match[str], text: str) -> str | int:
    quoted, single, bare = match.groups()
    if bare is not None:
        return int(bare) if _is_number(bare) else str(bare)
    if single is not None:
        return str(single)
    import json

    try:
        return str(json.loads(quoted))
    except ValueError:
        raise ValueError(f"{text!r}: {quoted} has a wrong escape") from None


def _pointer_segment(part: str) -> str | int:
    if _is_number(part):
        return int(part)
    if any(piece[:1] not in ("0", "1") for piece in part.split("~")[1:]):
        raise ValueError(f"{part!r}: write ~0 for ~ and ~1 for /")
    return part.replace("~1", "/").replace("~0", "~")


def format_path(path: KeyPath) -> str:
    """Write a key path with dots; `parse_path` reads it back."""
    return ".".join(_format_segment(part) for part in path) or "."


def _format_segment(part: str | int) -> str:
    if type(part) is not str:
        return str(part)
    if _is_bare(part) and not _is_number(part):
        return part
    import json

    return json.dumps(part, ensure_ascii=False)


def _is_bare(part: str) -> bool:
    return part != "" and not any(char in _NOT_BARE or char.isspace() for char in part)


def _is_number(part: str) -> bool:
    if not (part.isascii() and part.isdigit()) or len(part) > _DIGITS_MAX:
        return False
    return part == "0" or part[0] != "0"


def format_pointer(path: KeyPath) -> str:
    """Write a key path as a JSON Pointer."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def lookup(value: Any, path: KeyPath) -> Any:
    """The value at `path`; a number is an index in a list and a key in a mapping.

    Raises:
        KeyError: nothing is there; the message names the first segment that is missing.
    """
    for depth, part in enumerate(path):
        found, value = _child(value, part)
        if not found:
            raise KeyError(f"{format_path(path[: depth + 1])} is not there")
    return value


def _child(value: Any, part: str | int) -> tuple[bool, Any]:
    if isinstance(value, dict):
        for key in (part, str(part)):
            if key in value:
                return True, value[key]
    elif isinstance(value, list) and isinstance(part, int) and -len(value) <= part < len(value):
        return True, value[part]
    return False, value
