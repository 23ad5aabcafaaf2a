"""Records of a line log as bytes, and back."""

from __future__ import annotations

from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import DecodeError
from holdfast.primitives import line_log_records
from holdfast.primitives.line_log_records import (
    LineRecord,
    decode,
    encode,
    holds_json,
    whole_json,
    whole_text,
)


@pytest.mark.parametrize(
    ("record", "line"),
    [
        ("text", b"text\n"),
        ("", b"\n"),
        ("Grüße \u2028 \x0b", "Grüße \u2028 \x0b\n".encode()),
        ({"b": 1, "a": [None, True, "é\n\0"]}, '{"b":1,"a":[null,true,"é\\n\\u0000"]}\n'.encode()),
        ({}, b"{}\n"),
        (MappingProxyType({"n": 10**40}), b'{"n":' + str(10**40).encode() + b"}\n"),
    ],
)
def test_record_is_one_line(record, line: bytes) -> None:
    """I1, I2: text as it is, a mapping as compact JSON in UTF-8."""
    assert line == encode(record)
    assert 1 == encode(record).count(b"\n")


@pytest.mark.parametrize(
    ("record", "says"),
    [
        ("a\nb", "a line break at index 1"),
        ("a\n", "a line break at index 1"),
        ("a\r", "a line break at index 1"),
        ("\0", "a NUL character at index 0"),
        ("\ud800", "not Unicode text"),
        ({"a": "\udfff"}, "not Unicode text"),
        ({"a": float("nan")}, "not JSON"),
        ({"a": float("inf")}, "not JSON"),
    ],
)
def test_what_is_no_line_is_refused(record, says: str) -> None:
    """I1, I2: with what is wrong, and where; nothing was appended."""
    with pytest.raises(ValueError, match=says) as caught:
        encode(record)

    assert "Nothing was appended" in str(caught.value)


@pytest.mark.parametrize("record", [b"bytes", 1, None, ["list"], {"a": object()}, {"a": {1, 2}}])
def test_what_is_no_record_is_refused(record) -> None:
    """Neither text nor a mapping of what JSON knows."""
    with pytest.raises(TypeError, match="Nothing was appended"):
        encode(record)


def test_deep_and_circular_mappings_are_refused() -> None:
    """The encoder's own limits are errors of the caller, and say so."""
    circular: dict[str, object] = {}
    circular["a"] = circular
    with pytest.raises(ValueError, match="not JSON"):
        encode(circular)


def test_line_that_is_too_long_is_refused(monkeypatch) -> None:
    """The limit counts the newline, and bytes, not characters."""
    monkeypatch.setattr(line_log_records, "LINE_MAX_BYTES", 5)

    assert "ää\n".encode() == encode("ää")
    with pytest.raises(ValueError, match="has 6 bytes, and a line at most 5"):
        encode("ääa")


@given(st.binary())
def test_decoded_line_keeps_every_byte(line: bytes) -> None:
    """What is not UTF-8 can be got back."""
    assert line == decode(line).encode("utf-8", "surrogateescape")


@given(st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text()))
def test_value_of_a_line_is_what_was_encoded(record: dict[str, object]) -> None:
    """A mapping goes through a line unchanged, or is refused."""
    try:
        line = encode(record)
    except ValueError:
        return
    assert record == LineRecord(1, decode(line[:-1])).value


@given(st.dictionaries(st.text(), st.integers() | st.text(), min_size=1))
def test_no_part_of_a_json_object_is_whole(record: dict[str, object]) -> None:
    """I3: whatever is missing at its end, it is not taken for a record."""
    try:
        line = encode(record)[:-1]
    except ValueError:
        return

    assert whole_json(line)
    assert not any(whole_json(line[:size]) for size in range(len(line)))


@pytest.mark.parametrize(
    "fragment", [b"12", b"null", b'"a"', b"[1]", b"{}\0", b"\xff", b"[" * 9999]
)
def test_other_ends_are_no_json_records(fragment: bytes) -> None:
    """I3: a number may be the part of a longer one."""
    assert not whole_json(fragment)


@pytest.mark.parametrize(
    ("fragment", "encoding", "expected"),
    [
        (b"text", "utf-8", True),
        (b"te\0xt", "utf-8", False),
        (b"\xe4", "utf-8", False),
        (b"\xe4", "latin-1", True),
    ],
)
def test_end_of_text_is_whole_if_it_decodes(fragment: bytes, encoding: str, expected: bool) -> None:
    """I3: and holds none of the zeros that a power cut leaves."""
    assert expected is whole_text(encoding)(fragment)


@pytest.mark.parametrize(
    ("name", "expected"), [("a.jsonl", True), ("a.ndjson", True), ("a.json", False), ("a", False)]
)
def test_suffix_says_whether_lines_are_json(name: str, expected: bool) -> None:
    """`.jsonl` and `.ndjson`."""
    assert expected is holds_json(name)


@pytest.mark.parametrize("text", ["no", "{", "", "[" * 100_000])
def test_value_of_what_is_not_json_is_an_error_with_its_place(text: str) -> None:
    """Path, line and column; never a crash."""
    with pytest.raises(DecodeError, match="line 7 is not JSON") as caught:
        _ = LineRecord(7, text, "a.jsonl").value

    assert ("a.jsonl", 7) == (caught.value.path, caught.value.line)
