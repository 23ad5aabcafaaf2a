"""`carried`: a change of what a type sees, where it does not see all."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.formats.carry import carried
from holdfast.formats.plain import MISSING, same


@pytest.mark.parametrize(
    ("plain", "seen", "changed", "expected"),
    [
        ({"a": 1, "x": 9}, {"a": 1}, {"a": 2}, {"a": 2, "x": 9}),
        ({"x": 9}, {"a": 1}, {"a": 1}, {"x": 9}),
        ({"x": 9}, {"a": 1}, {"a": 2}, {"x": 9, "a": 2}),
        ({"a": {"x": 9}}, {"a": {"b": 1}}, {"a": {"b": 2}}, {"a": {"x": 9, "b": 2}}),
        ({"a": 1, "b": 2, "x": 9}, {"a": 1, "b": 2}, {"a": 1}, {"a": 1, "x": 9}),
        ({}, {"a": []}, {"a": [1]}, {"a": [1]}),
        ({"a": ["b", "a"]}, {"a": ["a", "b"]}, {"a": ["b"]}, {"a": ["b"]}),
        ([{"i": 1, "x": 9}, {"i": 2}], [{"i": 1}, {"i": 2}], [{"i": 2}], [{"i": 2}]),
        ([{"i": 1, "x": 9}, {"i": 2}], [{"i": 1}, {"i": 2}], [{"i": 1}], [{"i": 1, "x": 9}]),
        (1, 1, "a", "a"),
        (MISSING, 1, 2, 2),
    ],
)
def test_change_is_carried_over(plain: Any, seen: Any, changed: Any, expected: Any) -> None:
    """What changed is as it became, the rest as it was."""
    assert expected == carried(plain, seen, changed)


def test_nothing_is_shared() -> None:
    """Changing the result changes neither the old data nor the new value."""
    plain, seen, changed = {"a": [1], "x": [2]}, {"a": [1]}, {"a": [1], "b": [3]}
    result = carried(plain, seen, changed)
    for key in "axb":
        result[key].append(0)

    assert ({"a": [1], "x": [2]}, {"a": [1], "b": [3]}) == (plain, changed)


PLAIN = st.recursive(
    st.integers(0, 3) | st.sampled_from(["a", "b"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(PLAIN, PLAIN)
def test_when_all_is_seen_the_result_is_the_change(plain: Any, changed: Any) -> None:
    """Where the type sees everything, the new data are the new value."""
    assert same(changed, carried(plain, plain, changed))


def test_moved_items_take_along_what_is_not_seen() -> None:
    """With their origins known, items keep their unknown fields wherever they go."""
    plain = [{"i": 1, "x": "one"}, {"i": 2, "x": "two"}, {"i": 3, "x": "three"}]
    seen = [{"i": 1}, {"i": 2}, {"i": 3}]
    changed = [{"i": 30}, {"i": 9}, {"i": 1}]

    result = carried(plain, seen, changed, origins={(0,): (2,), (2,): (0,)})

    assert [{"i": 30, "x": "three"}, {"i": 9, "x": "two"}, {"i": 1, "x": "one"}] == result


def test_tail_that_is_not_seen_stays() -> None:
    """A list that is longer than the type sees (an array of fields) keeps its tail."""
    assert [5, 2, 99] == carried([1, 2, 99], [1, 2], [5, 2])
