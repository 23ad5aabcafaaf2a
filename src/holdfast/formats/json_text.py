"""JSON: decoded by the standard library, encoded onto the text that was there.

Only the characters of what changed are replaced, and the result is decoded again before it is
returned, so that whatever the text looked like, it holds the value.
"""

# Plain data are of any type below the first level, which strict checking calls unknown.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import marshal

from holdfast.errors import DecodeError
from holdfast.formats.json_scan import decoded, replace_scalar
from holdfast.formats.plain import MAX_DEPTH, check_new, plain, same, sole_change
from holdfast.formats.text import place_of, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from json import JSONDecodeError
    from typing import Any, Final

    from holdfast.formats.diff import Edit

__all__ = ["JsonCodec"]

_SURROGATE: Final = "[\ud800-\udfff]"
_BRACKETS: Final = bytes.maketrans(b"{}", b"[]")
_OTHERS: Final = bytes(set(range(256)) - set(b'[]{}"'))
_CANONICAL: Final = 2
"""The version of `marshal` in which equal bytes mean equal types and values: floats by their bits,
and nothing of how strings are shared."""
_TOO_DEEP: Final = f"nested deeper than {MAX_DEPTH} levels"


class JsonCodec:
    """JSON as RFC 8259 has it; NaN and infinities are read where a file has them, never written."""

    name = "json"

    def decode(self, data: bytes) -> Any:
        """The value of `data`; big integers are exact, the last of duplicate keys counts.

        Raises:
            DecodeError: not UTF-8, not JSON, nested too deep, or an integer of over 4,300 digits.
        """
        return _loads(text_of(data)[1])

    def encode(self, value: Any, *, previous: bytes | None = None) -> bytes:
        """The bytes of `value`, onto `previous` if given; without, with an indent of two.

        Raises:
            TypeError: a key that is not text, or a value that JSON cannot hold.
            ValueError: a new NaN or infinity, or nested too deep.
            DecodeError: `previous` does not parse.
        """
        value = plain(value, name="json")
        if previous is None:
            from holdfast.formats.json_layout import Style

            check_new(value, name="json")
            return _bytes(Style("").dumps(value) + "\n", value)
        return self.encode_known(value, previous=previous, old=self.decode(previous))

    def encode_known(self, value: Any, *, previous: bytes, old: Any) -> bytes:
        """`encode` for plain data, where it is known already that `previous` decodes to `old`.

        Raises:
            ValueError: a new NaN or infinity, or nested too deep.
        """
        if (sole := self.encode_sole(value, previous=previous, old=old)) is not None:
            return sole[0]
        from holdfast.formats.diff import diff

        bom, text = text_of(previous)
        edits = diff(old, value)
        if not edits:
            return previous
        _check_edits(edits)
        return bom.encode() + _encode_onto(text, edits, value)

    def encode_sole(self, value: Any, *, previous: bytes, old: Any) -> tuple[bytes, Any] | None:
        """The bytes, and what they decode to, if one simple scalar is all that changed; else None.

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
        try:
            found = _loads(quick)
        except DecodeError:
            return None
        return ((bom + quick).encode(), found) if _is_same(found, value) else None


def _is_same(found: Any, value: Any) -> bool:
    """`same`, without a step of Python if the keys come in the same order, as they mostly do."""
    try:
        if marshal.dumps(found, _CANONICAL) == marshal.dumps(value, _CANONICAL):
            return True
    except ValueError:  # it holds what is not plain
        pass
    return same(found, value)


def _loads(text: str) -> Any:
    if text.count("[") + text.count("{") > MAX_DEPTH and _is_too_deep(text):
        raise DecodeError(_TOO_DEEP)
    try:
        return decoded(text)
    except RecursionError:
        raise DecodeError(_TOO_DEEP) from None
    except ValueError as error:
        raise _located(text, error) from None


def _is_too_deep(text: str) -> bool:
    """Whether decoding would go beyond `MAX_DEPTH`: found first, since the decoder uses the stack.

    Each round takes away the innermost brackets. What is left are brackets without a partner.
    """
    data = text.encode(errors="replace")
    if b"\\" in data:
        data = data.replace(rb"\\", b"").replace(rb"\"", b"")
    marks = data.translate(_BRACKETS, _OTHERS).replace(b'""', b"")
    left = b"".join(marks.split(b'"')[::2])
    for rounds in range(MAX_DEPTH + 1):
        fewer = left.replace(b"[]", b"")
        if len(fewer) == len(left):
            return rounds + left.count(b"[") > MAX_DEPTH
        left = fewer
    return True


def _located(text: str, error: ValueError) -> DecodeError:
    from json import JSONDecodeError

    if not isinstance(error, JSONDecodeError):
        return DecodeError(str(error).partition(";")[0])
    line, column = place_of(text, min(error.pos, len(text)))
    return DecodeError(_reason(text, error), line=line, column=column)


def _reason(text: str, error: JSONDecodeError) -> str:
    if not text.strip(" \t\n\r"):
        return "the file is empty, which is not JSON"
    if text.startswith(("//", "/*", "#"), error.pos):
        return "JSON has no comments"
    if error.msg.startswith("Expecting property name") and text.startswith("}", error.pos):
        return "JSON has no comma before a closing bracket"
    return error.msg[:1].lower() + error.msg[1:]


def _check_edits(edits: list[Edit]) -> None:
    from holdfast.formats.diff import Set, Splice

    for edit in edits:
        if isinstance(edit, Set):
            check_new(edit.value, name="json", path=edit.path)
        elif isinstance(edit, Splice):
            for offset, item in enumerate(edit.inserted):
                check_new(item, name="json", path=(*edit.path, edit.start + offset))


def _encode_onto(text: str, edits: list[Edit], value: Any) -> bytes:
    """The first of ever larger rewrites that decodes to `value`."""
    from holdfast.formats.changes import tree
    from holdfast.formats.diff import Set
    from holdfast.formats.json_layout import rewrite

    try:
        changes = tree(edits)
        # A duplicate of a key behind the changed one is only found by looking at all keys.
        for thorough in (False, True):
            result = rewrite(text, changes, thorough=thorough)
            if not result.isascii():
                result = _escaped(result)
            if _holds(result, value):
                return result.encode()
        return _bytes(rewrite(text, tree([Set((), value)]), thorough=True), value)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None


def _holds(text: str, value: Any) -> bool:
    try:
        return same(_loads(text), value)
    except DecodeError:
        return False


def _escaped(text: str) -> str:
    if text.isascii():
        return text
    import re

    return re.sub(_SURROGATE, lambda match: f"\\u{ord(match[0]):04x}", text)


def _bytes(text: str, value: Any) -> bytes:
    result = _escaped(text)
    if not _holds(result, value):
        raise ValueError("JSON cannot hold this value: it would be read back as another one")
    return result.encode()
