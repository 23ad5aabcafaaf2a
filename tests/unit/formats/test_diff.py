"""Edit scripts between plain values."""

from __future__ import annotations

import time

import pytest

from holdfast.formats.diff import Delete, Set, Splice, apply, changed_paths, diff


@pytest.mark.parametrize(
    ("old", "new", "edits"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, []),
        ({"a": 1}, {"a": 2}, [Set(("a",), 2)]),
        ({"a": 1}, {"a": True}, [Set(("a",), True)]),
        ({"a": 1}, {}, [Delete(("a",))]),
        ({}, {"a": {"b": 1}}, [Set(("a",), {"b": 1})]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, [Set(("a", "c"), 3)]),
        ([1, 2, 3], [1, 5, 3], [Set((1,), 5)]),
        ([{"x": 1, "y": 1}, 2], [{"x": 1, "y": 2}, 2], [Set((0, "y"), 2)]),
        ([1, 2, 3], [1, 3], [Splice((), 1, 1, [])]),
        ([1, 3], [1, 2, 3], [Splice((), 1, 0, [2])]),
        ([], [1], [Splice((), 0, 0, [1])]),
        ([1], [], [Splice((), 0, 1, [])]),
        ([1, 2, 3, 4, 5], [2, 4, 5, 6], [Splice((), 5, 0, [6]), Splice((), 2, 1, []), Splice((), 0, 1, [])]),  # noqa: E501
        ({"a": 1}, [1], [Set((), [1])]),
        (1, 2, [Set((), 2)]),
        ([0.0], [-0.0], [Set((0,), -0.0)]),
    ],
)  # fmt: skip
def test_diff_is_the_shortest_that_reads_well(old, new, edits):
    """Index by index for equal lengths, splices for others; types count."""
    assert edits == diff(old, new)
    assert repr(edits) == repr(diff(old, new))
    assert new == apply(diff(old, new), old)


def test_an_item_that_changed_while_the_list_grew_is_changed_in_place():
    """Its other fields are not touched."""
    old = {"l": [{"id": 1, "n": 1}, {"id": 2, "n": 1}]}
    new = {"l": [{"id": 1, "n": 9}, {"id": 2, "n": 1}, {"id": 3}]}
    edits = [Splice(("l",), 2, 0, [{"id": 3}]), Set(("l", 0, "n"), 9)]
    assert edits == diff(old, new)
    old = {"l": [{"id": 1, "n": 1}]}
    new = {"l": [{"id": 1, "n": 9}, {"id": 3}]}
    assert [Splice(("l",), 1, 0, [{"id": 3}]), Set(("l", 0, "n"), 9)] == diff(old, new)


def test_apply_shares_nothing_with_the_edits():
    """The result can be changed freely."""
    new = {"a": {"b": []}, "l": [[1]]}
    edits = diff({"l": []}, new)
    result = apply(edits, {"l": []})
    result["a"]["b"].append(1)
    result["l"][0].append(2)
    assert {"a": {"b": []}, "l": [[1]]} == new


def test_changed_paths_name_each_place_once():
    """A list that grew or shrank is named as a whole."""
    old = {"a": {"b": 1}, "l": [1, 2, 3, 4], "x": 1}
    new = {"a": {"b": 2}, "l": [2, 4], "n": None}
    assert [("a", "b"), ("l",), ("x",), ("n",)] == changed_paths(diff(old, new))


def test_long_lists_that_share_nothing_are_one_splice():
    """The table of the comparison is bounded."""
    start = time.monotonic()
    old, new = list(range(5000)), list(range(5000, 12000))
    assert [Splice((), 0, 5000, new)] == diff(old, new)
    assert time.monotonic() - start < 5


def test_nesting_beyond_the_stack_is_a_value_error():
    """Never a RecursionError."""
    old, new = 1, 2
    for _ in range(5000):
        old, new = [old], [new]
    with pytest.raises(ValueError, match="nested deeper"):
        diff(old, new)
