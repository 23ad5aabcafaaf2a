"""Offsets of CPython: known versions, the interpreter's own table, and tables that lie."""

from __future__ import annotations

import struct

import pytest

from holdfast.crash.sites.layouts import TABLE_BYTES, layout_of

V3_13_0 = 0x030D00F0


def own_table(version: int, *, at: int = 0, number: int = 0) -> bytes:
    """A table whose n-th number is n, less its head."""
    numbers = list(range(TABLE_BYTES // 8))
    numbers[1] = version
    numbers[at or 1] = number or numbers[at or 1]
    return b"xdebugpy" + struct.pack(f"<{len(numbers) - 1}Q", *numbers[1:])


@pytest.mark.parametrize("version", [0x030B00F0, 0x030B07F0, 0x030C01F0, 0x030C0BF0])
def test_released_versions_without_a_table_are_known(version):
    """All of 3.11 and of 3.12 have one layout each."""
    layout = layout_of(version, bytes(TABLE_BYTES))
    assert layout is not None
    assert 112 == layout.code_filename
    assert 56 == layout.thread_cframe


@pytest.mark.parametrize("version", [0x030A0DF0, 0x030F00F0, 0x040000F0, 0x02071200, 0])
def test_other_versions_are_not_guessed_at(version):
    """An unknown interpreter has no lines rather than wrong ones."""
    assert layout_of(version, own_table(version)) is None


def test_the_table_of_3_13_is_read_by_place():
    """The places that the header of 3.13 gives to each part."""
    layout = layout_of(V3_13_0, own_table(V3_13_0))
    assert layout is not None
    expected = {
        "runtime_interpreters": 5,
        "interpreter_next": 8,
        "interpreter_threads": 9,
        "thread_next": 21,
        "thread_native_id": 25,
        "thread_cframe": None,
        "thread_frame": 23,
        "frame_previous": 29,
        "frame_code": 30,
        "frame_instruction": 31,
        "code_filename": 35,
        "code_qualname": 37,
        "code_line_table": 38,
        "code_first_line": 39,
        "code_instructions": 43,
        "object_type": 45,
        "object_bytes": 44,
        "string_bytes": 44 + 24,
        "wide_string_bytes": 44 + 40,
    }
    assert expected == layout._asdict()


def test_the_table_of_3_14_has_more_before_the_thread():
    """Three numbers more of the interpreter's state, two of a frame, one of a code object."""
    layout = layout_of(0x030E00F0, own_table(0x030E00F0))
    assert layout is not None
    found = (layout.thread_next, layout.frame_code, layout.code_filename, layout.object_type)
    assert (24, 33, 40, 51) == found


@pytest.mark.parametrize(
    "table",
    [
        b"",
        bytes(TABLE_BYTES),
        own_table(V3_13_0)[:-1],
        own_table(V3_13_0 + 0x100),
        own_table(V3_13_0, at=35, number=2**63),
    ],
)
def test_a_table_that_cannot_be_is_not_believed(table):
    """Empty, without its mark, cut off, of another version, with an offset beyond all bounds."""
    assert layout_of(V3_13_0, table) is None
