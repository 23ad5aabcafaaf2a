"""Items of arrays and inline tables."""

from __future__ import annotations

import pytest

from holdfast.formats.text import patched
from holdfast.formats.toml_items import inserted, removed
from holdfast.formats.toml_scan import inside

LINES = "[ # why\n  1, # one\n  # above\n  2\n]"


@pytest.mark.parametrize(
    ("text", "run", "expected"),
    [
        ("[1, 2, 3]", (0, 1), "[2, 3]"),
        ("[1, 2, 3]", (1, 2), "[1, 3]"),
        ("[1, 2, 3]", (1, 3), "[1]"),
        ("[1, 2, 3, ]", (2, 3), "[1, 2, ]"),
        ("[ 1, 2 ]", (0, 2), "[]"),
        ("[1, 2, # two\n 3]", (1, 3), "[1, # two\n ]"),
        ("[1 # one\n , 2]", (0, 1), "[ # one\n 2]"),
        ("[1, 2,\n 3]", (0, 3), "[]"),
        (LINES, (0, 1), "[ # why\n  # above\n  2\n]"),
        (LINES, (1, 2), "[ # why\n  1, # one\n  # above\n]"),
        (LINES, (0, 2), "[ # why\n  # above\n]"),
        ("{a = 1, b = 2}", (1, 2), "{a = 1}"),
        ("{ a = 1, b = 2 }", (0, 1), "{ b = 2 }"),
    ],
)
def test_items_go_with_their_commas(text, run, expected):
    """Of lines of their own the whole line goes; what stands between items stays."""
    assert expected == patched(text, removed(text, inside(text, 0), run))


@pytest.mark.parametrize(
    ("text", "index", "expected"),
    [
        ("[]", 0, "[8, 9]"),
        ("[ # why\n]", 0, "[8, 9 # why\n]"),
        ("[1, 2]", 0, "[8, 9, 1, 2]"),
        ("[1, 2]", 1, "[1, 8, 9, 2]"),
        ("[ 1,2 ]", 2, "[ 1,2,8,9 ]"),
        ("[1, 2, # two\n 3]", 3, "[1, 2, # two\n 3, 8, 9]"),
        (LINES, 0, "[ # why\n  8,\n  9,\n  1, # one\n  # above\n  2\n]"),
        (LINES, 1, "[ # why\n  1, # one\n  8,\n  9,\n  # above\n  2\n]"),
        (LINES, 2, "[ # why\n  1, # one\n  # above\n  2,\n  8,\n  9\n]"),
        ("[\n 1,\n]", 1, "[\n 1,\n 8,\n 9,\n]"),
    ],
)
def test_items_come_as_their_neighbours_are_written(text, index, expected):
    """On one line, or each on its own."""
    assert expected == patched(text, inserted(text, inside(text, 0), ["8", "9"], index=index))
