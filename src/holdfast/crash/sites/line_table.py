"""Which source line an instruction of CPython came from: the location table of 3.11 and later.

Pure. The table is a run of entries, each for 1 to 8 code units of two bytes. The first byte of an
entry has its top bit set, then four bits of kind and three of length less one; no other byte has
the top bit set. A line is kept as a difference from the entry before it:

| kind    | bytes that follow                         | difference          |
|---------|-------------------------------------------|---------------------|
| 0 - 9   | 1 of columns                              | 0                   |
| 10 - 12 | 2 of columns                              | kind less 10        |
| 13      | a signed number                           | that number         |
| 14      | a signed number and three unsigned ones   | the first of them   |
| 15      | none                                      | 0, and has no line  |

A number is little-endian in sixes of bits, bit 6 set on all bytes but its last; a signed one has
its sign in the lowest bit. Described in CPython, Objects/locations.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["LineRange", "line_at", "line_ranges"]

_MARK, _MORE = 0x80, 0x40
_ONE_LINE, _NO_COLUMNS, _LONG, _NO_LINE = 10, 13, 14, 15
_UNIT_BYTES = 2
_NUMBER_BYTES_MAX = 6  # 36 bits: more than any line number


class LineRange(NamedTuple):
    """Instructions from byte `start` up to `end` of the code, and their line if they have one."""

    start: int
    end: int
    line: int | None


def line_ranges(table: bytes, first_line: int) -> Iterator[LineRange]:
    """Decode the table of a code object that begins at `first_line`.

    Raises:
        ValueError: It is no location table.
    """
    start, line, at = 0, first_line, 0
    while at < len(table):
        head = table[at]
        if not head & _MARK:
            raise ValueError(f"byte {at} does not begin an entry: {head:#x}")
        kind = (head >> 3) & 15
        line += _line_difference(table, at + 1, kind)
        end = start + ((head & 7) + 1) * _UNIT_BYTES
        yield LineRange(start, end, None if kind == _NO_LINE else line)
        start, at = end, _next_entry(table, at + 1)


def line_at(table: bytes, first_line: int, offset: int) -> int | None:
    """The line of the instruction at byte `offset` of the code, if it has one.

    Raises:
        ValueError: It is no location table, or describes no instruction there.
    """
    for found in line_ranges(table, first_line):
        if found.start <= offset < found.end:
            return found.line
    raise ValueError(f"no instruction at byte {offset}")


def _line_difference(table: bytes, at: int, kind: int) -> int:
    if kind in {_NO_COLUMNS, _LONG}:
        return _signed(table, at)
    return kind - _ONE_LINE if _ONE_LINE <= kind < _NO_COLUMNS else 0


def _signed(table: bytes, at: int) -> int:
    number = 0
    for place, byte in enumerate(table[at : at + _NUMBER_BYTES_MAX]):
        number |= (byte & 63) << (6 * place)
        if not byte & _MORE:
            return -(number >> 1) if number & 1 else number >> 1
    raise ValueError(f"a number without an end at byte {at}")


def _next_entry(table: bytes, at: int) -> int:
    while at < len(table) and not table[at] & _MARK:
        at += 1
    return at
