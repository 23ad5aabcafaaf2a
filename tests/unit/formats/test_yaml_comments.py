"""Comments that a change of a YAML text must not lose."""

from __future__ import annotations

import pytest

from holdfast.formats.diff import Delete, Edit, Set, Splice
from holdfast.formats.yaml_comments import lost_comment
from holdfast.formats.yaml_nodes import parse

TEXT = """# head
a: 1 # one
b: # two
  # three
  - 'x # no comment' # four
  - y # five
  # six
c: | # seven
  # text
d: {p: 1, # eight
  q: 2} # nine
"""


def lost(new: str, *edits: Edit, old: str = TEXT) -> str | None:
    return lost_comment(old, parse(old), list(edits), new=new, new_tree=parse(new))


def without(*comments: str) -> str:
    text = TEXT
    for comment in comments:
        assert comment in text
        text = text.replace(comment, "")
    return text


@pytest.mark.parametrize(
    "word", ["head", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
)
def test_every_comment_is_missed(word):
    """At the head, behind values, on lines of their own, behind the sign of a block."""
    assert f"# {word}" == lost(without(f"# {word}"))


def test_what_looks_like_a_comment_in_text_is_none():
    """In quotes and in blocks."""
    assert None is lost(TEXT.replace("x # no comment", "x").replace("  # text", "  text"))


@pytest.mark.parametrize(
    ("edit", "own", "others"),
    [
        (Delete(("a",)), ["# one"], ["# head", "# two"]),
        (Set(("a",), 2), [], ["# one"]),
        (Splice(("b",), 1, 1, []), ["# five"], ["# four", "# six"]),
        (Splice(("b",), 0, 0, ["new"]), [], ["# three", "# four"]),
        (Set(("b",), 5), ["# four"], ["# two", "# three", "# six"]),
        (Delete(("c",)), ["# seven"], ["# six", "# eight"]),
        (Delete(("d", "p")), ["# eight"], ["# nine"]),
        (Delete(("d", "q")), [], ["# eight", "# nine"]),
        (Set(("none", "there"), 1), [], ["# one"]),
    ],
)
def test_what_goes_takes_its_own_comments_alone(edit, own, others):
    """Those on its lines, or inside of it; never those of its neighbours."""
    assert None is lost(without(*own), edit)
    for comment in others:
        assert comment == lost(without(comment), edit)


def test_the_order_counts_and_two_may_become_one():
    """A comment elsewhere is not the same, nor is one that only begins alike."""
    assert "# two" == lost("# two\n# one\n", old="# one\n# two\n")
    assert None is lost("a: 1 # one # two\n", old="a: # one\n  1 # two\n")
    assert "# on" == lost("# one\n", old="# on\n")
