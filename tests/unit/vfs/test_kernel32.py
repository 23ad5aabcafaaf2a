"""The pure parts of the Win32 calls: names and memory layouts."""

from __future__ import annotations

import ctypes

import pytest

from holdfast.vfs.kernel32 import halves, overlapped, rename_information, verbatim


@pytest.mark.parametrize(
    ("expected", "path"),
    [
        ("\\\\?\\C:\\a\\b", "C:\\a\\b"),
        ("\\\\?\\C:\\a\\b", "C:/a/b"),
        ("\\\\?\\C:\\nul", "C:\\nul"),
        ("\\\\?\\UNC\\server\\share\\a", "\\\\server\\share\\a"),
        ("\\\\?\\C:\\a", "\\\\?\\C:\\a"),
        ("\\\\.\\C:\\a", "\\\\.\\C:\\a"),
    ],
)
def test_verbatim_names_have_no_devices_and_no_limit(expected, path) -> None:
    r"""Absolute names get the prefix `\\?\`, those of shares with UNC, and none gets it twice."""
    assert expected == verbatim(path)


@pytest.mark.parametrize("name", ["C:\\a", "\\\\?\\C:\\\N{SMILING FACE WITH SUNGLASSES}", "\udc80"])
def test_rename_information_is_laid_out_as_the_structure(name) -> None:
    """The bytes are those of FILE_RENAME_INFO as a C compiler lays it out."""
    encoded = name.encode("utf-16-le", "surrogatepass")

    class Information(ctypes.LittleEndianStructure):
        _fields_ = (
            ("flags", ctypes.c_uint32),
            ("root", ctypes.c_void_p if ctypes.sizeof(ctypes.c_void_p) == 8 else ctypes.c_uint64),
            ("length", ctypes.c_uint32),
            ("name", ctypes.c_ubyte * len(encoded)),
        )

    expected = Information(0x43, None, len(encoded), (ctypes.c_ubyte * len(encoded))(*encoded))
    size = Information.name.offset + len(encoded)

    found = rename_information(name, 0x43)

    assert bytes(expected)[:size] == found[:size]
    assert b"\0\0" == found[size:]


def test_rename_information_of_32_bits_has_no_padding() -> None:
    """With pointers of four bytes the length stands at byte 8, and the name at byte 12."""
    found = rename_information("a", 3, pointer_bytes=4)

    assert bytes([3, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, ord("a"), 0, 0, 0]) == found


def test_overlapped_is_laid_out_as_the_structure() -> None:
    """The offset stands in the two words behind two pointers, and the event is none."""

    class Overlapped(ctypes.LittleEndianStructure):
        _fields_ = (
            ("internal", ctypes.c_uint64),
            ("internal_high", ctypes.c_uint64),
            ("offset", ctypes.c_uint32),
            ("offset_high", ctypes.c_uint32),
            ("event", ctypes.c_uint64),
        )

    assert bytes(Overlapped(0, 0, 5, 2**30, 0)) == overlapped(2**62 + 5)
    assert 20 == len(overlapped(0, pointer_bytes=4))


def test_halves_of_a_size() -> None:
    """The low 32 bits come first."""
    assert (5, 2**30) == halves(2**62 + 5)
