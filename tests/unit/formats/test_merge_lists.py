"""What a merge of lists goes by."""

from __future__ import annotations

import pytest

from holdfast.formats.merge_lists import in_place, spliced_both
from holdfast.formats.plain import MISSING, same

HOST = {"host": "x", "port": 1, "user": "u"}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (1, 2, True),
        (1, [2], False),
        ([1], [2], True),
        (HOST, 1, False),
        (HOST, {**HOST, "port": 2}, True),
        (HOST, {**HOST, "port": 2, "host": "y"}, False),
        (HOST, {"host": "x", "new": [1]}, True),
        ({"id": 1, **HOST}, {"id": 2, **HOST}, False),
        ({"id": 1, **HOST}, {"id": 1, "port": 9}, True),
        ({"name": "n", "a": 1, "b": 2}, {"name": "n", "a": 2, "b": 3}, True),
        ({"deep": {"a": 1}}, {"deep": {"a": 2}}, True),
    ],
)
def test_an_item_changed_in_place_is_akin_to_what_it_was(old, new, expected):
    """The same id, or at least half of the fields."""
    assert expected == in_place([old, "other"], [new, "other"], [old, "changed"])


def test_an_item_of_another_place_was_moved():
    """And a list of another length was not changed in place."""
    assert not in_place(["a", "b"], ["b", "x"])
    assert not in_place(["a"], ["a", "b"])
    assert in_place([0, 0, 1], [2, 0, 1], [0, 3, 1])


def test_stretches_that_touch_collide():
    """Also those side by side, and an insertion beside a replacement."""
    assert MISSING is spliced_both([1, 2, 3], [9, 2, 3], [1, 8, 3])
    assert MISSING is spliced_both([1, 2, 3], [9, 2, 3], [1, 7, 2, 3])
    assert [9, 2, 8] == spliced_both([1, 2, 3], [9, 2, 3], [1, 2, 8])


def test_a_change_that_both_made_is_made_once():
    """While the rest of both is made as well."""
    assert ["x", 2, 3, 4, 5, 6] == spliced_both(
        [1, 2, 3, 4], ["x", 2, 3, 4, 5, 6], ["x", 2, 3, 4, 5, 6]
    )
    assert [2, 9, 4, 5] == spliced_both([1, 2, 3, 4, 5], [2, 9, 4, 5], [2, 3, 4, 5])


def test_nothing_comes_twice_that_both_added_or_moved():
    """Records are known by their id, other items by all they hold, types included."""
    one, again = {"id": 1, "v": 1}, {"id": 1, "v": 2}
    assert MISSING is spliced_both([5, 6, 7], [one, 5, 6, 7], [5, 6, 7, again])
    assert MISSING is spliced_both([5, 6, 7], [6, 7], [5, 6, 7, 5])
    merged = spliced_both([5, 6, 7], [1, 5, 6, 7], [5, 6, 7, True])
    assert same([1, 5, 6, 7, True], merged)
    assert same([0.0, 5, 6, -0.0], spliced_both([5, 6], [0.0, 5, 6], [5, 6, -0.0]))
