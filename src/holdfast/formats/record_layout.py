"""The fields of a record: names and struct codes, as text, and values to bytes and back.

    b B h H i I q Q    an integer of 1, 2, 4, 8 bytes; a small letter has a sign
    f d                a float of 4 or 8 bytes
    ?                  True or False
    32s                text: at most 32 bytes of UTF-8, without NUL; filled up with zeros
    32c                bytes: exactly 32
    32p                bytes: at most 31 (a count and room; at most 255)

Little-endian, one after another, without gaps. What is packed is unpacked as it was, but for a
float of 4 bytes, which is rounded to what it can hold.
"""

from __future__ import annotations

from struct import Struct, calcsize
from struct import error as StructError  # noqa: N812 - it is named as the others are

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TypeAlias

    Record: TypeAlias = dict[str, Any]

__all__ = ["MAX_RECORD_BYTES", "MAX_TEXT_BYTES", "RecordLayout"]

MAX_RECORD_BYTES = 1 << 20
MAX_TEXT_BYTES = 4044
"""How much room the head of a file has for the text."""

_NUMBERS = frozenset("bBhHiIqQfd?")
_COUNTED = frozenset("scp")
_MAX_COUNTED_P = 256
_MAX_DIGITS = 7


class RecordLayout:
    """Which fields a record has, in their order.

    Args:
        fields: The struct code of each by its name.

    Raises:
        ValueError: There is none, a name or a code is none, or the record is too large.
        TypeError: A name or a code is no text.

    Attributes: `fields`, `text` (`CODE NAME`, a line a field), `size_bytes` of a record.
    """

    __slots__ = ("_names", "_struct", "_texts", "fields", "size_bytes", "text")

    def __init__(self, fields: Mapping[str, str]) -> None:
        self.fields = dict(fields)
        self._names = tuple(self.fields)
        self.text = "".join(f"{code}\n" for code in map(_line, self.fields.items()))
        if not self.fields or len(self.text.encode()) > MAX_TEXT_BYTES:
            raise ValueError(
                f"a layout has at least one field and at most {MAX_TEXT_BYTES:,} bytes of text"
            )
        codes = self.fields.values()
        self._texts = tuple(name for name, code in self.fields.items() if code[-1] == "s")
        self.size_bytes = sum(calcsize("<" + code) for code in codes)
        if self.size_bytes > MAX_RECORD_BYTES:
            raise ValueError(
                f"a record has at most {MAX_RECORD_BYTES:,} bytes, not {self.size_bytes:,}"
            )
        self._struct = Struct("<" + "".join(map(_packed, codes)))

    @classmethod
    def parse(cls, text: str) -> RecordLayout:
        """Return the layout that a text says.

        Raises:
            ValueError: it is no such text.
        """
        lines = text.split("\n")
        pairs = [line.partition(" ") for line in lines[:-1]]
        layout = cls({name: code for code, _, name in pairs})
        if layout.text != text:  # a field twice, or no newline at the end
            raise ValueError("the text of the layout is not as it is written")
        return layout

    def pack(self, record: Mapping[str, object]) -> bytes:
        """Return a record as bytes.

        Raises:
            ValueError: a field is missing or unknown, or its value does not fit; it is named.
            TypeError: a value is of another type; its field is named.
        """
        if record.keys() != self.fields.keys():
            self._refuse_names(record)
        values = [_checked(name, code, record[name]) for name, code in self.fields.items()]
        try:
            return self._struct.pack(*values)
        except (StructError, OverflowError):
            self._refuse_value(values)
            raise

    def unpack(self, data: bytes) -> Record:
        """Return the record that these bytes are.

        Raises:
            ValueError: a text is no UTF-8; its field is named.
        """
        record: Record = dict(zip(self._names, self._struct.unpack(data), strict=True))
        for name in self._texts:
            raw: object = record[name]
            if isinstance(raw, bytes):
                try:
                    record[name] = raw.rstrip(b"\0").decode()
                except UnicodeDecodeError as error:
                    raise ValueError(f"{name!r} holds what is no UTF-8: {error}") from None
        return record

    def _refuse_names(self, record: Mapping[str, object]) -> None:
        for name in record:
            if name not in self.fields:
                known = ", ".join(map(repr, self.fields))
                raise ValueError(f"there is no field {name!r}; there are {known}")
        missing = next(name for name in self.fields if name not in record)
        raise ValueError(f"the field {missing!r} is missing")

    def _refuse_value(self, values: list[object]) -> None:
        """Find the value that cannot be packed."""
        for (name, code), value in zip(self.fields.items(), values, strict=True):
            try:
                Struct("<" + _packed(code)).pack(value)
            except (StructError, OverflowError) as error:
                kind = ValueError if isinstance(value, (int, float)) else TypeError
                if isinstance(value, float) and code not in {"f", "d"}:
                    kind = TypeError
                raise kind(f"{name!r} cannot be {value!r} in {code!r}: {error}") from None


def _line(item: tuple[object, object]) -> str:
    """Check a field; return its line in the text."""
    name, code = item
    if not isinstance(name, str) or not isinstance(code, str):
        raise TypeError(f"a field is a name and a struct code, both text, not {item!r}")
    if not name or not name.isprintable():
        raise ValueError(f"{name!r} cannot name a field: printable characters alone, and some")
    if code not in _NUMBERS and not _is_counted(code):
        raise ValueError(
            f"{name!r} cannot have the code {code!r}: one of b B h H i I q Q f d ?, or a count and "
            "s (text), c (bytes) or p (bytes with their length), such as '32s'"
        )
    return f"{code} {name}"


def _is_counted(code: str) -> bool:
    count, kind = code[:-1], code[-1:]
    if kind not in _COUNTED or not (count.isascii() and count.isdigit()) or count[0] == "0":
        return False
    if len(count) > _MAX_DIGITS or int(count) > MAX_RECORD_BYTES:
        return False
    return kind != "p" or int(count) <= _MAX_COUNTED_P


def _packed(code: str) -> str:
    """What `struct` is told: to it, `32c` are 32 values."""
    return code.replace("c", "s")


def _checked(name: str, code: str, value: object) -> object:
    """Refuse what `struct` would take, cut or fill up; return what it is to pack."""
    kind = code[-1]
    if kind == "s":
        return _text(name, code, value)
    if kind in "cp":
        return _bytes(name, code, value)
    if kind == "?" and not isinstance(value, bool):
        raise TypeError(f"{name!r} is True or False, not {value!r}")
    return value


def _text(name: str, code: str, value: object) -> bytes:
    if not isinstance(value, str):
        raise TypeError(f"{name!r} is text, not {type(value).__name__}")
    try:
        raw = value.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{name!r} cannot be encoded: {error}") from None
    if len(raw) > int(code[:-1]) or 0 in raw:
        problem = "a NUL in it" if 0 in raw else f"{len(raw)} bytes"
        raise ValueError(
            f"{name!r} has at most {code[:-1]} bytes of text and no NUL, not {problem}"
        )
    return raw


def _bytes(name: str, code: str, value: object) -> bytes:
    if not isinstance(value, (bytes, bytearray)):
        raise TypeError(f"{name!r} is bytes, not {type(value).__name__}")
    raw, count = bytes(value), int(code[:-1])
    if code[-1] == "c" and len(raw) != count:
        raise ValueError(f"{name!r} has exactly {count} bytes, not {len(raw)}")
    if code[-1] == "p" and len(raw) >= count:
        raise ValueError(f"{name!r} has at most {count - 1} bytes, not {len(raw)}")
    return raw
