"""Structs and pydantic models, which bring their own rules."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pydantic
import pytest

from holdfast.errors import DecodeError
from holdfast.formats.models import checked, misfit, model_adapter

DAY = date(2026, 1, 2)


def adapter_of(type_: Any, *native: type) -> Any:
    return model_adapter(type_, native)


class Struct(msgspec.Struct, rename="camel"):
    some_days: dict[str, date]
    limits: tuple[int, ...] = ()


class Inner(pydantic.BaseModel):
    days: list[date] = []


class Model(pydantic.BaseModel):
    inner: Inner
    tags: set[str] = set()


def test_only_structs_and_models_have_an_adapter_here():
    """Other types are for the converters."""
    assert None is model_adapter(dict, ())
    assert None is model_adapter(int, ())


@pytest.mark.parametrize(
    ("value", "text", "native"),
    [
        (Struct({"a": DAY}), {"someDays": {"a": "2026-01-02"}, "limits": []},
         {"someDays": {"a": DAY}, "limits": []}),
        (Model(inner=Inner(days=[DAY]), tags={"x"}), {"inner": {"days": ["2026-01-02"]}, "tags": ["x"]},  # noqa: E501
         {"inner": {"days": [DAY]}, "tags": ["x"]}),
    ],
)  # fmt: skip
def test_dates_are_text_or_dates_as_the_format_has_them(value, text, native):
    """Names are those that the class gives them in documents; nothing but dates differs."""
    plain = adapter_of(type(value))
    assert text == plain.dump(value)
    assert value == plain.load(text)
    dated = adapter_of(type(value), date)
    assert native == dated.dump(value)
    assert value == dated.load(native)


def test_an_error_of_a_model_names_its_key():
    """Through lists and nested models."""
    with pytest.raises(DecodeError) as caught:
        adapter_of(Model).load({"inner": {"days": ["2026-01-02", "soon"]}})
    assert ("inner", "days", 1) == caught.value.key
    with pytest.raises(DecodeError) as caught:
        adapter_of(Struct).load({"someDays": {}, "limits": [1, "x"]})
    assert ("limits", 1) == caught.value.key


def test_checked_and_misfit_say_what_is_wrong():
    """With the type, or the key."""
    assert 5 == checked(5, int)
    with pytest.raises(TypeError, match="expected a value of type int, not str"):
        checked("x", int)
    assert "a.0: no" == str(misfit(("a", 0), "no"))


class Ports(msgspec.Struct):
    ports: dict[int, str]


class PortsModel(pydantic.BaseModel):
    ports: dict[int, str]
    names: dict[str, str] = {}
    days: list[date] = []


@pytest.mark.parametrize("type_", [Ports, PortsModel])
def test_keys_that_are_numbers_are_numbers_where_the_format_has_them(type_):
    """Text in JSON and TOML, numbers in YAML; either way they are read back."""
    value = type_(ports={1: "a", -20: "b"})
    for number_keys, ports in ((False, {"1": "a", "-20": "b"}), (True, {1: "a", -20: "b"})):
        made: Any = model_adapter(type_, (date,), number_keys=number_keys)
        assert ports == made.dump(value)["ports"]
        assert value == made.load(made.dump(value))


@pytest.mark.parametrize("type_", [Ports, PortsModel])
@pytest.mark.parametrize(
    ("key", "number_keys"), [("01", False), ("-0", False), ("1", True), (" 2", True)]
)
def test_a_number_in_another_spelling_is_refused_as_a_key(type_, key, number_keys):
    """A change would leave it beside the one that is written; text keys are any text."""
    made: Any = model_adapter(type_, (), number_keys=number_keys)
    with pytest.raises(DecodeError) as caught:
        made.load({"ports": {key: "a"}})
    assert "ports" == (caught.value.key or "?")[0]
    assert {key: "a"} == adapter_of(PortsModel).load({"ports": {}, "names": {key: "a"}}).names


class Secrets(pydantic.BaseModel):
    word: pydantic.SecretStr
    raw: pydantic.SecretBytes = pydantic.SecretBytes(b"")
    pins: list[pydantic.Secret[int]] = []
    kept: dict[int, pydantic.SecretStr] = {}


def test_secrets_are_written_as_they_are():
    """A mask in a file would be the loss of the secret."""
    value = Secrets(word="w", raw=b"r", pins=[7], kept={1: "k"})  # type: ignore[arg-type, list-item, dict-item]
    plain = {"word": "w", "raw": "r", "pins": [7], "kept": {"1": "k"}}
    made = adapter_of(Secrets)
    assert plain == made.dump(value)
    assert made.alike(value, made.load(plain))


def test_a_secret_with_a_form_of_its_own_keeps_it():
    """What the model says of it in JSON counts; what is no text stays masked, and not alike."""

    class Sealed(pydantic.BaseModel):
        word: pydantic.SecretStr

        @pydantic.field_serializer("word", when_used="json")
        def seal(self, word: pydantic.SecretStr) -> str:
            return "sealed " + word.get_secret_value()

    assert {"word": "sealed w"} == adapter_of(Sealed).dump(Sealed(word="w"))  # type: ignore[arg-type]
    value = Secrets(word="w", raw=b"\xff")  # type: ignore[arg-type]
    made = adapter_of(Secrets)
    assert not made.alike(value, made.load(made.dump(value)))


class Link(msgspec.Struct):
    to: Any = None


def test_a_struct_that_holds_itself_is_a_value_error():
    """Never a RecursionError."""
    link = Link()
    link.to = [link]
    with pytest.raises(ValueError, match="holds itself"):
        adapter_of(Link).dump(link)
