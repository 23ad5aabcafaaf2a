"""Records of a line log: what is given, as the bytes of one line, and back.

I1  A line ends with its newline and holds no other line break and no NUL: what a power cut leaves
    (zeros, half a line) is never a record.
I2  A mapping is compact JSON in UTF-8 on one line; what JSON does not have (NaN) is refused.
I3  A last line without its newline is a whole record if it decodes and holds no NUL, and in a log
    of JSON lines if it is a JSON object: a part of one never is.
"""

from __future__ import annotations

from collections.abc import Mapping

from holdfast.errors import DecodeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NamedTuple, TypeAlias, cast

    Record: TypeAlias = "str | Mapping[str, Any]"
else:
    from holdfast.light_typing import NamedTuple, cast

__all__ = [
    "LINE_MAX_BYTES",
    "LineRecord",
    "decode",
    "encode",
    "holds_json",
    "whole_json",
    "whole_text",
]

LINE_MAX_BYTES = 64 << 20
"""The longest line that is written, and that is read."""

_JSON_SUFFIXES = (".jsonl", ".ndjson")
_FORBIDDEN = {"\n": "a line break", "\r": "a line break", "\0": "a NUL character"}
_encode_json: Callable[[object], str] | None = None


class LineRecord(NamedTuple):
    """One line that was read.

    `line` counts from 1 in its file; `path` is the name that the file had then. Bytes that are not
    UTF-8 stand in `text` as lone surrogates, so that `text.encode(errors="surrogateescape")` gives
    them back.
    """

    line: int
    text: str
    path: str = ""

    @property
    def value(self) -> Any:
        """The JSON value of the line.

        Raises:
            DecodeError: it is none; the line stays where it is.
        """
        from json import loads

        try:
            return loads(self.text)
        except (ValueError, RecursionError) as error:
            raise DecodeError(
                f"{self.path}: line {self.line} is not JSON ({error}). It is as it was. "
                "Look at it, or read the lines as text.",
                path=self.path,
                line=self.line,
                column=getattr(error, "colno", None),
            ) from None


def holds_json(name: str) -> bool:
    """Say whether a log of this name is one of JSON lines; so is an old file of it (NAME.1)."""
    stem, dot, number = name.rpartition(".")
    return (stem if dot and number.isdecimal() else name).endswith(_JSON_SUFFIXES)


def encode(record: object) -> bytes:
    """Return the line of a record, with its newline (I1, I2).

    Raises:
        ValueError: it does not fit into a line; nothing was appended.
        TypeError: it is neither text nor a mapping, or JSON has no such value; the same.
    """
    if isinstance(record, str):
        text = record
        for letter, what in _FORBIDDEN.items():
            if letter in text:
                raise ValueError(
                    f"the text holds {what} at index {text.index(letter)}: one record is one line. "
                    "Nothing was appended. Append its lines one by one, or a mapping."
                )
    elif isinstance(record, Mapping):
        text = _json(cast("Mapping[str, object]", record))
    else:
        raise TypeError(
            f"a record is text or a mapping, not {type(record).__name__}. Nothing was appended."
        )
    return _bytes(text)


def _bytes(text: str) -> bytes:
    try:
        line = text.encode() + b"\n"
    except UnicodeEncodeError as error:
        raise ValueError(
            f"the record is not Unicode text ({error.reason} at index {error.start}). "
            "Nothing was appended. Decode bytes with the encoding that they have."
        ) from None
    if len(line) > LINE_MAX_BYTES:
        raise ValueError(
            f"the record has {len(line)} bytes, and a line at most {LINE_MAX_BYTES}. "
            "Nothing was appended. Keep large data in files of their own."
        )
    return line


def _json(record: Mapping[str, object]) -> str:
    global _encode_json
    if _encode_json is None:
        from json import JSONEncoder

        _encode_json = JSONEncoder(
            ensure_ascii=False, allow_nan=False, separators=(",", ":")
        ).encode
    try:
        return _encode_json(dict[str, object](record))
    except (ValueError, TypeError, RecursionError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"the mapping is not JSON ({error}). Nothing was appended.") from None


def decode(line: bytes) -> str:
    """Return the text of a line, which keeps every byte of it."""
    return line.decode("utf-8", "surrogateescape")


def whole_text(encoding: str) -> Callable[[bytes], bool]:
    """Return what says whether a line without its newline is a whole one (I3): for text."""

    def is_whole(fragment: bytes) -> bool:
        if b"\0" in fragment:
            return False
        try:
            fragment.decode(encoding)
        except UnicodeDecodeError:
            return False
        return True

    return is_whole


def whole_json(fragment: bytes) -> bool:
    """Say whether a line without its newline is a whole one (I3): for JSON lines."""
    from json import loads

    try:
        return isinstance(loads(fragment.decode()), dict)
    except (ValueError, RecursionError):
        return False
