"""One converter for each kind of type."""

from __future__ import annotations

from datetime import date, datetime
from enum import Enum
from pathlib import PurePosixPath
from uuid import UUID

import pytest

from holdfast.errors import DecodeError
from holdfast.formats.converters import (
    Converter,
    DateConverter,
    DictConverter,
    EnumConverter,
    ItemsConverter,
    LiteralConverter,
    ScalarConverter,
    TextConverter,
    TupleConverter,
    UnionConverter,
)


class Colour(Enum):
    RED = "red"
    TWO = 2


INT, FLOAT, TEXT, NONE = map(ScalarConverter, (int, float, str, type(None)))
GOOD = [
    (Converter(), {"a": [1]}, {"a": [1]}),
    (INT, 1, 1),
    (FLOAT, 2, 2.0),
    (NONE, None, None),
    (DateConverter(date, native=False), "2026-01-02", date(2026, 1, 2)),
    (DateConverter(date, native=True), date(2026, 1, 2), date(2026, 1, 2)),
    (TextConverter(PurePosixPath), "/a/b", PurePosixPath("/a/b")),
    (LiteralConverter(("a", 1)), 1, 1),
    (EnumConverter(Colour), 2, Colour.TWO),
    (UnionConverter([FLOAT, INT]), 1, 1),
    (UnionConverter([TEXT, NONE]), None, None),
    (ItemsConverter(set, TEXT), ["a", "b"], {"b", "a"}),
    (ItemsConverter(tuple, INT), [1, 2], (1, 2)),
    (TupleConverter([INT, TEXT]), [1, "a"], (1, "a")),
    (DictConverter(INT, FLOAT), {"1": 2.5}, {1: 2.5}),
]


@pytest.mark.parametrize(("converter", "plain", "value"), GOOD)
def test_plain_data_load_and_dump(converter, plain, value):
    """There and back, with the exact types."""
    loaded = converter.load(plain)
    assert value == loaded
    assert type(value) is type(loaded)
    assert plain == converter.dump(value)


@pytest.mark.parametrize(
    ("converter", "plain"),
    [
        (INT, True),
        (INT, 1.0),
        (FLOAT, "1"),
        (FLOAT, 10**400),
        (TEXT, None),
        (DateConverter(date, native=True), "soon"),
        (DateConverter(date, native=True), datetime(2026, 1, 1)),  # noqa: DTZ001
        (TextConverter(PurePosixPath), 5),
        (LiteralConverter(("a", 1)), True),
        (EnumConverter(Colour), "blue"),
        (EnumConverter(Colour), [1]),
        (UnionConverter([TEXT, NONE]), 5),
        (ItemsConverter(list, INT), {"a": 1}),
        (ItemsConverter(list, INT), [1, "x"]),
        (TupleConverter([INT, TEXT]), [1]),
        (DictConverter(INT, FLOAT), {"x": 1.0}),
        (DictConverter(TEXT, FLOAT), {"x": "y"}),
        (DictConverter(TEXT, FLOAT), []),
    ],
)
def test_what_does_not_fit_is_a_decode_error(converter, plain):
    """With a key path."""
    with pytest.raises(DecodeError, match="expected") as caught:
        converter.load(plain)
    assert isinstance(caught.value.key, tuple)


@pytest.mark.parametrize(
    ("converter", "value"),
    [
        (INT, True),
        (TEXT, 5),
        (DateConverter(date, native=True), datetime(2026, 1, 1)),  # noqa: DTZ001
        (TextConverter(PurePosixPath), "/a"),
        (LiteralConverter(("a", 1)), "b"),
        (EnumConverter(Colour), "red"),
        (UnionConverter([TEXT, NONE]), 5),
        (ItemsConverter(set, TEXT), ["a"]),
        (TupleConverter([INT]), [1]),
        (DictConverter(TEXT, INT), {"a": "b"}),
        (DictConverter(TEXT, INT), []),
    ],
)
def test_a_value_of_another_type_is_a_type_error(converter, value):
    """Nothing is converted silently."""
    with pytest.raises(TypeError, match="expected"):
        converter.dump(value)


def test_an_error_inside_an_arm_is_told_rather_than_the_arms():
    """It says more."""
    union = UnionConverter([NONE, DictConverter(TEXT, INT)])
    with pytest.raises(DecodeError, match=r"^a: expected int"):
        union.load({"a": "x"})


def test_sets_are_written_in_one_order():
    """So that the same set gives the same bytes."""
    assert ["a", "b", "c"] == ItemsConverter(set, TEXT).dump({"c", "b", "a"})


@pytest.mark.parametrize(
    ("key", "number_keys", "name"),
    [
        (INT, False, "01"),
        (INT, False, "+1"),
        (INT, True, "1"),
        (DateConverter(date, native=False), False, "20260102"),
        (TextConverter(UUID), False, "A" * 32),
    ],
)
def test_a_key_in_another_spelling_than_the_written_one_is_refused(key, number_keys, name):
    """A change would leave the old spelling beside the new one."""
    made = DictConverter(key, INT, number_keys=number_keys)
    with pytest.raises(DecodeError) as caught:
        made.take({name: 1}, ("d",))
    assert ("d", name) == caught.value.key


def test_number_keys_are_numbers_where_the_format_has_them():
    """And two keys are never written as one."""
    assert {1: 2} == DictConverter(INT, INT, number_keys=True).dump({1: 2})
    assert {1: 2} == DictConverter(INT, INT, number_keys=True).load({1: 2})
    either = UnionConverter([INT, TEXT])
    with pytest.raises(ValueError, match="written alike"):
        DictConverter(either, INT).dump({1: 1, "1": 2})
    assert {1: 1, "1": 2} == DictConverter(either, INT, number_keys=True).dump({1: 1, "1": 2})
