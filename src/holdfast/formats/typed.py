"""Typed values: what a program holds (a dataclass, a Struct, a model) to plain data and back.

Dataclasses and TypedDicts are converted by `records` alone, whatever is installed, so that the
bytes on disk never depend on it. Unknown keys are ignored on loading; the document above keeps
them, by applying what changed in the typed value onto the untyped one.
"""

# Plain data are of any type below the first level, which strict checking calls unknown.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from holdfast.formats.plain import clone, same
from holdfast.formats.plain import plain as plain_data

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from holdfast.formats.models import Adapter

__all__ = ["adapter"]


def adapter(type_: Any, *, name: str = "json") -> Adapter:
    """The adapter for a type.

    Supported are dict, list and object (plain data as they are), TypedDict, dataclass,
    `msgspec.Struct` and pydantic models; within dataclasses and TypedDicts also Optional and Union,
    list, dict, tuple, set, Literal, Enum, date and time types, Path, Decimal, UUID, and each other.

    Args:
        name: The format; dates stay dates where it has them and are ISO 8601 text elsewhere, and
            keys whose value is None are left out where it has no null (TOML). Keys that are numbers
            stay numbers in YAML and are text elsewhere.

    Raises:
        TypeError: a type that is not supported.
    """
    if type_ is dict or type_ is list or type_ is object:
        return _Same(type_, name)
    native = _native(name)
    from holdfast.formats.models import model_adapter

    number_keys = name == "yaml"
    model = model_adapter(type_, native, number_keys=number_keys)
    if model is None:
        from holdfast.formats.records import converter

        model = converter(type_, native, number_keys=number_keys)
    return _WithoutNone(model) if name == "toml" else model


def _native(name: str) -> tuple[type, ...]:
    """The types of dates and times that the format has."""
    if name not in ("toml", "yaml"):
        return ()
    from datetime import date, datetime, time

    return (datetime, date, time) if name == "toml" else (datetime, date)


class _Same:
    """dict, list or object: plain data as they are, copied."""

    def __init__(self, type_: type, name: str) -> None:
        self.type = type_
        self.name = name

    def load(self, plain: Any) -> Any:
        if not isinstance(plain, self.type):
            from holdfast.formats.models import misfit

            raise misfit((), f"expected {self.type.__name__}, found {type(plain).__name__}")
        return clone(plain)

    def dump(self, value: Any) -> Any:
        from holdfast.formats.models import checked

        return clone(plain_data(checked(value, self.type), name=self.name))

    def alike(self, value: Any, other: Any) -> bool:
        return same(self.dump(value), self.dump(other))


class _WithoutNone:
    """Leaves out the keys whose value is None, for formats that have no null."""

    def __init__(self, inner: Adapter) -> None:
        self.inner = inner

    def load(self, plain: Any) -> Any:
        return self.inner.load(plain)

    def dump(self, value: Any) -> Any:
        return _without_none(self.inner.dump(value))

    def alike(self, value: Any, other: Any) -> bool:
        return self.inner.alike(value, other)


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    return [_without_none(item) for item in value] if isinstance(value, list) else value
