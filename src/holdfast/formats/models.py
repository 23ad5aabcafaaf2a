"""Adapters between plain data and typed values; Structs and models bring their own rules."""

# Plain data are of any type below the first level, which strict checking calls unknown.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from holdfast.errors import DecodeError
from holdfast.formats.keypath import format_path
from holdfast.formats.plain import clone
from holdfast.formats.plain import plain as plain_data

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final, Protocol

    from holdfast.formats.keypath import KeyPath
else:
    from holdfast.light_typing import Protocol

__all__ = ["Adapter", "checked", "misfit", "model_adapter"]

_STEP: Final = r"\.([^.\[\]]+)|\[(\d+)\]"


class Adapter(Protocol):
    """Converts between plain data and the values of one type."""

    def load(self, plain: Any) -> Any:
        """A value of the type, which shares nothing that can change with `plain`.

        Raises:
            DecodeError: it does not fit; `key` says where.
        """
        ...

    def dump(self, value: Any) -> Any:
        """Plain data that `load` takes back.

        Raises:
            TypeError: a value of another type.
        """
        ...


def model_adapter(type_: Any, native: tuple[type, ...]) -> Adapter | None:
    """The adapter for a Struct or a pydantic model; None for any other type."""
    if hasattr(type_, "__struct_fields__"):
        return _Struct(type_, native)
    if hasattr(type_, "__pydantic_validator__"):
        return _Model(type_, native)
    return None


class _Struct:
    """A `msgspec.Struct`."""

    def __init__(self, type_: type, native: tuple[type, ...]) -> None:
        self.type = type_
        self.native = native

    def load(self, plain: Any) -> Any:
        import msgspec

        try:
            return msgspec.convert(clone(plain), self.type)
        except msgspec.ValidationError as error:
            reason, _, place = str(error).partition(" - at `$")
            raise misfit(_key(place.rstrip("`")), reason[:1].lower() + reason[1:]) from None

    def dump(self, value: Any) -> Any:
        import msgspec

        value = checked(value, self.type)
        built = msgspec.to_builtins(value, builtin_types=self.native, str_keys=True)
        return plain_data(built, name="")


def _key(place: str) -> KeyPath:
    """The key path of `.servers[0].port`."""
    import re

    return tuple(int(step[2]) if step[2] else step[1] for step in re.finditer(_STEP, place))


class _Model:
    """A pydantic model."""

    def __init__(self, type_: Any, native: tuple[type, ...]) -> None:
        self.type = type_
        self.native = native

    def load(self, plain: Any) -> Any:
        try:
            return self.type.model_validate(clone(plain))
        except ValueError as error:
            report: Any = getattr(error, "errors", None)
            if report is None:
                raise
            first = report()[0]
            key = tuple(part for part in first["loc"] if isinstance(part, (str, int)))
            raise misfit(key, first["msg"][:1].lower() + first["msg"][1:]) from None

    def dump(self, value: Any) -> Any:
        checked(value, self.type)
        text = value.model_dump(mode="json", by_alias=True)
        if not self.native:
            return text
        return _with_dates(text, value.model_dump(mode="python", by_alias=True), self.native)


def _with_dates(text: Any, values: Any, native: tuple[type, ...]) -> Any:
    """`text`, with the dates that `values` has in the same places."""
    if isinstance(values, native):
        return values
    if isinstance(text, dict) and isinstance(values, dict) and text.keys() == values.keys():
        return {key: _with_dates(item, values[key], native) for key, item in text.items()}
    if isinstance(text, list) and isinstance(values, (list, tuple)):
        return [_with_dates(a, b, native) for a, b in zip(text, values, strict=True)]
    return text


def checked(value: Any, type_: type) -> Any:
    """The value, if it is of the type.

    Raises:
        TypeError: it is of another one.
    """
    if not isinstance(value, type_):
        raise TypeError(f"expected a value of type {type_.__name__}, not {type(value).__name__}")
    return value


def misfit(key: KeyPath, reason: str) -> DecodeError:
    """The error for plain data that do not fit at `key`."""
    return DecodeError(f"{format_path(key)}: {reason}", key=key)
