"""Key paths as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.formats.keypath import format_path, format_pointer, lookup, parse_path


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", ()),
        (".", ()),
        ("a", ("a",)),
        ("a.b.0", ("a", "b", 0)),
        ('a."b.c"', ("a", "b.c")),
        ("a.'b.c'.d", ("a", "b.c", "d")),
        ('"0".00', ("0", "00")),
        ('a."q\\"x"', ("a", 'q"x')),
        ("/a/b~1c/0", ("a", "b/c", 0)),
        ("/a~0b", ("a~b",)),
        ("/", ("",)),
        ("tool.ruff.line-length", ("tool", "ruff", "line-length")),
    ],
)
def test_both_notations_are_read(text, path):
    """Dots with quotes, and JSON Pointer."""
    assert path == parse_path(text)


@pytest.mark.parametrize("text", ["a..b", ".a", "a.", 'a."b', '"a"b', "/a~2", '"\\x"'])
def test_a_malformed_path_is_refused(text):
    """An empty key, an open quote, a wrong escape."""
    with pytest.raises(ValueError, match=r"."):
        parse_path(text)


@given(st.lists(st.one_of(st.text(), st.integers(0, 10**6)), max_size=4).map(tuple))
def test_a_formatted_path_is_read_back(path):
    """Any key, empty ones and digits included."""
    assert path == parse_path(format_path(path))


def test_a_pointer_escapes_its_two_signs():
    """As RFC 6901 has it."""
    assert "/a~1b/c~0d/0" == format_pointer(("a/b", "c~d", 0))


def test_lookup_takes_a_number_for_what_is_there():
    """An index in a list, a key in a mapping, whether text or number."""
    value = {"l": [{"0": "x"}], "n": {1: "one"}}
    assert "x" == lookup(value, ("l", 0, 0))
    assert "one" == lookup(value, ("n", 1))
    assert "x" == lookup(value, ("l", -1, "0"))


@pytest.mark.parametrize(
    ("path", "missing"), [("a.x.y", "a.x"), ("a.b.5", "a.b.5"), ("a.b.0.z", "a.b.0.z"), ("q", "q")]
)
def test_lookup_names_the_first_missing_segment(path, missing):
    """Not the whole path, and not the last key."""
    with pytest.raises(KeyError) as caught:
        lookup({"a": {"b": [1]}}, parse_path(path))
    assert f"{missing} is not there" == caught.value.args[0]
