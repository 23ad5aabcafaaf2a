"""Adapters between plain data and typed values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
import pydantic
import pytest

from holdfast.errors import DecodeError
from holdfast.formats.typed import adapter

DAY = date(2026, 1, 2)


class Struct(msgspec.Struct):
    x: int
    day: date = DAY
    names: list[str] = []


class Model(pydantic.BaseModel):
    x: int
    day: date | None = None
    name: str = pydantic.Field(default="n", alias="Name")


@dataclass
class Point:
    x: int
    day: date | None = None


@pytest.mark.parametrize("type_", [dict, list])
def test_dict_and_list_are_copied(type_):
    """Nothing is shared either way, and another type is refused."""
    plain = {"a": [1]} if type_ is dict else [[1]]
    for turn in (adapter(type_).load, adapter(type_).dump):
        copy = turn(plain)
        assert plain == copy
        assert copy is not plain
    with pytest.raises(DecodeError, match="expected"):
        adapter(type_).load("x")
    with pytest.raises(TypeError, match="expected a value of type"):
        adapter(type_).dump("x")


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Struct(1, DAY, ["a"]), {"x": 1, "day": "2026-01-02", "names": ["a"]}),
        (Model(x=1, day=DAY, Name="q"), {"x": 1, "day": "2026-01-02", "Name": "q"}),
        (Point(1, DAY), {"x": 1, "day": "2026-01-02"}),
    ],
)
def test_values_go_to_plain_data_and_back(value, plain):
    """With dates as text for JSON, and as dates for TOML and YAML."""
    json = adapter(type(value))
    assert plain == json.dump(value)
    assert value == json.load(plain)
    for name in ("toml", "yaml"):
        other = adapter(type(value), name=name)
        assert {**plain, "day": DAY} == other.dump(value)
        assert value == other.load(other.dump(value))
        assert value == other.load(plain)


@pytest.mark.parametrize("type_", [Struct, Model, Point])
def test_unknown_keys_are_ignored_and_defaults_taken(type_):
    """The document keeps the keys; the value does not have them."""
    value = adapter(type_).load({"x": 1, "unknown": 2})
    assert 1 == value.x
    assert not hasattr(value, "unknown")


@pytest.mark.parametrize("type_", [Struct, Model, Point])
def test_what_does_not_fit_is_refused_with_its_key(type_):
    """A DecodeError, whoever found it."""
    for plain, key in (({"x": "no"}, ("x",)), ({"x": 1, "day": "never"}, ("day",))):
        with pytest.raises(DecodeError) as caught:
            adapter(type_).load(plain)
        assert key == caught.value.key
        assert str(caught.value).startswith(f"{key[0]}: ")


@pytest.mark.parametrize("type_", [Struct, Model, Point])
def test_a_value_of_another_type_is_a_type_error(type_):
    """Before anything is written."""
    with pytest.raises(TypeError, match="expected"):
        adapter(type_).dump({"x": 1})


def test_nested_places_are_named():
    """List indexes are numbers."""
    with pytest.raises(DecodeError) as caught:
        adapter(Struct).load({"x": 1, "names": ["a", 5]})
    assert ("names", 1) == caught.value.key


@pytest.mark.parametrize("value", [Model(x=1), Point(1)])
def test_toml_leaves_out_what_is_none(value):
    """It has no null; the default brings it back."""
    toml = adapter(type(value), name="toml")
    assert "day" not in toml.dump(value)
    assert value == toml.load(toml.dump(value))


def test_an_unsupported_type_is_refused_at_once():
    """When the adapter is made, not at the first read."""
    with pytest.raises(TypeError, match="not supported"):
        adapter(bytes)


@dataclass
class Knot:
    me: Any = None
    more: list[Any] | None = None
    knot: Knot | None = None


@pytest.mark.parametrize("name", ["json", "toml", "yaml"])
def test_a_value_that_holds_itself_is_a_value_error(name):
    """For plain data and records alike, however the program may recurse."""
    loop: dict[str, Any] = {}
    loop.update(a=loop, b=[loop], c=loop)
    knot = Knot()
    knot.knot = knot
    tied = Knot(more=[loop])
    for type_, value in ((dict, loop), (list, [loop]), (object, loop), (Knot, knot), (Knot, tied)):
        with pytest.raises(ValueError, match=r"nested deeper|holds itself"):
            adapter(type_, name=name).dump(value)


def test_number_keys_follow_the_format():
    """YAML has them, JSON and TOML have text."""

    @dataclass
    class Ports:
        ports: dict[int, str]

    for name, keys in (("json", {"1": "a"}), ("toml", {"1": "a"}), ("yaml", {1: "a"})):
        made = adapter(Ports, name=name)
        assert {"ports": keys} == made.dump(Ports({1: "a"}))
        assert Ports({1: "a"}) == made.load({"ports": keys})
