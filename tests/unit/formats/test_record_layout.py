"""Layouts: what is packed comes back, and what does not fit is refused by the name of its field."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.formats.record_layout import MAX_RECORD_BYTES, RecordLayout

ALL = {
    **{code: code for code in "bBhHiIqQfd?"},
    "text": "12s",
    "raw": "5c",
    "counted": "9p",
}
ZEROS = dict.fromkeys("bBhHiIqQfd", 0) | {"?": False, "text": "", "raw": bytes(5)}
RECORD = {**ZEROS, "counted": b""}
TEXT = st.text(st.characters(min_codepoint=1, exclude_categories=["Cs"])).filter(
    lambda text: len(text.encode()) <= 12
)


@given(
    st.fixed_dictionaries(
        {
            "b": st.integers(-128, 127),
            "H": st.integers(0, 65535),
            "q": st.integers(-(2**63), 2**63 - 1),
            "Q": st.integers(0, 2**64 - 1),
            "d": st.floats(allow_nan=False),
            "f": st.floats(width=32, allow_nan=False),
            "?": st.booleans(),
            "text": TEXT,
            "raw": st.binary(min_size=5, max_size=5),
            "counted": st.binary(max_size=8),
        }
    )
)
def test_record_is_unpacked_as_it_was(values) -> None:
    """Of every code, whatever its value is."""
    layout = RecordLayout(ALL)
    record = {**RECORD, **values}

    assert record == layout.unpack(layout.pack(record))


def test_bytes_are_those_of_struct_without_gaps() -> None:
    """Little-endian, one field after another."""
    layout = RecordLayout({"a": "B", "b": "I", "c": "3s"})

    assert struct.pack("<BI3s", 1, 2, "é".encode()) == layout.pack({"a": 1, "b": 2, "c": "é"})
    assert 8 == layout.size_bytes


def test_text_of_a_layout_says_it_all() -> None:
    """It is parsed to the same one; the order of fields is part of it."""
    layout = RecordLayout(ALL)

    assert ALL == RecordLayout.parse(layout.text).fields
    assert "I a\n8s the owner\n" == RecordLayout({"a": "I", "the owner": "8s"}).text


@pytest.mark.parametrize("text", ["", "I a", "I a\nI a\n", "x a\n", "I \n", "I a\n\n", "4I a\n"])
def test_other_text_is_refused(text) -> None:
    """No fields, one twice, no newline at the end, no such code."""
    with pytest.raises(ValueError, match=r"."):
        RecordLayout.parse(text)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"a": ""},
        {"a": "x"},
        {"a": "s"},
        {"a": "0s"},
        {"a": "-1s"},
        {"a": "4i"},
        {"a": "257p"},
        {"a": "99999999s"},
        {"a": "²s"},
        {"": "I"},
        {"a\n": "I"},
        {"a": f"{MAX_RECORD_BYTES}s", "b": "b"},
        {f"{at:0500}": "b" for at in range(9)},
    ],
)
def test_impossible_layout_is_refused(fields) -> None:
    """Also one that asks for too much, before anything is made."""
    with pytest.raises(ValueError, match=r"."):
        RecordLayout(fields)


@pytest.mark.parametrize("fields", [{1: "I"}, {"a": 4}])
def test_field_that_is_no_text_is_refused(fields) -> None:
    """As a name and as a code."""
    with pytest.raises(TypeError, match="both text"):
        RecordLayout(fields)


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("b", 128, ValueError),
        ("Q", -1, ValueError),
        ("q", 2**63, ValueError),
        ("i", "7", TypeError),
        ("i", 1.5, TypeError),
        ("d", "x", TypeError),
        ("f", 1e300, ValueError),
        ("?", 1, TypeError),
        ("text", b"x", TypeError),
        ("text", "é" * 7, ValueError),
        ("text", "a\0b", ValueError),
        ("text", "\ud800", ValueError),
        ("raw", b"1234", ValueError),
        ("raw", "12345", TypeError),
        ("counted", b"123456789", ValueError),
    ],
)
def test_value_that_does_not_fit_is_refused_by_name(name, value, kind) -> None:
    """Nothing is cut, filled up or rounded to make it fit."""
    with pytest.raises(kind, match=repr(name).replace("?", r"\?")):
        RecordLayout(ALL).pack({**RECORD, name: value})


def test_missing_and_unknown_fields_are_named() -> None:
    """A record has the fields of the layout, no more and no less."""
    layout = RecordLayout({"a": "I", "b": "I"})

    with pytest.raises(ValueError, match="the field 'b' is missing"):
        layout.pack({"a": 1})
    with pytest.raises(ValueError, match="no field 'c'; there are 'a', 'b'"):
        layout.pack({"a": 1, "b": 2, "c": 3})


def test_bytes_that_are_no_text_are_told() -> None:
    """Somebody else has written them; the field is named."""
    layout = RecordLayout({"name": "4s"})

    with pytest.raises(ValueError, match="'name' holds what is no UTF-8"):
        layout.unpack(b"\xff\xfe\0\0")


def test_zeros_are_a_record() -> None:
    """What a repair puts where a record is lost."""
    layout = RecordLayout(ALL)

    assert RECORD == layout.unpack(bytes(layout.size_bytes))
