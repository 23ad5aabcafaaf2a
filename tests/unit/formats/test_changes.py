"""Edit scripts as trees, and ever larger blocks."""

from __future__ import annotations

from holdfast.formats.changes import tree, value_at, widened
from holdfast.formats.diff import Delete, Set, Splice, diff
from holdfast.formats.plain import MISSING


def test_edits_hang_on_their_paths():
    """Each kind of edit is found at its key."""
    root = tree([Set(("a", "b"), 1), Delete(("c",)), Splice(("l",), 2, 1, [5])])
    assert 1 == root.children["a"].children["b"].value
    assert MISSING is root.children["a"].value
    assert root.children["c"].deleted
    assert [(2, 1, [5])] == root.children["l"].splices


def test_value_at_tells_missing_from_none():
    """Missing keys, indexes and steps into scalars."""
    value = {"a": [None]}
    assert None is value_at(value, ("a", 0))
    for path in (("b",), ("a", 1), ("a", 0, "x")):
        assert MISSING is value_at(value, path)


def test_widening_ends_at_the_root():
    """Each step takes in more, and the last is one Set of everything."""
    old = {"a": {"b": {"c": 1}}, "z": 1}
    new = {"a": {"b": {"c": 2}}, "z": 2}
    edits = diff(old, new)
    edits = widened(edits, ("a", "b", "c"), old=old, new=new)
    assert [Set(("z",), 2), Set(("a", "b"), {"c": 2})] == edits
    edits = widened(edits, ("a", "b"), old=old, new=new)
    assert [Set(("z",), 2), Set(("a",), {"b": {"c": 2}})] == edits
    edits = widened(edits, ("a",), old=old, new=new)
    assert [Set((), new)] == edits


def test_widening_takes_a_list_that_grew_as_a_whole():
    """Old and new indexes differ, so no block inside can be named."""
    old = {"l": [{"id": 1, "n": 1}, 2]}
    new = {"l": [0, {"id": 1, "n": 1}, 3, 2]}
    assert [Set(("l",), new["l"])] == widened(diff(old, new), ("l", 1, "x"), old=old, new=new)
