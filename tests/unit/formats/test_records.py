"""Dataclasses and TypedDicts by their annotations."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, NotRequired, Optional, TypedDict
from uuid import UUID

import msgspec
import pytest

from holdfast.errors import DecodeError
from holdfast.formats.records import converter


class Colour(Enum):
    RED = "red"


class Options(TypedDict):
    a: int
    b: NotRequired[str]


class Loose(TypedDict, total=False):
    a: int


class Inner(msgspec.Struct):
    n: int


@dataclass
class Everything:
    name: str
    parts: list[Everything] = field(default_factory=list)
    colour: Colour = Colour.RED
    when: datetime | None = None
    path: Path = Path("/x")
    mode: Literal["r", "w"] = "r"
    pair: tuple[int, str] = (1, "a")
    many: tuple[float, ...] = ()
    tags: frozenset[str] = frozenset()
    limits: dict[str, int] = field(default_factory=dict)
    options: Options | None = None
    inner: Inner | None = None
    number: Annotated[int, "even"] = 0
    price: Decimal = Decimal(1)
    id: UUID | None = None
    anything: Any = None
    old: Optional[int] = None  # noqa: UP045 - the older spelling is in use
    fixed: Final[int] = 1
    shared: ClassVar[int] = 7
    computed: int = field(init=False, default=3)


WRONG: Any = 5
FULL = Everything(
    "x",
    parts=[Everything("y", limits={"cpu": 2})],
    when=datetime(2026, 1, 2),  # noqa: DTZ001
    many=(0.5, 1.0),
    tags=frozenset("ba"),
    options={"a": 1},
    inner=Inner(4),
    id=UUID(int=5),
    anything={"k": [1]},
)


def test_a_dataclass_of_every_kind_of_field_goes_there_and_back():
    """Nested, recursive, with defaults, and with text for what has no plain form."""
    made = converter(Everything, ())
    plain = made.dump(FULL)
    assert FULL == made.load(plain)
    assert ("red", "/x", ["a", "b"]) == (plain["colour"], plain["path"], plain["tags"])
    assert {"shared", "computed"}.isdisjoint(plain)
    assert Everything("z") == made.load({"name": "z", "unknown": 1})


@pytest.mark.parametrize(
    ("plain", "key", "reason"),
    [
        ({}, ("name",), "name is missing"),
        ({"name": 1}, ("name",), "expected str, found int"),
        ({"name": "x", "parts": [{}]}, ("parts", 0, "name"), "parts.0.name is missing"),
        ({"name": "x", "options": {}}, ("options", "a"), "options.a is missing"),
        ({"name": "x", "inner": {"n": "q"}}, ("inner", "n"), "inner"),
        ({"name": "x", "mode": "a"}, ("mode",), "expected one of 'r', 'w'"),
        ({"name": "x", "id": "5"}, ("id",), "expected text for a UUID or null"),
        ({"name": "x", "price": "?"}, ("price",), "expected text for a Decimal"),
        ([], (), "expected a mapping for Everything, found list"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_key(plain, key, reason):
    """The path leads through lists and nested records."""
    with pytest.raises(DecodeError, match=reason) as caught:
        converter(Everything, ()).load(plain)
    assert key == caught.value.key


def test_a_value_that_its_own_class_refuses_is_a_decode_error():
    """What `__post_init__` raises is kept as the cause."""

    @dataclass
    class Even:
        n: int

        def __post_init__(self):
            if self.n % 2:
                raise ValueError("odd")

    with pytest.raises(DecodeError, match="odd") as caught:
        converter(Even, ()).load({"n": 1})
    assert isinstance(caught.value.__cause__, ValueError)


def test_a_required_field_that_may_be_none_is_none_where_it_is_missing():
    """Formats without null leave it out."""

    @dataclass
    class Maybe:
        a: int | None

    assert Maybe(None) == converter(Maybe, ()).load({})


def test_typed_dicts_know_what_is_required():
    """Also where annotations are text."""
    made = converter(Options, ())
    assert {"a": 1} == made.load({"a": 1, "unknown": 2})
    assert {} == converter(Loose, ()).load({})
    with pytest.raises(DecodeError, match="a is missing"):
        made.load({"b": "x"})
    with pytest.raises(TypeError, match="a is missing in Options"):
        made.dump({"b": "x"})
    with pytest.raises(TypeError, match="c is not a key of Options"):
        made.dump({"a": 1, "c": 2})


@pytest.mark.parametrize(
    ("value", "where"),
    [
        (Everything(WRONG), "name: expected str, not a value of type int"),
        ({"name": "x"}, "expected Everything, not a value of type dict"),
        (Everything("x", colour=WRONG), "colour: expected Colour, not a value of type int"),
        (Everything("x", price=WRONG), "price: expected Decimal, not a value of type int"),
    ],
)
def test_a_wrong_value_is_a_type_error(value, where):
    """Named by its field, with the type that is wanted: not with what that is written as."""
    with pytest.raises(TypeError, match=where):
        converter(Everything, ()).dump(value)


def test_an_unsupported_field_is_named():
    """When the converter is made."""

    @dataclass
    class Raw:
        data: bytes

    with pytest.raises(TypeError, match=r"Raw\.data: the type bytes is not supported"):
        converter(Raw, ())
