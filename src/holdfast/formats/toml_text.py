"""TOML: read by the standard library, changed at the places of the changes.

Reading and changing need nothing; a new text needs the extra `toml`. A change keeps every comment
that is not of what it deletes, and every line that it is not about. The result is read again by the
standard library before it is returned.
"""

# Plain data are of any type below the first level, which strict checking calls unknown.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from holdfast.errors import DecodeError
from holdfast.formats.extras import MissingExtra
from holdfast.formats.plain import MAX_DEPTH, check_new, ensure_depth, plain, same, sole_change
from holdfast.formats.text import newline_of, text_of
from holdfast.formats.toml_lines import decoded, replace_scalar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from holdfast.formats.diff import Edit

__all__ = ["TomlCodec"]

_PLACE: Final = r" \(at (?:line (\d+), column (\d+)|end of document)\)$"
_LONGEST_KEY: Final = 2 * MAX_DEPTH
"""Parts of a key that the parser is given at all; it takes time in proportion to their square."""
_ROUNDS: Final = 4
_LONE_NEWLINE: Final = r"(?<!\r)\n"


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
            MissingExtra: a new text is to be written, and tomlkit is not installed.
        """
        value = plain(value, name="toml")
        if type(value) is not dict:
            raise TypeError(f"a TOML document is a table, not a {type(value).__name__}")
        if previous is None:
            check_new(value, name="toml")
            return _whole("", value).encode()
        return self.encode_known(value, previous=previous, old=self.decode(previous))

    def encode_known(self, value: Any, *, previous: bytes, old: Any) -> bytes:
        """`encode` for plain data, where it is known already that `previous` decodes to `old`.

        Raises:
            ValueError: the change cannot be written without losing comments elsewhere.
            MissingExtra: a new text is to be written, and tomlkit is not installed.
        """
        if (sole := self.encode_sole(value, previous=previous, old=old)) is not None:
            return sole[0]
        from holdfast.formats.diff import Delete, diff

        bom, text = text_of(previous)
        edits = diff(old, value)
        if not edits:
            return previous
        for edit in edits:
            check_new(edit[-1] if not isinstance(edit, Delete) else None, name="toml", path=edit[0])
        return (bom + _encode_onto(text, edits, old=old, value=value)).encode()

    def encode_sole(self, value: Any, *, previous: bytes, old: Any) -> tuple[bytes, Any] | None:
        """The bytes, and what they decode to, if one plain scalar is all that changed; else None.

        Args:
            value: of any type; a result means that it is plain.
            previous: the bytes that are there.
            old: what they decode to.
        """
        sole = sole_change(old, value)
        if sole is None:
            return None
        bom, text = text_of(previous)
        quick = replace_scalar(text, *sole)
        if quick is None:
            return None
        found = decoded(quick)
        return ((bom + quick).encode(), found) if same(found, value) else None


def _loads(text: str) -> Any:
    if (quick := decoded(text)) is not None:
        return quick
    import tomllib

    from holdfast.formats.toml_scan import key_is_too_long

    if key_is_too_long(text, _LONGEST_KEY):
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
    import re

    match = re.search(_PLACE, str(error))
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
    from holdfast.formats.changes import widened
    from holdfast.formats.diff import Set
    from holdfast.formats.toml_layout import Unplaced

    complete = text if text.endswith("\n") or not text else text + newline_of(text)
    while True:
        if len(edits) == 1 and edits[0] == Set((), value):
            return _whole(text, value)
        try:
            return _same_end(_edited(complete, edits, value), text)
        except Unplaced as unplaced:
            edits = widened(edits, unplaced.path, old=old, new=value)


def _edited(text: str, edits: list[Edit], value: Any) -> str:
    """The text with the edits made.

    A table or an array that loses the last of what implied it is gone; it then comes back, empty.

    Raises:
        Unplaced: it is not read back as `value`.
    """
    from holdfast.formats.diff import diff
    from holdfast.formats.toml_layout import Unplaced, rewrite

    place = edits[0].path
    for _ in range(_ROUNDS):
        text = rewrite(text, edits)
        try:
            edits = diff(_loads(text), value)
        except DecodeError:
            break
        if not edits:
            return text
    raise Unplaced(place)


def _whole(text: str, value: Any) -> str:
    """A new text for all of `value`; only where there is no comment to lose."""
    import re

    from holdfast.formats.toml_scan import has_comment

    if has_comment(text):
        raise ValueError("the change cannot be made without losing comments of the file")
    result = _tomlkit().dumps(value)
    result = _same_end(re.sub(_LONE_NEWLINE, newline_of(text), result), text)
    if not _holds(result, value):
        raise ValueError("TOML cannot hold this value: it would be read back as another one")
    return result


def _same_end(result: str, text: str) -> str:
    """`result`, without a line end at its end if `text` has none there."""
    if not text or text.endswith("\n"):
        return result
    return result.removesuffix("\n").removesuffix("\r")


def _tomlkit() -> Any:
    try:
        import tomlkit
    except ImportError:
        raise MissingExtra(
            "writing TOML needs tomlkit. Nothing was written. Run: pip install 'holdfast[toml]'",
            extra="toml",
        ) from None
    return tomlkit
