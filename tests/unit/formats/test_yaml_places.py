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
    """That of `? key` on a line below; a key may have none at all."""
    places = Places(TEXT)
    key = entry(TEXT, "b")[0]
    assert TEXT.index("b :") + 3 == places.colon(key, ())
    far = "? a # c\n\n  # d\n: 1\n"
    assert far.index(": 1") + 1 == Places(far).colon(entry(far, "a")[0], ("a",))
    with pytest.raises(Unplaced):
        Places("? a\n").colon(entry("? a\n", "a")[0], ("a",))


def test_the_end_of_the_document_is_found():
    """Or that of the text; three points in a line of text are none."""
    assert 4 == Places("---\n... # end\n").document_end()
    assert 9 == Places("a: ...x\n\n").document_end()


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_the_line_before_ends_at_its_line_break(newline):
    """Whichever that is."""
    text = f"ab{newline}cd{newline}"
    assert 2 == Places(text).line_before(text.index("d"))


@pytest.mark.parametrize(
    ("text", "found"), [("# c", True), ("a # c", True), ("a\t#", True), ("a#b", False), ("", False)]
)
def test_a_comment_begins_behind_a_space(text, found):
    """Or at the start of a line."""
    assert found == Places(text).has_comment(0, len(text))


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
