"""UTF-8 with places, and patches."""

from __future__ import annotations

import pytest

from holdfast.errors import DecodeError
from holdfast.formats.text import Layout, newline_of, patched, place_of, spliced, text_of


def test_a_byte_order_mark_is_taken_off_and_given_back():
    """So that the encoder can put it there again."""
    assert ("\ufeff", "a") == text_of(b"\xef\xbb\xbfa")
    assert ("", "a") == text_of(b"a")


def test_a_byte_that_is_not_utf8_is_placed():
    """Line and column count characters from 1."""
    with pytest.raises(DecodeError) as caught:
        text_of("é\n\u00fcx".encode() + b"\xff")
    assert (2, 3) == (caught.value.line, caught.value.column)
    assert "byte 0xff is not UTF-8" == str(caught.value)


def test_a_place_is_counted_from_one():
    """At the start, after a line break, and at the end."""
    assert [(1, 1), (2, 1), (2, 2)] == [place_of("a\nb", at) for at in (0, 2, 3)]


@pytest.mark.parametrize(
    ("text", "ending"),
    [("", "\n"), ("a", "\n"), ("a\nb\r\n", "\n"), ("a\r\nb", "\r\n"), ("\n", "\n")],
)
def test_the_line_ending_is_that_of_the_first_line(text, ending):
    """A text without one gets a line feed."""
    assert ending == newline_of(text)


def test_patches_may_touch_and_come_in_any_order():
    """Insertions at a place come before what replaces it."""
    assert "0aXc4" == patched("abc", [(1, 2, "X"), (3, 3, "4"), (0, 0, "0")])
    assert "1Ab" == patched("ab", [(0, 1, "A"), (0, 0, "1")])


@pytest.mark.parametrize(
    ("splices", "expected"),
    [
        ([(0, 1, [])], "[b, c]"),
        ([(1, 1, [])], "[a, c]"),
        ([(2, 1, [])], "[a, b]"),
        ([(0, 3, [])], "[]"),
        ([(0, 3, ["x", "y"])], "[x, y]"),
        ([(3, 0, ["x"])], "[a, b, c, x]"),
        ([(0, 0, ["x"])], "[x, a, b, c]"),
        ([(2, 1, ["x", "y"]), (0, 1, [])], "[b, x, y]"),
    ],
)
def test_items_come_and_go_with_their_separators(splices, expected):
    """No comma too many, none too few."""
    text = "[a, b, c]"
    layout = Layout(1, 8, ", ", "", "")
    assert expected == patched(text, spliced(layout, [(1, 2), (4, 5), (7, 8)], splices))


def test_an_empty_container_is_filled_with_its_margins():
    """`before` and `after` stand around the first items."""
    assert "[ a,b ]" == patched(
        "[]", spliced(Layout(1, 1, ",", " ", " "), [], [(0, 0, ["a", "b"])])
    )
