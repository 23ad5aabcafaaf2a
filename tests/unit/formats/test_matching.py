"""`matched`: which item is which, where identity does not say so."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.formats.matching import matched


def named(*items: tuple[Any, int]) -> list[dict[str, Any]]:
    """Records with an id and a value."""
    return [{"id": name, "v": value} for name, value in items]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ([1, 2, 3], [3, 1], [2, 0]),
        ([1, 2, 3], [2, 3, 5], [1, 2, None]),
        ([1, 2, 3], [1, 7, 3], [0, 1, 2]),
        (named(("a", 1), ("b", 2)), named(("b", 9), ("a", 8)), [1, 0]),
        (named(("a", 1)), named(("z", 1)), [None]),
        (named(("a", 1), ("a", 2)), named(("a", 3), ("a", 4)), [0, 1]),
        ([{"v": 1}], [{"v": 2}], [0]),
        ([], [1], [None]),
        ([1], [], []),
    ],
)
def test_items_are_found_again(old: Any, new: Any, expected: Any) -> None:
    """The same item first, then the same name, then the same place unless the ids differ."""
    assert expected == matched(old, new, [None] * len(new))


def test_identity_goes_before_likeness() -> None:
    """What is known is believed, and not given to another."""
    assert [1, None] == matched([{"v": 1}, {"v": 2}], [{"v": 1}, {"v": 9}], [1, None])


@given(st.lists(st.integers(0, 3), max_size=8), st.lists(st.integers(0, 3), max_size=8))
def test_no_item_is_used_twice(old: list[int], new: list[int]) -> None:
    """Each old item is at most one new one; equal lists are themselves."""
    found = matched(old, new, [None] * len(new))
    used = [index for index in found if index is not None]

    assert len(found) == len(new)
    assert len(used) == len(set(used))
    assert sorted(new) != sorted(old) or None not in found
