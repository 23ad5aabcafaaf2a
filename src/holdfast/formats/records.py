"""Dataclasses and TypedDicts to plain data and back, by their annotations.

A converter is made once for a type and holds those of its parts; types that contain themselves
meet their own converter while it is being made.
"""

# Plain data are of any type below the first level, which strict checking calls unknown.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import sys
import types
from datetime import date, datetime, time
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Final,
    Literal,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

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
from holdfast.formats.keypath import KeyPath, format_path
from holdfast.formats.models import Adapter, model_adapter
from holdfast.formats.plain import MAX_DEPTH

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["converter"]

_SCALARS: Final = (bool, int, float, str, type(None))
_DATES: Final = (datetime, date, time)
_TEXTUAL: Final = (("pathlib", "PurePath"), ("uuid", "UUID"), ("decimal", "Decimal"))
_QUALIFIERS: Final = frozenset(("Final", "ClassVar", "Required", "NotRequired", "ReadOnly"))


def converter(type_: Any, native: tuple[type, ...], *, number_keys: bool = False) -> Converter:
    """The converter for a type.

    Args:
        native: The date and time types that the format has; others are ISO 8601 text.
        number_keys: Whether it has keys that are numbers; elsewhere they are text.

    Raises:
        TypeError: a type that is not supported.
    """
    return _Maker(native, number_keys).make(type_)


class _Maker:
    def __init__(self, native: tuple[type, ...], number_keys: bool) -> None:
        self.native = native
        self.number_keys = number_keys
        self.made: dict[Any, Converter] = {}

    def make(self, type_: Any) -> Converter:
        type_ = _bare(type_)
        if type_ is Any or type_ is object:
            return Converter()
        if type_ is None:
            type_ = type(None)
        if type_ in _SCALARS:
            return ScalarConverter(type_)
        if type_ in _DATES:
            return DateConverter(type_, type_ in self.native)
        origin = get_origin(type_)
        if origin is Literal:
            return LiteralConverter(get_args(type_))
        if origin is Union or origin is types.UnionType:
            return UnionConverter([self.make(arm) for arm in get_args(type_)])
        return self._make_class(type_, origin or type_)

    def _make_class(self, type_: Any, origin: Any) -> Converter:
        if not isinstance(origin, type):
            raise TypeError(f"the type {type_!r} is not supported")
        fields = hasattr(origin, "__dataclass_fields__")
        if fields or (issubclass(origin, dict) and hasattr(origin, "__required_keys__")):
            if origin not in self.made:
                record = self.made[origin] = _Dataclass(origin) if fields else _TypedDict(origin)
                record.prepare(self)
            return self.made[origin]
        if issubclass(origin, (list, tuple, set, frozenset)) and not hasattr(origin, "_fields"):
            return self._make_items(origin, get_args(type_))
        if origin is dict:
            key, value = get_args(type_) or (Any, Any)
            return DictConverter(self.make(key), self.make(value), number_keys=self.number_keys)
        return self._make_other(origin)

    def _make_items(self, origin: type, args: tuple[Any, ...]) -> Converter:
        if origin is tuple and args and args[-1] is not Ellipsis:
            return TupleConverter([self.make(arg) for arg in args if arg != ()])
        return ItemsConverter(origin, self.make(args[0] if args else Any))

    def _make_other(self, origin: Any) -> Converter:
        enum = sys.modules.get("enum")
        if enum is not None and issubclass(origin, enum.Enum):
            return EnumConverter(origin)
        for module, name in _TEXTUAL:
            parent = getattr(sys.modules.get(module), name, None)
            if parent is not None and issubclass(origin, parent):
                return TextConverter(origin)
        model = model_adapter(origin, self.native, number_keys=self.number_keys)
        if model is not None:
            return _Foreign(model, origin.__name__)
        raise TypeError(f"the type {origin.__name__} is not supported")


def _bare(type_: Any) -> Any:
    """A type without what only qualifies or names it."""
    for _ in range(MAX_DEPTH):
        origin = get_origin(type_)
        if origin is Annotated or getattr(origin, "_name", None) in _QUALIFIERS:
            type_ = get_args(type_)[0]
        elif hasattr(type_, "__supertype__"):
            type_ = type_.__supertype__
        elif type(type_).__name__ == "TypeAliasType":
            type_ = type_.__value__
        elif type(type_).__name__ == "TypeVar":
            return type_.__bound__ or Any
        else:
            break
    return type_


class _Record(Converter):
    """What a dataclass and a TypedDict have in common: named fields with types."""

    def __init__(self, type_: Any) -> None:
        self.type = type_
        self.title = f"a mapping for {type_.__name__}"
        self.fields: dict[str, Converter] = {}
        self.required: frozenset[str] = frozenset()

    def prepare(self, maker: _Maker) -> None:
        """Make the converters of the fields; the record may be among them."""
        hints = get_type_hints(self.type, include_extras=True)
        for name in self.names():
            try:
                self.fields[name] = maker.make(hints[name])
            except TypeError as error:
                raise TypeError(f"{self.type.__name__}.{name}: {error}") from None

    def names(self) -> list[str]:
        """The fields, in their order."""
        return list(self.type.__annotations__)

    def values(self, plain: Any, path: KeyPath) -> dict[str, Any]:
        """The fields of a mapping, loaded."""
        if type(plain) is not dict:
            raise self.misfit(plain, path)
        for name in self.fields:
            if name in self.required and name not in plain:
                key = (*path, name)
                raise DecodeError(f"{format_path(key)} is missing", key=key)
        return {
            name: field.take(plain[name], (*path, name))
            for name, field in self.fields.items()
            if name in plain
        }


class _Dataclass(_Record):
    def __init__(self, type_: Any) -> None:
        super().__init__(type_)
        self.own_title = type_.__name__

    def names(self) -> list[str]:
        from dataclasses import MISSING, fields

        own = [field for field in fields(self.type) if field.init]
        self.required = frozenset(
            field.name
            for field in own
            if field.default is MISSING and field.default_factory is MISSING
        )
        return [field.name for field in own]

    def prepare(self, maker: _Maker) -> None:
        """As for every record; a required field that may be None is None where it is missing."""
        super().prepare(maker)
        self.optional = frozenset(name for name in self.required if _takes_none(self.fields[name]))
        self.required -= self.optional

    def take(self, plain: Any, path: KeyPath) -> Any:
        values = self.values(plain, path)
        for name in self.optional:
            values.setdefault(name, None)
        make: Callable[..., Any] = self.type
        try:
            return make(**values)
        except (TypeError, ValueError) as error:
            raise DecodeError(f"{format_path(path)}: {error}", key=path) from error

    def give(self, value: Any, path: KeyPath) -> Any:
        self.inside(value, path, self.type)
        return {
            name: field.give(getattr(value, name), (*path, name))
            for name, field in self.fields.items()
        }


class _TypedDict(_Record):
    def names(self) -> list[str]:
        hints = get_type_hints(self.type, include_extras=True)
        # What the class itself says of its keys is wrong where annotations are text.
        marks = {name: getattr(get_origin(hint), "_name", None) for name, hint in hints.items()}
        known = self.type.__required_keys__
        self.required = frozenset(
            name
            for name, mark in marks.items()
            if mark == "Required" or (mark != "NotRequired" and name in known)
        )
        return [*hints]

    def take(self, plain: Any, path: KeyPath) -> Any:
        return self.values(plain, path)

    def give(self, value: Any, path: KeyPath) -> Any:
        self.inside(value, path, dict)
        for name in {*self.required, *value}:
            if name not in value or name not in self.fields:
                word = "is not a key of" if name in value else "is missing in"
                raise TypeError(f"{format_path((*path, name))} {word} {self.type.__name__}")
        return {name: self.fields[name].give(item, (*path, name)) for name, item in value.items()}


def _takes_none(part: Converter) -> bool:
    arms = part.arms if isinstance(part, UnionConverter) else [part]
    return any(getattr(arm, "type", None) is type(None) for arm in arms)


class _Foreign(Converter):
    """A Struct or a model inside a dataclass."""

    def __init__(self, inner: Adapter, name: str) -> None:
        self.inner = inner
        self.title = f"a mapping for {name}"

    def take(self, plain: Any, path: KeyPath) -> Any:
        try:
            return self.inner.load(plain)
        except DecodeError as error:
            key = (*path, *(error.key or ()))
            raise DecodeError(f"{format_path(path)}: {error}", key=key) from None

    def give(self, value: Any, path: KeyPath) -> Any:
        try:
            return self.inner.dump(value)
        except TypeError as error:
            raise TypeError(f"{format_path(path)}: {error}") from None
