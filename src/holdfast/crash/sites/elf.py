"""Where a program keeps its global objects: symbols and segments of 64-bit ELF files.

Pure: bytes come from a function that the caller gives. The file is hostile input: whatever it says,
no more than `SECTION_BYTES_MAX` is read at once, and a file of another shape is a ValueError.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    ReadAt: TypeAlias = "Callable[[int, int], bytes]"

__all__ = ["SECTION_BYTES_MAX", "Elf", "Segment", "read_elf"]

SECTION_BYTES_MAX = 64 << 20
"""The longest symbol or string table that is read; that of a browser has a third of it."""

_TABLES_MAX = 4096
_PAGE_BYTES_MAX = 65536
_HEADER = struct.Struct("<4s4B8xHHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_PT_LOAD, _SHT_SYMTAB, _SHT_DYNSYM = 1, 2, 11
_64_BIT, _LITTLE_ENDIAN = 2, 1


class Segment(NamedTuple):
    """A part of the file that is mapped when the program starts."""

    offset: int
    address: int


class _Section(NamedTuple):
    kind: int
    offset: int
    size: int
    link: int


class Elf(NamedTuple):
    """What the headers of one file say."""

    read: ReadAt
    segments: tuple[Segment, ...]
    sections: tuple[_Section, ...]

    def load_bias(self, start: int, offset: int) -> int:
        """What to add to an address of the file whose lowest mapping is `offset` at `start`.

        Raises:
            ValueError: The file is not mapped like that.
        """
        lowest = min(self.segments, key=lambda segment: segment.address, default=None)
        if lowest is None or not 0 <= lowest.offset - offset < _PAGE_BYTES_MAX:
            raise ValueError(f"no segment begins at byte {offset}")
        return start - (lowest.address - (lowest.offset - offset))

    def symbols(self, names: Iterable[str]) -> dict[str, int]:
        """The addresses of those of the objects that the file defines and names.

        Raises:
            ValueError: The symbol tables are damaged.
        """
        wanted = set(names)
        found: dict[str, int] = {}
        for kind in (_SHT_DYNSYM, _SHT_SYMTAB):  # the short one first; both are rarely needed
            for section in self.sections:
                if section.kind == kind and len(found) < len(wanted):
                    found |= dict(self._symbols_in(section, wanted - set(found)))
        return found

    def _symbols_in(self, section: _Section, wanted: set[str]) -> Iterator[tuple[str, int]]:
        if not section.link < len(self.sections):
            raise ValueError("a symbol table without names")
        strings = self._contents(self.sections[section.link])
        offsets = {at: name for name in wanted for at in _places(strings, name)}
        table = self._contents(section)
        whole = len(table) - len(table) % _SYMBOL.size
        for name, _, _, defined_in, address, _ in _SYMBOL.iter_unpack(table[:whole]):
            if name in offsets and defined_in:
                yield offsets[name], address

    def _contents(self, section: _Section) -> bytes:
        if section.size > SECTION_BYTES_MAX:
            raise ValueError(f"a section of {section.size} bytes")
        return self.read(section.offset, section.size)


def read_elf(read: ReadAt) -> Elf:
    """Read the headers of a file.

    Raises:
        ValueError: It is no 64-bit little-endian ELF file.
    """
    header = read(0, _HEADER.size)
    if len(header) < _HEADER.size:
        raise ValueError("shorter than an ELF header")
    magic, width, order, *_ = fields = _HEADER.unpack(header)
    if (magic, width, order) != (b"\x7fELF", _64_BIT, _LITTLE_ENDIAN):
        raise ValueError("not a 64-bit little-endian ELF file")
    segments_at, sections_at = fields[9], fields[10]
    segment_size, segment_count, section_size, section_count = fields[13:17]
    segments = tuple(
        Segment(offset, address)
        for kind, _, offset, address, *_ in _table(
            read, _SEGMENT, at=segments_at, entry=segment_size, count=segment_count
        )
        if kind == _PT_LOAD
    )
    sections = tuple(
        _Section(kind, offset, size, link)
        for _, kind, _, _, offset, size, link, *_ in _table(
            read, _SECTION, at=sections_at, entry=section_size, count=section_count
        )
    )
    return Elf(read, segments, sections)


def _table(
    read: ReadAt, layout: struct.Struct, *, at: int, entry: int, count: int
) -> list[tuple[int, ...]]:
    if not count:
        return []
    if entry != layout.size or count > _TABLES_MAX:
        raise ValueError(f"a table of {count} entries of {entry} bytes")
    raw = read(at, entry * count)
    if len(raw) < entry * count:
        raise ValueError("a table that is cut off")
    return list(layout.iter_unpack(raw))


def _places(strings: bytes, name: str) -> Iterator[int]:
    """Where in a string table the name stands alone (a longer one may end with it)."""
    whole = name.encode() + b"\0"
    at = strings.find(whole)
    while at >= 0:
        yield at
        at = strings.find(whole, at + 1)
