"""Documents that are damaged, or that were better before: moved out of the way, or brought back."""

from __future__ import annotations

from holdfast.errors import DecodeError
from holdfast.state.register import Content

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from holdfast.state.file_place import FilePlace
    from holdfast.state.loading import Schema

__all__ = ["quarantine", "restore"]

_LOOKS = 100


def quarantine(schema: Schema, held: FilePlace) -> Path | None:
    """Move contents that do not decode to a free name; None if they decode, or nothing is there."""
    from pathlib import Path

    for _ in range(_LOOKS):
        data = held.read().data
        if data is None or _decodes(schema, data):
            return None
        if (moved := held.set_aside(data)) is not None:
            return Path(moved)
    return None


def restore(schema: Schema, held: FilePlace, number: int) -> None:
    """Make an old version the contents again; the present ones become one, damaged or not.

    Raises:
        FileNotFoundError: there is no such version.
        DecodeError: the old version does not decode, or does not fit the type.
        UnknownFormat: a newer program wrote the present contents; they are untouched.
    """
    data = held.read_version(number)
    schema.value(schema.load(Content(data, None)))
    present = held.read()
    if present.data is not None and _decodes(schema, present.data):
        schema.refuse_newer(schema.load(present))
    held.write(data, replacing=present, keeps=True)


def _decodes(schema: Schema, data: bytes) -> bool:
    try:
        schema.decode(data)
    except DecodeError:
        return False
    return True
