"""The location table of CPython: what the interpreter itself says of its code is the answer."""

from __future__ import annotations

import importlib.util
import types
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.crash.sites.line_table import LineRange, line_at, line_ranges

MODULES = ("argparse", "ast", "asyncio.base_events", "calendar", "dataclasses", "enum", "typing")


def codes_in(code: types.CodeType) -> Iterator[types.CodeType]:
    """The code object and all those inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from codes_in(constant)


@cache
def codes_of(module: str) -> list[types.CodeType]:
    """Each function of a module of the standard library, compiled here."""
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    text = Path(spec.origin).read_text(encoding="utf-8")
    return list(codes_in(compile(text, spec.origin, "exec")))


@pytest.mark.parametrize("module", MODULES)
def test_every_instruction_of_the_standard_library_has_the_line_that_python_says(module):
    """co_positions() names a line for each code unit; the decoder names the same."""
    for code in codes_of(module):
        said = [line for line, *_ in code.co_positions()]
        found = [
            one.line
            for one in line_ranges(code.co_linetable, code.co_firstlineno)
            for _ in range(one.start, one.end, 2)
        ]
        assert said == found


@given(st.sampled_from(codes_of("argparse")), st.data())
def test_the_line_of_an_instruction_is_found_by_its_place(code, data):
    """co_lines() of the interpreter and `line_at` agree at any instruction."""
    start, end, line = data.draw(st.sampled_from(list(code.co_lines())))
    offset = data.draw(st.sampled_from(range(start, end, 2)))
    assert line == line_at(code.co_linetable, code.co_firstlineno, offset)


def test_each_kind_of_entry_moves_the_line_as_documented():
    """One entry a kind, with lengths 1, 2 and so on."""
    entries = (
        (0x80 | 0 << 3 | 0, 0x00),  # short: the same line
        (0x80 | 11 << 3 | 1, 0x01, 0x02),  # one line: the next
        (0x80 | 12 << 3 | 0, 0x01, 0x02),  # one line: two further
        (0x80 | 13 << 3 | 2, 0x05),  # no columns: two back
        (0x80 | 15 << 3 | 0,),  # no line at all
        (0x80 | 14 << 3 | 0, 0x40, 0x02, 0x00, 0x00, 0x00),  # long: 64 further, in two bytes
    )
    table = b"".join(map(bytes, entries))
    expected = [
        LineRange(0, 2, 10),
        LineRange(2, 6, 11),
        LineRange(6, 8, 13),
        LineRange(8, 14, 11),
        LineRange(14, 16, None),
        LineRange(16, 18, 75),
    ]
    table = table.replace(b"\x40\x02", b"\x40\x02", 1)
    assert expected == list(line_ranges(table, 10))


def test_a_place_behind_the_code_has_no_line():
    """A wrong layout shows as an instruction that the table does not describe."""
    with pytest.raises(ValueError, match="no instruction at byte 2"):
        line_at(b"\x80\x00", 1, 2)


@pytest.mark.parametrize("table", [b"\x00", b"\x7f\x80", b"\xe8", b"\xe8\x41\x41\x41\x41\x41\x41"])
def test_what_is_no_table_is_refused(table):
    """An entry without its mark, and numbers without an end."""
    with pytest.raises(ValueError, match=r"entry|end"):
        list(line_ranges(table, 1))


@given(st.binary(max_size=200), st.integers(0, 2**31), st.integers(0, 5000))
def test_any_bytes_end_with_a_line_or_a_clear_error(table, first_line, offset):
    """Hostile tables neither hang nor raise anything else."""
    try:
        line = line_at(table, first_line, offset)
    except ValueError:
        return
    assert line is None or isinstance(line, int)
