"""Changes of a YAML text at their places."""

from __future__ import annotations

import pytest

from holdfast.formats.changes import tree
from holdfast.formats.diff import Delete, Set, Splice
from holdfast.formats.yaml_layout import rewrite
from holdfast.formats.yaml_nodes import parse
from holdfast.formats.yaml_places import Unplaced


def rewritten(text: str, *edits) -> str:
    return rewrite(text, parse(text), tree(list(edits)))


def test_several_changes_are_made_at_once():
    """Each at its place, in one pass."""
    text = "a: 1\nl:\n  - x # c\n  - y\nz: {k: v}\n"
    expected = "a: 2\nl:\n  - x # c\n  - w\nz: {k: u, m: 1}\n"
    edits = (
        Set(("a",), 2),
        Splice(("l",), 1, 1, ["w"]),
        Set(("z", "k"), "u"),
        Set(("z", "m"), 1),
    )
    assert expected == rewritten(text, *edits)


@pytest.mark.parametrize(
    ("text", "edit", "expected"),
    [
        ("a:\n  b: 1 # one\nc: 2\n", Set(("a",), 5), "a: 5 # one\nc: 2\n"),
        ("a: # k\n  - 1\n  - 2\nc: 2\n", Set(("a",), {"x": 1}), "a: # k\n  x: 1\nc: 2\n"),
        ("- a: 1\n  b: 2\n- c\n", Set((0,), "s"), "- s\n- c\n"),
        ("- a # c\n- b\n", Set((0,), {"k": 1}), "- # c\n  k: 1\n- b\n"),
        ("--- a\n", Set((), {"b": 1}), "--- \nb: 1\n"),
        (
            "a: [\n  1, # one\n  2\n]\n",
            Splice(("a",), 2, 0, [3]),
            "a: [\n  1, # one\n  2,\n  3\n]\n",
        ),
        ("{a: 1, b: 2}\n", Delete(("a",)), "{b: 2}\n"),
        ("a: |+\n  x\n\n\nb: 1\n", Set(("a",), "w"), "a: w\nb: 1\n"),
    ],
)
def test_collections_give_way_to_other_kinds(text, edit, expected):
    """With the comments around them kept."""
    assert expected == rewritten(text, edit)


@pytest.mark.parametrize(
    ("text", "edit"),
    [
        ("? a\n", Set(("a",), 2)),
        ("[a: 1]\n", Set((0, "b"), 2)),
        ("a: 1\n", Set(("a", "b"), 2)),
    ],
)
def test_what_does_not_fit_its_place_is_told(text, edit):
    """The caller takes a larger block then."""
    with pytest.raises(Unplaced) as caught:
        rewritten(text, edit)
    assert edit.path[: len(caught.value.path)] == caught.value.path
