"""TOML: read by the standard library, changed key by key with tomlkit.

Reading needs nothing; writing needs the extra `toml`. A change keeps every comment, also the one
behind the value, and the result is read again by the standard library before it is returned.
"""

# Plain data are of any type below the first level, which strict checking calls unknown.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import re
import tomllib

from holdfast.errors import DecodeError
from holdfast.formats.changes import value_at, widened
from holdfast.formats.diff import Delete, Edit, Set, diff
from holdfast.formats.extras import MissingExtra
from holdfast.formats.keypath import KeyPath, format_path
from holdfast.formats.plain import MAX_DEPTH, MISSING, check_new, ensure_depth, plain, same
from holdfast.formats.text import newline_of, text_of
from holdfast.formats.toml_lines import scalars_replaced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

__all__ = ["TomlCodec"]

_PLACE: Final = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_LONG_KEY: Final = re.compile(r"""(?:(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){256}""")
_LONE_NEWLINE: Final = re.compile(r"(?<!\r)\n")


class TomlCodec:
    """TOML 1.0; dates are `datetime`, `date` and `time`."""

    name = "toml"

    def decode(self, data: bytes) -> Any:
        """The value of `data`, a dict; an empty file is an empty one.

        Raises:
            DecodeError: not UTF-8, not TOML, or nested too deep.
        """
        return _loads(text_of(data)[1])

    def encode(self, value: Any, *, previous: bytes | None = None) -> bytes:
        """The bytes of `value`, onto `previous` if given.

        Raises:
            TypeError: None, a key that is not text, or another value that TOML cannot hold.
            ValueError: the change cannot be written without losing comments elsewhere.
            DecodeError: `previous` does not parse.
            MissingExtra: something changed, and tomlkit is not installed.
        """
        value = plain(value, name="toml")
        if type(value) is not dict:
            raise TypeError(f"a TOML document is a table, not a {type(value).__name__}")
        if previous is None:
            check_new(value, name="toml")
            return _whole("", value).encode()
        bom, text = text_of(previous)
        old = _loads(text)
        edits = diff(old, value)
        if not edits:
            return previous
        for edit in edits:
            check_new(edit[-1] if not isinstance(edit, Delete) else None, name="toml", path=edit[0])
        return (bom + _encode_onto(text, edits, old=old, value=value)).encode()


def _loads(text: str) -> Any:
    if _LONG_KEY.search(text):
        raise DecodeError(f"a key is nested deeper than {MAX_DEPTH} levels")
    try:
        value = tomllib.loads(text)
        ensure_depth(value)
    except RecursionError:
        raise DecodeError(f"nested deeper than {MAX_DEPTH} levels") from None
    except Exception as error:
        # Whatever the parser trips over is the document's fault.
        raise _decode_error(text, error) from None
    return value


def _decode_error(text: str, error: Exception) -> DecodeError:
    reason = str(error).partition(";")[0]
    match = _PLACE.search(str(error))
    if match is None:
        return DecodeError(reason[:1].lower() + reason[1:])
    reason = str(error)[: match.start()]
    reason = reason[:1].lower() + reason[1:]
    if match[1] is None:
        line = text.count("\n") + 1
        return DecodeError(reason, line=line, column=len(text) - text.rfind("\n"))
    return DecodeError(reason, line=int(match[1]), column=int(match[2]))


def _holds(text: str, value: Any) -> bool:
    try:
        return same(_loads(text), value)
    except DecodeError:
        return False


def _encode_onto(text: str, edits: list[Edit], *, old: Any, value: Any) -> str:
    """The first of ever larger rewrites that is read back as `value`."""
    quick = scalars_replaced(text, edits)
    if quick is not None and _holds(quick, value):
        return quick
    while True:
        place: KeyPath
        if len(edits) == 1 and edits[0] == Set((), value):
            return _whole(text, value)
        try:
            result = _applied(text, edits)
            remaining = diff(_loads(result), value)
            if not remaining:
                return result
            place = remaining[0].path
        except _Unplaced as unplaced:
            place = unplaced.path
        except DecodeError:
            place = edits[0].path
        edits = widened(edits, place, old=old, new=value)


class _Unplaced(Exception):
    """tomlkit could not make the change at `path`."""

    def __init__(self, path: KeyPath) -> None:
        super().__init__(format_path(path))
        self.path = path


def _whole(text: str, value: Any) -> str:
    """A new text for all of `value`; only where there is no comment to lose."""
    if "#" in text:
        raise ValueError("the change cannot be made without losing comments of the file")
    tomlkit = _tomlkit()
    result = _with_newlines(tomlkit.dumps(value), text)
    if not _holds(result, value):
        raise ValueError("TOML cannot hold this value: it would be read back as another one")
    return result


def _with_newlines(result: str, text: str) -> str:
    """`result` with the line ends of `text`, which may be none at the end."""
    if text and not text.endswith("\n") and result.endswith("\n"):
        result = result[:-1]
    if newline_of(text) == "\r\n" and not _LONE_NEWLINE.search(text):
        return _LONE_NEWLINE.sub("\r\n", result)
    return result


def _tomlkit() -> Any:
    try:
        import tomlkit
    except ImportError:
        raise MissingExtra(
            "writing TOML needs tomlkit. Nothing was written. Run: pip install holdfast[toml]",
            extra="toml",
        ) from None
    return tomlkit


def _applied(text: str, edits: list[Edit]) -> str:
    tomlkit = _tomlkit()
    try:
        document = tomlkit.parse(text if text.endswith("\n") or not text else text + "\n")
    except Exception as error:
        reason = f"the file is valid TOML, but tomlkit cannot edit it ({type(error).__name__})"
        raise ValueError(reason) from None
    for edit in edits:
        try:
            _apply(document, edit, tomlkit)
        except Exception:
            # tomlkit raises many types; a larger block is tried next.
            raise _Unplaced(edit.path) from None
    return _with_newlines(document.as_string(), text)


def _apply(document: Any, edit: Edit, tomlkit: Any) -> None:
    if isinstance(edit, (Set, Delete)):
        container = value_at(document, edit.path[:-1])
        key: Any = edit.path[-1]
        if isinstance(edit, Delete):
            del container[key]
        elif isinstance(container, tomlkit.items.AoT):
            del container[key]
            container.insert(key, edit.value)
        else:
            container[key] = _styled(container, key, edit.value, tomlkit=tomlkit)
        return
    array = value_at(document, edit.path)
    for _ in range(edit.removed):
        del array[edit.start]
    for offset, item in enumerate(edit.inserted):
        array.insert(edit.start + offset, item)


def _styled(container: Any, key: Any, value: Any, *, tomlkit: Any) -> Any:
    """The new value, with the quotes of the old one if both are text."""
    old = container[key] if isinstance(container, list) else container.get(key, MISSING)
    if type(value) is not str or not isinstance(old, tomlkit.items.String):
        return value
    text = old.as_string()
    literal = text[0] == "'" and "'" not in value and value.isprintable()
    if text[:3] in ('"""', "'''") and "\n" in value:
        new = tomlkit.string(value, multiline=True).as_string()
        # The first line break behind the quotes is layout, not text.
        return tomlkit.value(new[:3] + "\n" + new[3:] if text[3:4] in ("\r", "\n") else new)
    return tomlkit.string(value, literal=literal)
