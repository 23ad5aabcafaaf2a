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
