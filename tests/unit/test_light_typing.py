"""The stand-ins for `typing`: what they give at run time is what `typing` would give."""

from __future__ import annotations

import copy
import inspect
import pickle
import typing

import pytest

from holdfast import light_typing


class Light(light_typing.NamedTuple):
    """A record of ours."""

    number: int
    text: str = "x"

    @property
    def doubled(self) -> int:
        """Behaviour beside the fields."""
        return self.number * 2


class Standard(typing.NamedTuple):
    """The same of the standard library."""

    number: int
    text: str = "x"


T = light_typing.TypeVar("T")
U = typing.TypeVar("U")


class Pair(light_typing.NamedTuple, light_typing.Generic[T]):
    """A record with a parameter."""

    first: object
    second: str


class Box(light_typing.Generic[T]):
    """A class with a parameter."""

    def __init__(self, content: object) -> None:
        self.content = content


BOTH = pytest.mark.parametrize("make", [Light, Standard])


@BOTH
@pytest.mark.parametrize(
    ("args", "named"), [((1,), {}), ((1, "y"), {}), ((1,), {"text": "y"}), ((), {"number": 2})]
)
def test_fields_come_by_place_by_name_and_by_default(make, args, named) -> None:
    """Every way to give the fields makes the tuple that it makes in the standard library."""
    assert tuple(Standard(*args, **named)) == make(*args, **named)


@BOTH
@pytest.mark.parametrize(
    ("args", "named"),
    [((), {}), ((1, "x", 2), {}), ((1,), {"number": 1}), ((1,), {"size": 1}), ((), {"text": "x"})],
)
def test_wrong_fields_are_refused(make, args, named) -> None:
    """Missing, surplus, repeated and unknown fields are a TypeError."""
    with pytest.raises(TypeError):
        make(*args, **named)


@BOTH
def test_replace_changes_one_field_of_a_copy(make) -> None:
    """The other fields stay, and so does the original."""
    record = make(1, "y")

    assert make(2, "y") == record._replace(number=2)
    assert make(1, "y") == record


@BOTH
def test_replace_refuses_an_unknown_field(make) -> None:
    """A misspelt field is not dropped."""
    with pytest.raises((TypeError, ValueError)):
        make(1)._replace(size=2)


@BOTH
def test_record_is_a_tuple(make) -> None:
    """It compares, hashes, unpacks, matches and prints as one with names."""
    number, text = make(1, "y")

    assert (1, "y") == (number, text) == make(1, "y")
    assert hash((1, "y")) == hash(make(1, "y"))
    assert f"{make.__name__}(number=1, text='y')" == repr(make(1, "y"))
    assert {"number": 1, "text": "y"} == make(1, "y")._asdict()
    assert make(1, "y") == make._make([1, "y"])
    assert (("number", "text"), {"text": "x"}) == (make._fields, make._field_defaults)
    match make(1, "y"):
        case make(first, second):
            assert (1, "y") == (first, second)


def test_record_shows_its_fields_as_parameters() -> None:
    """What an editor or `help` shows of it is how it is made."""
    assert "(number: 'int', text: 'str' = 'x')" == str(inspect.signature(Light))


@BOTH
def test_record_cannot_be_changed(make) -> None:
    """Neither a field nor a new attribute can be set."""
    record = make(1)

    for name in ("number", "size"):
        with pytest.raises(AttributeError):
            setattr(record, name, 2)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("record", [Light(1, "y"), Pair(1, "y")])
def test_record_can_be_pickled_and_copied(record, protocol) -> None:
    """What comes back is equal and of the same class."""
    for again in (pickle.loads(pickle.dumps(record, protocol)), copy.deepcopy(record)):
        assert (type(record), record) == (type(again), again)


def test_record_has_methods() -> None:
    """A class body may hold more than fields."""
    assert 4 == Light(2).doubled


@BOTH
def test_subclass_keeps_the_fields(make) -> None:
    """Who derives from a record adds behaviour and attributes, but no field."""

    class More(make):
        size: int = 3

        def tripled(self) -> int:
            return self.number * self.size

    more = More(2)
    more.size = 4

    assert (8, make._fields, (2, "x")) == (more.tripled(), More._fields, tuple(more))


def test_parameters_of_a_class_may_be_written() -> None:
    """`Box[int](...)` makes a Box, and `Pair[int]` a Pair."""
    assert "a" == Box[int]("a").content
    assert isinstance(Box[int]("a"), Box)
    assert Pair(1, "y") == Pair[int](1, "y")
    assert (Box, (int,)) == (typing.get_origin(Box[int]), typing.get_args(Box[int]))


def test_generic_class_may_be_derived_from() -> None:
    """With its parameter filled in, and with a parameter of `typing` of the subclass's own."""

    class Texts(Box[str]):
        pass

    class Any(Box[U], typing.Generic[U]):
        pass

    assert isinstance(Texts("a"), Box)
    assert "a" == Any[str]("a").content


def test_parameter_has_its_name() -> None:
    """A type variable says what it is called."""
    assert "T" == T.__name__


def test_protocol_may_be_derived_from() -> None:
    """A class that says which protocol it keeps to is an ordinary class."""

    class Kept(light_typing.Protocol):
        def go(self) -> int:
            return 1

    assert 1 == Kept().go()


def test_cast_gives_the_value_itself() -> None:
    """Nothing is converted."""
    value: list[int] = []

    assert value is light_typing.cast("list[str]", value)


def test_overloads_give_way_to_the_definition() -> None:
    """A declaration is what it was, and does not stay."""

    def declared() -> None: ...

    assert declared is light_typing.overload(declared)
