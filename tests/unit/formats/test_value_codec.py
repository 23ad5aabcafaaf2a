"""Values of a store: what is put is got, what cannot be is refused, what is kept is immutable."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypedDict

import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import DecodeError
from holdfast.formats.value_codec import ValueKeeper, keeper_for

JSON = keeper_for("json")
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
FINITE = SCALARS.filter(lambda value: value not in (float("inf"), float("-inf")))
VALUES = st.recursive(
    FINITE, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)


@given(VALUES)
def test_json_is_read_as_written(value) -> None:
    """With its type, also from what is kept of it."""
    data = JSON.encode(value)
    (kept,) = JSON.keep([data])

    assert repr(value) == repr(JSON.decode(data)) == repr(JSON.give(kept))
    assert data == JSON.release(kept)


@given(st.lists(VALUES, min_size=1, max_size=10))
def test_a_block_of_values_is_kept_as_each_of_them_is(values) -> None:
    """Scalars decoded, all else as bytes, in order."""
    data = [JSON.encode(value) for value in values]

    assert repr([JSON.keep([one])[0] for one in data]) == repr(list(JSON.keep(data)))


@given(
    st.lists(st.binary(max_size=6) | st.sampled_from([b"1", b'"a', b'b"', b"[", b" [1]", b"1,2"]))
)
def test_broken_values_are_kept_as_they_are(data) -> None:
    """Together they mean what each of them means alone; what is kept is a scalar or the bytes."""
    kept = list(JSON.keep(data)) if data else []

    assert repr([JSON.keep([one])[0] for one in data]) == repr(kept)
    assert {type(one) for one in kept} <= {bytes, str, int, float, bool, type(None)}


def test_broken_values_do_not_mend_each_other() -> None:
    """Three of them would make three whole ones, if only a comma came between."""
    data = [b'"a', b'b"', b"1,2"]
    assert data == list(JSON.keep(data))


def test_deep_nesting_is_kept_and_refused_when_it_is_read() -> None:
    """No depth of a stored value exhausts the stack."""
    for data in (b"[" * 100_000, b" " + b"[" * 100_000, b'{"a":' * 100_000):
        assert [data] == list(JSON.keep([data]))
        assert [data, 1] == list(JSON.keep([data, b"1"]))
        with pytest.raises(DecodeError):
            JSON.give(data)


def test_tuples_become_lists_and_subclasses_what_is_beneath() -> None:
    """As JSON has it."""
    assert [1, [2]] == JSON.decode(JSON.encode((1, (2,))))
    assert b'"a"' == JSON.encode(type("Name", (str,), {})("a"))
    assert b'["\xc3\xa9","\\ud800"]' == JSON.encode(["é", "\ud800"])
    assert b'{"a":[1,true,null]}' == JSON.encode({"a": [1, True, None]})


@pytest.mark.parametrize(
    ("value", "error", "match"),
    [
        (float("nan"), ValueError, "nan"),
        ({"a": [float("inf")]}, ValueError, "a.0"),
        ({1: 2}, TypeError, "keys are text"),
        ({"a": {1, 2}}, TypeError, "type set"),
        (b"x", TypeError, "type bytes"),
        pytest.param(10**5000, ValueError, "limit", id="5001 digits"),
    ],
)
def test_what_json_would_not_give_back_is_refused(value, error, match) -> None:
    """With the place in the value."""
    with pytest.raises(error, match=match):
        JSON.encode(value)


def test_a_value_that_holds_itself_is_refused() -> None:
    """And does not exhaust the stack."""
    value: list[Any] = []
    value.append(value)
    with pytest.raises(ValueError, match="holds itself"):
        JSON.encode(value)


@pytest.mark.parametrize("data", [b"", b"nul", b"[1", b"\xff", b"1 2", b'"\n"'])
def test_broken_json_is_a_decode_error(data) -> None:
    """Kept as it is, and told when it is asked for."""
    assert [data] == list(JSON.keep([data]))
    with pytest.raises(DecodeError):
        JSON.give(data)


def test_each_caller_gets_a_value_of_its_own() -> None:
    """What is changed in it changes nothing that is stored."""
    (kept,) = JSON.keep([b'{"a":[]}'])
    JSON.give(kept)["a"].append(1)
    assert {"a": []} == JSON.give(kept)


def test_bytes_and_text() -> None:
    """Bytes-like objects are copied; text is kept decoded unless it is none."""
    raw, text = keeper_for("bytes"), keeper_for("text")
    assert b"ab" == raw.encode(bytearray(b"ab")) == raw.give(b"ab") == raw.decode(b"ab")
    assert ["é", b"\xff"] == list(text.keep(["é".encode(), b"\xff"]))
    assert "é" == text.give("é")
    assert "é".encode() == text.encode("é") == text.release("é")
    assert b"\xff" == text.release(b"\xff")
    with pytest.raises(DecodeError, match="no UTF-8"):
        text.give(b"\xff")
    with pytest.raises(TypeError):
        raw.encode("ab")
    with pytest.raises(TypeError, match="not bytes"):
        text.encode(b"ab")


@dataclass
class User:
    name: str
    tags: list[str] = field(default_factory=list)


class Row(TypedDict):
    name: str


class Struct(msgspec.Struct):
    name: str


class Model(pydantic.BaseModel):
    name: str
    word: pydantic.SecretBytes = pydantic.SecretBytes(b"")


@pytest.mark.parametrize(
    ("type_", "value", "data"),
    [
        (User, User("a", ["b"]), b'{"name":"a","tags":["b"]}'),
        (Row, Row(name="a"), b'{"name":"a"}'),
        (Struct, Struct("a"), b'{"name":"a"}'),
        (int, 5, b"5"),
        (float, 0.5, b"0.5"),
        (str, "x", b'"x"'),
        (bool, True, b"true"),
        (list[User], [User("a")], b'[{"name":"a","tags":[]}]'),
        (dict[str, int], {"a": 1}, b'{"a":1}'),
        (User | None, None, b"null"),
    ],
)
def test_typed_values_are_json(type_, value, data) -> None:
    """Whatever may stand in a dataclass; the bytes are those of plain data."""
    keeper = keeper_for("json", type_)
    (kept,) = keeper.keep([data])

    assert "json" == keeper.name
    assert data == keeper.encode(value) == keeper.release(kept)
    assert value == keeper.give(kept) == keeper.decode(data)
    assert type(value) is type(keeper.give(kept))


def test_another_type_is_refused_both_ways() -> None:
    """A value of another type is not stored, and one that is stored is not given."""
    keeper = keeper_for("json", User)
    with pytest.raises(TypeError, match="User"):
        keeper.encode({"name": "a"})
    with pytest.raises(DecodeError):
        keeper.give(5)
    with pytest.raises(DecodeError):
        keeper_for("json", int).give("5")
    with pytest.raises(TypeError):
        keeper_for("json", int).encode(True)


def test_a_value_that_would_be_read_back_as_another_is_refused() -> None:
    """A secret that is no text is masked by its model."""
    keeper = keeper_for("json", Model)
    with pytest.raises(ValueError, match="read back as another"):
        keeper.encode(Model(name="a", word=pydantic.SecretBytes(b"\xff")))


class Reversed:
    """A codec as users write one."""

    name = "reversed"

    def encode(self, value: str) -> bytes:
        return value.encode()[::-1]

    def decode(self, data: bytes) -> str:
        return data[::-1].decode()


def test_own_codec_is_asked_when_a_value_is_put_or_got_alone() -> None:
    """What is kept of its values are the bytes."""
    keeper: ValueKeeper[str] = keeper_for(Reversed())
    values = [b"cba", b"\xff"]

    assert ("reversed", b"cba", "abc") == (keeper.name, keeper.encode("abc"), keeper.give(b"cba"))
    assert values == keeper.keep(values)
    assert b"cba" == keeper.release(b"cba")
    assert frozenset() == keeper.ready


def test_ready_types_are_given_as_they_are_kept() -> None:
    """What is of such a type needs no call; for an int alone, a bool is none."""
    assert {str, int, float, bool, type(None)} == JSON.ready == keeper_for(None).ready
    assert {int} == keeper_for("json", int).ready
    assert set() == keeper_for("json", User).ready == keeper_for("json", list[int]).ready
    assert {bytes} == keeper_for("bytes", bytes).ready
    assert {str} == keeper_for("text", str).ready


class Nameless:
    def encode(self, value: Any) -> bytes:
        return b""

    decode = encode


class Wrong(Nameless):
    name = "wrong"

    def encode(self, value: Any) -> Any:
        return "text"


@pytest.mark.parametrize(
    ("codec", "type_", "error"),
    [
        ("yaml", None, ValueError),
        (5, None, TypeError),
        (Nameless(), None, TypeError),
        (Wrong(), User, ValueError),
        ("bytes", User, ValueError),
        ("text", bytes, ValueError),
        ("json", bytes, TypeError),
        ("json", Nameless, TypeError),
    ],
)
def test_what_is_no_codec_or_no_type_is_refused(codec, type_, error) -> None:
    """When the store is named, not when it is used."""
    with pytest.raises(error):
        keeper_for(codec, type_)


def test_codec_that_makes_no_bytes_is_refused() -> None:
    """Before anything is stored."""
    with pytest.raises(TypeError, match="makes str, not bytes"):
        keeper_for(Wrong()).encode(1)
