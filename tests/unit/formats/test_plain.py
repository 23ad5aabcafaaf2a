"""Comparing, copying and checking plain data."""

from __future__ import annotations

import pickle
from collections import OrderedDict, defaultdict
from datetime import UTC, date, datetime, time, timedelta, timezone
from enum import IntEnum, StrEnum
from typing import Any

import pytest

from holdfast.formats.plain import (
    MAX_DEPTH,
    MISSING,
    check_new,
    clone,
    ensure_depth,
    plain,
    same,
)

NAN = float("nan")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Colour(StrEnum):
    RED = "red"


class Level(IntEnum):
    HIGH = 3


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (1, True),
        (1, 1.0),
        (0.0, -0.0),
        (None, False),
        ("1", 1),
        ([], {}),
        ([1], [1, 2]),
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": 1}, {"b": 1}),
        ({"a": [1, {"b": 1}]}, {"a": [1, {"b": True}]}),
        (date(2026, 1, 1), datetime(2026, 1, 1)),  # noqa: DTZ001
        (NOON, NOON.astimezone(timezone(timedelta(hours=1)))),
        (MISSING, None),
    ],
)
def test_values_that_look_alike_are_not_the_same(a, b):
    """Type and content both count."""
    assert not same(a, b)
    assert not same(b, a)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (NAN, float("nan")),
        ({"a": NAN}, {"a": float("nan")}),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ([0.5, None, "x"], [0.5, None, "x"]),
        (NOON, NOON.replace()),
        (time(1, 2), time(1, 2)),
        (MISSING, MISSING),
    ],
)
def test_equal_values_are_the_same(a, b):
    """NaN is itself, and the order of keys does not count."""
    assert same(a, b)


def test_a_clone_shares_no_container():
    """Changing a copy leaves the original alone."""
    value = {"a": [1, {"b": []}]}
    copy = clone(value)
    copy["a"][1]["b"].append(2)
    assert {"a": [1, {"b": []}]} == value


def test_plain_data_pass_as_they_are():
    """Nothing is copied when nothing needs to be."""
    value = {"a": [1, 2.5, None, {"b": "x"}]}
    assert plain(value, name="json") is value


def test_tuples_and_subclasses_become_plain():
    """A copy holds the plain types beneath."""
    value = OrderedDict(a=(1, Level.HIGH), b=defaultdict(list, c=[Colour.RED]))
    result = plain(value, name="json")
    assert {"a": [1, 3], "b": {"c": ["red"]}} == result
    assert dict is type(result)
    assert int is type(result["a"][1])
    assert str is type(result["b"]["c"][0])


@pytest.mark.parametrize(
    ("name", "value", "where"),
    [
        ("json", {"a": {"b": {1, 2}}}, "a.b: JSON cannot hold a value of type set"),
        ("json", {"a": [b"x"]}, "a.0: JSON cannot hold a value of type bytes"),
        ("json", {"a": date(2026, 1, 1)}, "a: JSON cannot hold a value of type date"),
        ("json", {"a": {1: 2}}, "a: JSON keys are text, 1 is of type int"),
        ("toml", {"a": {1: 2}}, "a: TOML keys are text"),
        ("toml", {"a": [1, None]}, "a.1: TOML cannot hold None"),
        ("yaml", {"a": time(1)}, "a: YAML cannot hold a value of type time"),
        ("yaml", {(1, 2): 1}, "YAML cannot hold a value of type tuple"),
        ("yaml", {"a": object()}, "a: YAML cannot hold a value of type object"),
    ],
)
def test_what_a_format_cannot_hold_is_refused_with_its_place(name, value, where):
    """A TypeError names the key path."""
    with pytest.raises(TypeError, match=r"cannot hold|keys are text") as caught:
        plain(value, name=name)
    assert where in str(caught.value)


def test_an_unknown_format_takes_all_plain_data():
    """A codec of somebody's own decides for itself."""
    value = {1: None, "t": time(1), "d": NOON}
    assert value == plain(value, name="own")


def test_a_value_that_holds_itself_is_refused():
    """A cycle is nesting without end."""
    value: list[Any] = [1]
    value.append(value)
    with pytest.raises(ValueError, match="holds itself"):
        plain(value, name="json")
    with pytest.raises(ValueError, match="nested deeper"):
        ensure_depth(value)


def test_depth_is_counted_in_containers():
    """`MAX_DEPTH` levels pass, one more does not."""
    value: Any = 1
    for _ in range(MAX_DEPTH):
        value = [value]
    ensure_depth(value)
    assert plain(value, name="json") is value
    with pytest.raises(ValueError, match="nested deeper"):
        ensure_depth([value])
    with pytest.raises(ValueError, match="nested deeper"):
        plain((value,), name="json")


@pytest.mark.parametrize(
    ("name", "value", "where"),
    [
        ("json", {"a": [1, NAN]}, "a.1: JSON has no nan"),
        ("json", {"a": float("-inf")}, "a: JSON has no -inf"),
        ("toml", {"a": "\ud800"}, "a: TOML cannot hold text with a lone surrogate"),
        ("yaml", {"\ud800": 1}, "YAML cannot hold text with a lone surrogate"),
    ],
)
def test_values_that_are_never_newly_written(name, value, where):
    """A ValueError names the key path."""
    with pytest.raises(ValueError, match=r"has no|lone surrogate") as caught:
        check_new(value, name=name)
    assert where in str(caught.value)


def test_other_formats_have_nan_and_json_has_surrogates():
    """The rule is the format's own."""
    check_new([NAN, float("inf")], name="toml")
    check_new(["\ud800"], name="json")


def test_missing_is_one_object_even_after_pickling():
    """Identity is how it is told."""
    assert pickle.loads(pickle.dumps(MISSING)) is MISSING
    assert "MISSING" == repr(MISSING)
