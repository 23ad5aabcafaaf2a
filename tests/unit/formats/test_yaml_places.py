"""Where the parts of YAML nodes are in the text."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast.formats.yaml_nodes import parse
from holdfast.formats.yaml_places import Places, Unplaced

TEXT = """a:
  - one # c
  # between
  - |
    block

  -
  - - deep
b : {x: 1}
"""


def entry(text: str, key: str):
    root: Any = parse(text).root
    return next(pair for pair in root.pairs if pair[0].data == key)


def test_every_dash_is_found():
    """Behind comments, blocks of text and blank lines, and before empty items."""
    node = entry(TEXT, "a")[1]
    dashes = Places(TEXT).dashes(node, ())
    assert ["- one", "- |", "-", "- - deep"] == [
        TEXT[at : Places(TEXT).line_end(at)].partition(" #")[0] for at in dashes
    ]


@pytest.mark.parametrize(
    ("text", "key", "tail"),
    [
        (TEXT, "a", "deep"),
        ("k: |\n  x\n\n\nb: 1\n", "k", "  x"),
        ("k: |+\n  x\n\nb: 1\n", "k", "  x\n"),
        ("k:\n  a: 1 # c\n  # d\nb: 1\n", "k", "1"),
        ("k:\n  a:\nb: 1\n", "k", "a:"),
        ("k:\n  -\nb: 1\n", "k", "-"),
        ("k: [1,\n  2] # c\n", "k", "2]"),
    ],
)
def test_a_node_ends_with_its_content(text, key, tail):
    """Without the comments and blank lines behind it."""
    end = Places(text).tail(entry(text, key)[1], ())
    assert text[:end].endswith(tail)
    assert not text[end : end + 1].strip()


def test_a_colon_may_stand_apart_from_its_key():
    """Only `? key` has none behind it."""
    places = Places(TEXT)
    key = entry(TEXT, "b")[0]
    assert TEXT.index("b :") + 3 == places.colon(key, ())
    with pytest.raises(Unplaced):
        Places("? a\n: 1\n").colon(entry("? a\n: 1\n", "a")[0], ("a",))


@pytest.mark.parametrize(
    ("text", "at", "lines"),
    [
        ("a\nb\nc\n", 2, "b\n"),
        ("a\r\nb\r\n", 3, "b\r\n"),
        ("a\nb", 2, "\nb"),
        ("a\r\nb", 3, "\r\nb"),
        ("a", 0, "a"),
        ("\nb", 1, "\nb"),
    ],
)
def test_whole_lines_take_one_line_break(text, at, lines):
    """The one before them where none follows."""
    start, stop = Places(text).whole_lines(at, at + 1)
    assert lines == text[start:stop]


def test_literal_blocks_know_their_indent():
    """By their first line that has something on it."""
    text = "a: |\n\n     x\n    \nb: 1\n"
    assert 5 == Places(text).literal_indent(entry(text, "a")[1])
    assert 0 == Places(text).literal_indent(entry(text, "b")[1])
