"""What the verbs of a file of records share: opening it, and records as words and as JSON.

In JSON a record is an object of its fields, with its number before them. Bytes are text in base 64;
a float that is no number of JSON is `"nan"`, `"inf"` or `"-inf"`.
"""

from __future__ import annotations

import os

from holdfast.cli.exits import BAD_DATA, NO, USAGE, Failure
from holdfast.cli.files import named_file, require_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Final

    from holdfast.formats.record_layout import Record
    from holdfast.primitives.record_file import RecordFile

__all__ = [
    "BY_LAYOUT",
    "facts",
    "facts_of_file",
    "field_facts",
    "fields_in",
    "layout_in",
    "no_record",
    "number_in",
    "number_key",
    "open_records",
    "record_in",
]

BY_LAYOUT: Final = "`holdfast inspect` shows its layout."
"""What to do about a record that does not fit."""

_MAX_DIGITS: Final = 20


def open_records(path: str, *, create: str | None = None, read_only: bool = True) -> RecordFile:
    """The file of records at `path`, which is there; or is made where a layout says how.

    Args:
        path: of the file.
        create: the layout of one that is missing, as `layout_in` reads it.
        read_only: open it to read it.

    Raises:
        FileNotFoundError: nothing is there.
        Failure: it is no regular file, or the layout is none.
        Corruption: it is damaged, of another layout, or something else.
    """
    from holdfast.errors import UnknownFormat
    from holdfast.primitives.record_file import RecordFile

    layout = None if create is None else layout_in(create)
    if layout is None:
        require_file(named_file(path))
    try:
        return RecordFile(os.path.abspath(named_file(path)), layout, read_only=read_only)
    except UnknownFormat as error:
        error.message = error.message.replace("Open it without a layout", "Leave out --create")
        raise


def layout_in(text: str) -> dict[str, str]:
    """The layout that a word such as `id=Q,owner=32s` says.

    Raises:
        Failure: it says none; a mistake of usage.
    """
    from holdfast.formats.record_layout import RecordLayout

    layout: dict[str, str] = {}
    for part in text.split(","):
        name, sign, code = part.rpartition("=")
        if not sign or name in layout:
            what = f"{name!r} stands in it twice" if sign else f"{part!r} is no NAME=CODE"
            raise Failure(f"--create {text!r}: {what}; write it as id=Q,owner=32s", USAGE)
        layout[name] = code
    try:
        RecordLayout(layout)
    except ValueError as error:
        raise Failure(f"--create {text!r}: {error}", USAGE) from None
    return layout


def number_in(text: str) -> int:
    """The number of a record; a negative one counts from the end.

    Raises:
        Failure: it is none; a mistake of usage.
    """
    digits = text.removeprefix("-")
    if digits.isdecimal() and digits.isascii() and len(digits) <= _MAX_DIGITS:
        return int(text)
    raise Failure(f"N {text!r} is not the number of a record, such as 0 or -1", USAGE)


def no_record(path: str, error: IndexError) -> Failure:
    """The refusal for a number that is not there."""
    problem = str(error).removeprefix(f"{os.path.abspath(path)}: ")
    return Failure(f"{path}: {problem}. It is untouched.", NO, path=path)


# ------------------------------------------------------------ from words and JSON


def fields_in(path: str, layout: Mapping[str, str], words: Sequence[str]) -> Record:
    """The fields that words such as `id=7` say, typed by the layout.

    Raises:
        Failure: a word is none, or names a field twice (a mistake of usage); or a value is none.
    """
    fields: Record = {}
    for word in words:
        name, sign, text = word.partition("=")
        if not sign or name in fields:
            problem = f"{name!r} is given twice" if sign else f"{word!r} is no NAME=VALUE"
            raise Failure(problem, USAGE)
        try:
            fields[name] = _value_of_word(layout.get(name, "s"), text)
        except ValueError as error:
            message = f"{path}: {name!r} {error}. Nothing was changed. {BY_LAYOUT}"
            raise Failure(message, BAD_DATA, path=path) from None
    return fields


def _value_of_word(code: str, text: str) -> object:
    kind = code[-1]
    if kind == "s":
        return text
    if kind in "cp":
        return _bytes_in(text)
    if kind == "?":
        if text not in {"true", "false"}:
            raise ValueError(f"is true or false, not {text!r}")
        return text == "true"
    try:
        return float(text) if kind in "fd" else int(text)
    except ValueError:
        what = "a number" if kind in "fd" else "a whole number"
        raise ValueError(f"is {what}, not {text!r}") from None


def _bytes_in(text: str) -> bytes:
    from binascii import a2b_base64

    try:
        return a2b_base64(text.encode("ascii"), strict_mode=True)
    except ValueError:
        raise ValueError(f"is bytes in base 64, not {text!r}") from None


def record_in(layout: Mapping[str, str], line: bytes) -> Record:
    """The record that a line of JSON says; its number, as `records ls` prints it, is passed over.

    Raises:
        ValueError: it says none, and why; whether the values fit is not looked at.
    """
    from holdfast.cli.kinds import is_table
    from holdfast.formats.json_scan import decoded

    try:
        value = decoded(line.decode())
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    except ValueError as error:
        raise ValueError(f"it is no JSON: {error}") from None
    if not is_table(value):
        raise ValueError("it is no object of JSON")
    value.pop(number_key(layout), None)
    return {name: _value_of_json(name, layout.get(name, "s"), v) for name, v in value.items()}


def _value_of_json(name: str, code: str, value: object) -> object:
    if not isinstance(value, str) or code[-1] == "s":
        return value
    if code[-1] in "cp":
        try:
            return _bytes_in(value)
        except ValueError as error:
            raise ValueError(f"{name!r} {error}") from None
    is_float = code in {"f", "d"} and value in {"nan", "inf", "-inf"}
    return float(value) if is_float else value


# ------------------------------------------------------------ to JSON


def number_key(layout: Mapping[str, str]) -> str:
    """The key of the number in JSON: `number`, with a line before it while a field is called so."""
    key = "number"
    while key in layout:
        key = f"_{key}"
    return key


def facts(layout: Mapping[str, str], number: int, record: Mapping[str, Any]) -> dict[str, Any]:
    """A record and its number for JSON."""
    return {number_key(layout): number, **field_facts(record)}


def field_facts(record: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a record for JSON."""
    return {name: _json_of(value) for name, value in record.items()}


def _json_of(value: Any) -> Any:
    if isinstance(value, bytes):
        from binascii import b2a_base64

        return b2a_base64(value, newline=False).decode()
    if isinstance(value, float) and not float("-inf") < value < float("inf"):
        return str(value)
    return value


# ------------------------------------------------------------ what the file says of itself


def facts_of_file(path: str) -> dict[str, Any]:
    """What `inspect` says of a file of records: its head, the count, and the last chunk.

    Raises:
        Corruption: the head is damaged, or records are gone.
        OSError: it cannot be read.
    """
    from holdfast.cli.output import iso_time
    from holdfast.primitives.record_place import RecordPlace, newest_of
    from holdfast.primitives.record_tally import Tally
    from holdfast.vfs import SYSTEM

    place = RecordPlace(os.path.abspath(path), None, new=None, vfs=SYSTEM)
    try:
        head, count = place.head, Tally(place).survey()
        chunks = head.chunks_in(place.size_bytes)
        newest = [newest_of(pair) for _, pair in place.scan(chunks - 1)] if chunks else []
        return {
            "records": count,
            "layout": dict(place.layout.fields),
            "record_bytes": head.record_bytes,
            "slot_bytes": head.slot_bytes,
            "chunk_records": head.chunk_records,
            "chunks": chunks,
            "newest_generation": max((slot.generation for slot in newest if slot), default=None),
            "created": iso_time(head.created_ns),
            "sidecar": place.lock_path if _is_there(place.lock_path) else None,
        }
    finally:
        place.close()


def _is_there(path: str) -> bool:
    from holdfast.vfs import SYSTEM

    try:
        SYSTEM.stat(path)
    except FileNotFoundError:
        return False
    return True
