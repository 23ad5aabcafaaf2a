"""`carried` and `alignment`: a change of what a type sees, brought to what it does not see all of."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.formats.carry import carried
from holdfast.formats.diff import alignment
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


ITEMS = st.lists(st.integers(0, 3), max_size=8)


@given(ITEMS, ITEMS)
def test_alignment_is_in_order_and_keeps_what_is_common(old: list[int], new: list[int]) -> None:
    """Origins rise, none is used twice, and no item that stayed is taken for a new one beside its likeness."""
    origins = alignment(old, new)
    used = [origin for origin in origins if origin is not None]

    assert len(new) == len(origins)
    assert used == sorted(set(used))
    assert all(0 <= origin < len(old) for origin in used)
    if old == new:
        assert list(range(len(old))) == origins


@given(ITEMS, st.integers(0, 8), st.integers(4, 5))
def test_item_put_in_leaves_the_others_what_they_were(old: list[int], at: int, item: int) -> None:
    """One new item is new, and all others are themselves."""
    at = min(at, len(old))
    new = [*old[:at], item, *old[at:]]

    assert [*range(at), None, *range(at, len(old))] == alignment(old, new)


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
