"""Whether what is read back is still the same."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pydantic
import pytest

from holdfast.formats.likeness import alike
from holdfast.formats.typed import adapter

HOUR_AGAIN = datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Paris"))


def nan() -> float:
    """Another NaN each time, for `in` and `==` of containers look at identity first."""
    return float(str(math.nan))


class Colour(Enum):
    RED = 1
    BLUE = 2


@dataclass
class Point:
    x: Any
    kept: int = field(default=0, init=False)
    cache: int = field(default=0, compare=False)


@dataclass(eq=False)
class Bare:
    x: Any


class Struct(msgspec.Struct):
    x: Any


class BareStruct(msgspec.Struct, eq=False):
    x: Any


class Model(pydantic.BaseModel, extra="allow"):
    x: Any
    _private: int = 0


def model(private: int, **fields: Any) -> Model:
    """A model with a private attribute."""
    made = Model(**fields)
    made._private = private
    return made


class Awkward:
    def __eq__(self, other: object) -> bool:
        raise ValueError("no truth in it")

    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("value", "other"),
    [
        (1, 1.0),
        ((1, [2]), [1, (2,)]),
        (nan(), nan()),
        ([nan(), {"a": nan()}], [nan(), {"a": nan()}]),
        ({1.0, nan()}, {nan(), 1.0}),
        (Point(nan()), Point(nan())),
        (Point(Bare(1)), Point(Bare(2))),
        (Bare(1), Bare(2)),
        (Struct(nan()), Struct(nan())),
        (BareStruct(1), BareStruct(2)),
        (model(1, x=nan(), more=[nan()]), model(2, x=nan(), more=[nan()])),
        (HOUR_AGAIN, HOUR_AGAIN.replace(tzinfo=timezone(timedelta(hours=1)))),
    ],
)
def test_what_is_equal_as_far_as_types_can_tell_is_alike(value, other):
    """NaN, tuples and lists, fields, and what has no equality of its own."""
    assert alike(value, other)


@pytest.mark.parametrize(
    ("value", "other"),
    [
        (1, 2),
        ([1], [1, 2]),
        ({"a": 1}, {"b": 1}),
        ({1.0, nan()}, {2.0, nan()}),
        ((1,), "1"),
        (Colour.RED, Colour.BLUE),
        (Point(Colour.RED), Point(Colour.BLUE)),
        (Point(1), Struct(1)),
        (Struct([1]), Struct([2])),
        (model(0, x=1), model(0, x=2)),
        (model(0, x=1, more=1), model(0, x=1)),
        (HOUR_AGAIN, HOUR_AGAIN.replace(minute=31)),
        (Awkward(), Awkward()),
        (None, 0),
    ],
)
def test_what_differs_is_not_alike(value, other):
    """In a value, a length, a key, a field or a type."""
    assert not alike(value, other)


def test_every_adapter_can_compare():
    """Plain data strictly by type; TOML as its values are."""
    for type_ in (dict, list, object):
        made = adapter(type_)
        value: Any = [(1, 2)] if type_ is list else {"a": (1, 2)}
        assert made.alike(value, made.load(made.dump(value)))
    assert not adapter(dict).alike({"a": 1}, {"a": True})
    for type_ in (Struct, Model, Point):
        for name in ("json", "toml", "yaml"):
            made = adapter(type_, name=name)
            assert made.alike(type_(x=1), made.load(made.dump(type_(x=1))))
            assert not made.alike(type_(x=1), type_(x=2))


def test_what_a_dump_leaves_out_is_not_alike():
    """A field that the constructor does not take, and one that a model excludes."""

    class Excluding(pydantic.BaseModel):
        token: str = pydantic.Field(default="t", exclude=True)

    made = adapter(Excluding)
    assert not made.alike(Excluding(token="q"), made.load(made.dump(Excluding(token="q"))))
    assert made.alike(Excluding(), made.load(made.dump(Excluding())))
    point = Point(1)
    points = adapter(Point)
    assert points.alike(point, points.load(points.dump(point)))
    point.kept = 5
    assert not points.alike(point, points.load(points.dump(point)))
