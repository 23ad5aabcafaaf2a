"""One converter for each kind of type that may stand in a dataclass or TypedDict.

A converter loads plain data into a value of its type, and dumps it back; `records` puts them
together by annotations.
"""

# Plain data are of any type below the first level, which strict checking calls unknown.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from datetime import date, datetime

from holdfast.errors import DecodeError
from holdfast.formats.keypath import KeyPath, format_path
from holdfast.formats.likeness import alike
from holdfast.formats.plain import MAX_DEPTH, TOO_DEEP, clone
from holdfast.formats.plain import plain as plain_data

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "Converter",
    "DateConverter",
    "DictConverter",
    "EnumConverter",
    "ItemsConverter",
    "LiteralConverter",
    "ScalarConverter",
    "TextConverter",
    "TupleConverter",
    "UnionConverter",
]


class Converter:
    """Loads and dumps one type; the path is where the value stands in the document."""

    title = "a value"
    """What plain data are to be."""
    own_title = ""
    """What a value is to be, where that is called otherwise."""

    def load(self, plain: Any) -> Any:
        """A value of the type.

        Raises:
            DecodeError: it does not fit; `key` says where.
        """
        return self.take(plain, ())

    def dump(self, value: Any) -> Any:
        """Plain data of a value.

        Raises:
            TypeError: a value of another type.
            ValueError: nested too deep, or a value that holds itself.
        """
        return self.give(value, ())

    def alike(self, value: Any, other: Any) -> bool:
        """Whether `other`, which was read back, still is what `value` is to the program."""
        return alike(value, other)

    def take(self, plain: Any, path: KeyPath) -> Any:  # noqa: ARG002 - for the kinds that may fail
        """Load what stands at `path`."""
        return clone(plain)

    def give(self, value: Any, path: KeyPath) -> Any:  # noqa: ARG002
        """Dump what will stand at `path`."""
        return clone(plain_data(value, name=""))

    def inside(self, value: Any, path: KeyPath, type_: Any) -> None:
        """Refuse to dump the parts of a value that cannot be a container of this kind.

        Raises:
            TypeError: a value of another type.
            ValueError: nested too deep, or a value that holds itself.
        """
        if not isinstance(value, type_):
            raise self.wrong(value, path)
        if len(path) >= MAX_DEPTH:
            raise ValueError(f"{format_path(path[:3])}: {TOO_DEEP}")

    def misfit(self, plain: Any, path: KeyPath) -> DecodeError:
        """The error for plain data that does not fit."""
        found = "null" if plain is None else type(plain).__name__
        return DecodeError(f"{format_path(path)}: expected {self.title}, found {found}", key=path)

    def wrong(self, value: Any, path: KeyPath) -> TypeError:
        """The error for a value of another type."""
        wanted, kind = self.own_title or self.title, type(value).__name__
        return TypeError(f"{format_path(path)}: expected {wanted}, not a value of type {kind}")


class ScalarConverter(Converter):
    """bool, int, float, str or None; an integer in a document is taken for a float."""

    def __init__(self, type_: type) -> None:
        self.type = type_
        self.title = "null" if type_ is type(None) else type_.__name__

    def take(self, plain: Any, path: KeyPath) -> Any:
        if type(plain) is self.type:
            return plain
        if self.type is float and type(plain) is int:
            try:
                return float(plain)
            except OverflowError:
                raise self.misfit(plain, path) from None
        raise self.misfit(plain, path)

    def give(self, value: Any, path: KeyPath) -> Any:
        if isinstance(value, self.type) and (self.type is bool or type(value) is not bool):
            return value
        if self.type is float and type(value) is int:
            return value
        raise self.wrong(value, path)


class DateConverter(Converter):
    """datetime, date or time: itself where the format has it, else ISO 8601 text."""

    def __init__(self, type_: Any, native: bool) -> None:
        self.type = type_
        self.native = native
        self.title = f"a {type_.__name__}"

    def take(self, plain: Any, path: KeyPath) -> Any:
        if type(plain) is self.type:
            return plain
        if type(plain) is str:
            try:
                return self.type.fromisoformat(plain)
            except ValueError:
                raise self.misfit(plain, path) from None
        raise self.misfit(plain, path)

    def give(self, value: Any, path: KeyPath) -> Any:
        if not isinstance(value, self.type) or (self.type is date and isinstance(value, datetime)):
            raise self.wrong(value, path)
        return value if self.native else value.isoformat()


class TextConverter(Converter):
    """A type that is written as text and made of it: paths, UUIDs, decimals."""

    def __init__(self, type_: type) -> None:
        self.type = type_
        self.title = f"text for a {type_.__name__}"
        self.own_title = type_.__name__

    def take(self, plain: Any, path: KeyPath) -> Any:
        if type(plain) is not str:
            raise self.misfit(plain, path)
        try:
            return self.type(plain)
        except (ValueError, ArithmeticError):
            raise self.misfit(plain, path) from None

    def give(self, value: Any, path: KeyPath) -> Any:
        if not isinstance(value, self.type):
            raise self.wrong(value, path)
        return str(value)


class LiteralConverter(Converter):
    """One of some values."""

    def __init__(self, values: tuple[Any, ...]) -> None:
        self.values = values
        self.title = "one of " + ", ".join(map(repr, values))

    def take(self, plain: Any, path: KeyPath) -> Any:
        for value in self.values:
            if type(value) is type(plain) and value == plain:
                return value
        raise self.misfit(plain, path)

    def give(self, value: Any, path: KeyPath) -> Any:
        if any(type(known) is type(value) and known == value for known in self.values):
            return value
        raise self.wrong(value, path)


class EnumConverter(Converter):
    """An Enum, by value."""

    def __init__(self, type_: Any) -> None:
        self.type = type_
        self.title = "one of " + ", ".join(repr(member.value) for member in type_)
        self.own_title = type_.__name__

    def take(self, plain: Any, path: KeyPath) -> Any:
        try:
            return self.type(plain)
        except ValueError:
            raise self.misfit(plain, path) from None

    def give(self, value: Any, path: KeyPath) -> Any:
        if not isinstance(value, self.type):
            raise self.wrong(value, path)
        return value.value


class UnionConverter(Converter):
    """The first arm that fits; float comes last, since it takes integers too."""

    def __init__(self, arms: list[Converter]) -> None:
        self.arms = sorted(arms, key=lambda arm: getattr(arm, "type", None) is float)
        self.title = " or ".join(arm.title for arm in arms)

    def take(self, plain: Any, path: KeyPath) -> Any:
        deeper: DecodeError | None = None
        for arm in self.arms:
            try:
                return arm.take(plain, path)
            except DecodeError as error:
                if error.key is not None and len(error.key) > len(path):
                    deeper = deeper or error
        # An error inside one arm says more than that no arm fits.
        raise deeper or self.misfit(plain, path)

    def give(self, value: Any, path: KeyPath) -> Any:
        for arm in self.arms:
            try:
                return arm.give(value, path)
            except TypeError:
                continue
        raise self.wrong(value, path)


class ItemsConverter(Converter):
    """list, tuple of any length, set or frozenset; sets are written in a fixed order."""

    def __init__(self, type_: Any, item: Converter) -> None:
        self.type = type_
        self.item = item
        self.title = f"a {type_.__name__}"

    def take(self, plain: Any, path: KeyPath) -> Any:
        if type(plain) is not list:
            raise self.misfit(plain, path)
        items = [self.item.take(item, (*path, index)) for index, item in enumerate(plain)]
        return items if self.type is list else self.type(items)

    def give(self, value: Any, path: KeyPath) -> Any:
        self.inside(value, path, self.type)
        items = [self.item.give(item, (*path, index)) for index, item in enumerate(value)]
        if issubclass(self.type, (set, frozenset)):
            items.sort(key=lambda item: (type(item).__name__, repr(item)))
        return items


class TupleConverter(Converter):
    """A tuple of fixed length."""

    def __init__(self, items: list[Converter]) -> None:
        self.items = items
        self.title = f"a list of {len(items)}"

    def take(self, plain: Any, path: KeyPath) -> Any:
        if type(plain) is not list or len(plain) != len(self.items):
            raise self.misfit(plain, path)
        pairs = enumerate(zip(self.items, plain, strict=True))
        return tuple(part.take(item, (*path, index)) for index, (part, item) in pairs)

    def give(self, value: Any, path: KeyPath) -> Any:
        self.inside(value, path, tuple)
        if len(value) != len(self.items):
            raise self.wrong(value, path)
        pairs = enumerate(zip(self.items, value, strict=True))
        return [part.give(item, (*path, index)) for index, (part, item) in pairs]


class DictConverter(Converter):
    """A dict; its whole numbers as keys are text where a format has no others."""

    title = "a mapping"

    def __init__(self, key: Converter, value: Converter, *, number_keys: bool = False) -> None:
        self.key = key
        self.value = value
        self.number_keys = number_keys

    def take(self, plain: Any, path: KeyPath) -> Any:
        if type(plain) is not dict:
            raise self.misfit(plain, path)
        return {
            self._take_key(key, (*path, key)): self.value.take(item, (*path, key))
            for key, item in plain.items()
        }

    def _take_key(self, key: Any, path: KeyPath) -> Any:
        """The key, if it would be written in the same spelling: a change must not add another."""
        try:
            taken = self.key.take(key, path)
        except DecodeError:
            number = None if self.number_keys else _number(key)
            if number is None:
                raise
            taken = self.key.take(number, path)
        name = self._name(taken, path)
        if name != key:
            raise DecodeError(f"{format_path(path)}: this key is written {name!r} here", key=path)
        return taken

    def _name(self, key: Any, path: KeyPath) -> Any:
        name = self.key.give(key, path)
        return str(name) if type(name) is int and not self.number_keys else name

    def give(self, value: Any, path: KeyPath) -> Any:
        self.inside(value, path, dict)
        result: dict[Any, Any] = {}
        for key, item in value.items():
            name = self._name(key, (*path, key))
            if name in result:
                where = format_path((*path, name))
                raise ValueError(f"{where}: two keys of the mapping are written alike")
            result[name] = self.value.give(item, (*path, name))
        return result


def _number(key: Any) -> int | None:
    try:
        return int(key) if type(key) is str else None
    except ValueError:
        return None
