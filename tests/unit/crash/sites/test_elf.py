"""ELF files: symbols by name, where a file was mapped, and files that lie."""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.crash.sites.elf import SECTION_BYTES_MAX, read_elf
from holdfast.crash.sites.mappings import parse_maps

HEADER = struct.Struct("<4s4B8xHHIQQQIHHHHHH")
SECTION = struct.Struct("<IIQQQQIIQQ")
SEGMENT = struct.Struct("<IIQQQQQQ")
SYMBOL = struct.Struct("<IBBHQQ")

linux = pytest.mark.skipif(sys.platform != "linux", reason="Linux: programs are ELF files")


def small_elf(*, symbols: dict[str, int], names_size: int | None = None, link: int = 1) -> bytes:
    """A file with one segment and one table of symbols; `undefined` is one from elsewhere."""
    names = b"\0" + b"".join(name.encode() + b"\0" for name in symbols)
    table = b"".join(
        SYMBOL.pack(names.index(b"\0" + n.encode() + b"\0") + 1, 0, 0, n != "undefined", value, 8)
        for n, value in symbols.items()
    )
    segments = SEGMENT.pack(1, 5, 0, 0x400000, 0, 0x1000, 0x1000, 0x1000)
    at = HEADER.size + SEGMENT.size
    sections = SECTION.pack(0, 11, 0, 0, at, len(table), link, 0, 8, SYMBOL.size)
    size = len(names) if names_size is None else names_size
    sections += SECTION.pack(0, 3, 0, 0, at + len(table), size, 0, 0, 1, 0)
    sections_at = at + len(table) + len(names)
    head = HEADER.pack(
        b"\x7fELF", 2, 1, 1, 0, 2, 62, 1, 0, HEADER.size, sections_at, 0, 64, 56, 1, 64, 2, 0
    )
    return head + segments + table + names + sections


def reader(data: bytes):
    """Reads of a file that holds these bytes."""
    return lambda offset, size: data[offset : offset + size]


def test_symbols_are_found_by_their_whole_name():
    """`Version` is not found at the end of `Py_Version`, nor what is only used."""
    elf = read_elf(reader(small_elf(symbols={"Py_Version": 0x1234, "undefined": 0})))
    assert {"Py_Version": 0x1234} == elf.symbols(["Py_Version", "Version", "undefined"])


def test_the_bias_is_what_the_file_was_moved_by():
    """A file linked to 0x400000 and mapped at 0x7f0000000000."""
    elf = read_elf(reader(small_elf(symbols={"a": 1})))
    assert 0x7F0000000000 - 0x400000 == elf.load_bias(0x7F0000000000, 0)


def test_a_mapping_from_elsewhere_in_the_file_has_no_bias():
    """The lowest mapping of a program is of its first segment; else it is no such file."""
    elf = read_elf(reader(small_elf(symbols={"a": 1})))
    with pytest.raises(ValueError, match="no segment"):
        elf.load_bias(0x7F0000000000, 0x20000)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x7fELF",
        b"#!/bin/sh\n" * 20,
        b"\x7fELF\x01\x01" + bytes(100),
        b"\x7fELF\x02\x02" + bytes(100),
        small_elf(symbols={"a": 1})[:-1],
    ],
)
def test_other_files_are_refused(data):
    """Empty, a script, 32 bits, big-endian, cut off."""
    with pytest.raises(ValueError, match=r"ELF|cut off"):
        read_elf(reader(data))


def test_a_huge_table_is_not_read():
    """A size in a header is not a reason to allocate as much."""
    elf = read_elf(reader(small_elf(symbols={"a": 1}, names_size=SECTION_BYTES_MAX + 1)))
    with pytest.raises(ValueError, match="a section of"):
        elf.symbols(["a"])


def test_a_table_without_names_is_refused():
    """The table of symbols says where its names are."""
    elf = read_elf(reader(small_elf(symbols={"a": 1}, link=9)))
    with pytest.raises(ValueError, match="without names"):
        elf.symbols(["a"])


@given(st.data())
def test_any_damage_ends_with_symbols_or_a_clear_error(data):
    """No damaged file hangs the reader or makes it raise anything but ValueError."""
    whole = bytearray(small_elf(symbols={"one": 1, "two": 2}))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = read_elf(reader(bytes(whole))).symbols(["one", "two"])
    except (ValueError, OverflowError):
        return
    assert set(found) <= {"one", "two"}


@linux
def test_a_symbol_of_this_interpreter_is_where_the_loader_put_it():
    """File, bias and the running process agree on the place of Py_Version."""
    expected = ctypes.addressof(ctypes.c_ulong.in_dll(ctypes.pythonapi, "Py_Version"))
    maps = list(parse_maps(Path("/proc/self/maps").read_text()))
    found = []
    for path in {m.path for m in maps if "python" in os.path.basename(m.path)}:
        data = Path(path).read_bytes()
        if data.startswith(b"\x7fELF"):
            elf = read_elf(reader(data))
            lowest = next(m for m in maps if m.path == path)
            bias = elf.load_bias(lowest.start, lowest.offset)
            found += [bias + at for at in elf.symbols(["Py_Version"]).values()]
    assert expected in found
