"""Three-way merge."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast.formats.merge import merge3
from holdfast.formats.plain import MISSING

BASE = {"theme": "dark", "size": 1, "l": [1, 2], "deep": {"a": 1, "b": 2}}


def test_changes_of_different_keys_are_both_kept():
    """By key in mappings, by index in lists of equal length."""
    mine = {**BASE, "theme": "light", "l": [9, 2], "new": 1}
    theirs = {"theme": "dark", "l": [1, 8], "deep": {"a": 1, "b": 3}}
    value, conflicts = merge3(BASE, mine, theirs)
    assert {"theme": "light", "l": [9, 8], "deep": {"a": 1, "b": 3}, "new": 1} == value
    assert [] == conflicts


@pytest.mark.parametrize(
    ("prefer", "expected"),
    [("mine", 2), ("theirs", 3), (None, 2), (lambda _p, _b, mine, theirs: mine + theirs, 5)],
)
def test_a_conflict_is_listed_and_decided(prefer, expected):
    """By the preference, or by the function."""
    value, conflicts = merge3({"a": {"n": 1}}, {"a": {"n": 2}}, {"a": {"n": 3}}, prefer=prefer)
    assert {"a": {"n": expected}} == value
    assert [("a", "n")] == conflicts


def test_deleted_here_and_changed_there_is_a_conflict():
    """The function is given MISSING, and may return it."""
    calls = []

    def decide(*call):
        calls.append(call)
        return MISSING

    value, conflicts = merge3({"a": 1}, {}, {"a": 2}, prefer=decide)
    assert {} == value
    assert [("a",)] == conflicts
    assert [(("a",), 1, MISSING, 2)] == calls
    assert {"a": 2} == merge3({"a": 1}, {}, {"a": 2}, prefer="theirs").value


def test_mappings_added_on_both_sides_are_merged():
    """Only the keys that differ are conflicts."""
    value, conflicts = merge3({}, {"a": {"x": 1, "z": 1}}, {"a": {"y": 2, "z": 2}})
    assert {"a": {"x": 1, "y": 2, "z": 1}} == value
    assert [("a", "z")] == conflicts


def records(*pairs):
    """Records of an id and a value."""
    return [{"id": id_, "v": value} for id_, value in pairs]


A, B, C = "a", "b", "c"


@pytest.mark.parametrize(
    ("base", "mine", "theirs"),
    [
        (records((1, 0), (2, 0)), records((2, 0), (3, 0)), records((1, 9), (2, 8))),
        (records((1, 0)), records((5, 0)), records((1, 9))),
        ([A, B, C], [B, A, C], [A, C, B]),
        ([A, B], [B, A], [A, "x"]),
        ([A, B, C], [A, B, C, "x"], [A, B, C, "y"]),
        ([A, B, C], ["x", B, C], ["y", B, C, "z"]),
        ([A, B, C, "d"], ["x", A, B, C, "d"], [A, B, C, "d", "x"]),
        ([A, B, C, "d"], [B, C, "d", A], [B, C, A, "d"]),
        ([A, B, C, "d"], [B, C, "d"], [B, A, C, "d"]),
        ([A, B, C], ["x", C], [A, "y", C]),
    ],
)
def test_edits_of_a_list_that_collide_are_one_conflict(base, mine, theirs):
    """Moved, replaced or added by both, or side by side: the list of one side is taken whole."""
    assert ({"l": mine}, [("l",)]) == merge3({"l": base}, {"l": mine}, {"l": theirs})
    assert ({"l": mine}, [("l",)]) == merge3(
        {"l": base}, {"l": theirs}, {"l": mine}, prefer="theirs"
    )


@pytest.mark.parametrize(
    ("base", "mine", "theirs", "expected"),
    [
        ([A, B, C], ["x", A, B, C], [A, B, C, "y"], ["x", A, B, C, "y"]),
        ([A, B, C, "d"], [B, C, "d"], [A, B, C, "x"], [B, C, "x"]),
        ([A, B, C, "d"], [B, C, "d"], [B, C, "x"], [B, C, "x"]),
        ([A, B, C], [C, B, A], [A, B, C], [C, B, A]),
        ([[1], [2]], [[1, 5], [2]], [[1], [0, 2]], [[1, 5], [0, 2]]),
        ([False, False], [True, False], [False, True], [True, True]),
        (
            records((1, 0), (2, 0), (3, 0)),
            records((1, 5), (2, 0), (3, 0)),
            records((1, 0), (2, 0), (3, 0), (4, 0)),
            records((1, 5), (2, 0), (3, 0), (4, 0)),
        ),
        (
            [{"name": "x", "a": 1, "b": 1}],
            [{"name": "x", "a": 2, "b": 1}],
            [{"name": "x", "a": 1, "b": 3}],
            [{"name": "x", "a": 2, "b": 3}],
        ),
    ],
)
def test_edits_of_a_list_that_stand_apart_are_both_made(base, mine, theirs, expected):
    """Whichever side is mine."""
    assert ({"l": expected}, []) == merge3({"l": base}, {"l": mine}, {"l": theirs})
    assert ({"l": expected}, []) == merge3({"l": base}, {"l": theirs}, {"l": mine})


def test_lists_of_other_lengths_are_one_conflict():
    """Unless only one side changed it."""
    assert ({"l": [1, 2]}, [("l",)]) == merge3({"l": [1]}, {"l": [1, 2]}, {"l": [0]})
    assert ({"l": [1, 2]}, []) == merge3({"l": [1]}, {"l": [1, 2]}, {"l": [1]})


def test_true_and_one_are_different_changes():
    """Types count in a merge as well."""
    assert [("a",)] == merge3({"a": 0}, {"a": 1}, {"a": True}).conflicts


def test_the_result_shares_nothing():
    """It can be changed freely."""
    mine = {"a": [1]}
    merge3({}, mine, {}).value["a"].append(2)
    assert {"a": [1]} == mine


def test_an_unknown_preference_is_refused():
    """Before anything is merged."""
    wrong: Any = "ours"
    with pytest.raises(ValueError, match="prefer"):
        merge3({}, {}, {}, prefer=wrong)


def test_nesting_beyond_the_stack_is_a_value_error():
    """Never a RecursionError."""
    base, mine, theirs = 1, 2, 3
    for _ in range(5000):
        base, mine, theirs = [base], [mine], [theirs]
    with pytest.raises(ValueError, match="nested deeper"):
        merge3(base, mine, theirs)
