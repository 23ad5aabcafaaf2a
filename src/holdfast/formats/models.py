"""Adapters between plain data and typed values; Structs and models bring their own rules."""

# Plain data are of any type below the first level, which strict checking calls unknown.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from holdfast.errors import DecodeError
from holdfast.formats.changes import value_at
from holdfast.formats.keypath import format_path
from holdfast.formats.likeness import alike
from holdfast.formats.plain import TOO_DEEP, clone
from holdfast.formats.plain import plain as plain_data

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final, Protocol

    from holdfast.formats.keypath import KeyPath
else:
    from holdfast.light_typing import Protocol

__all__ = ["Adapter", "checked", "misfit", "model_adapter"]

_MASK: Final = "*" * 10
"""What pydantic writes for a secret, unless the model says otherwise."""
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
            ValueError: nested too deep, or a value that holds itself.
        """
        ...

    def alike(self, value: Any, other: Any) -> bool:
        """Whether `other`, which was read back, still is what `value` is to the program."""
        ...


def model_adapter(
    type_: Any, native: tuple[type, ...], *, number_keys: bool = False
) -> Adapter | None:
    """The adapter for a Struct or a pydantic model; None for any other type.

    Args:
        native: The date and time types that the format has.
        number_keys: Whether it has keys that are numbers.
    """
    if hasattr(type_, "__struct_fields__"):
        return _Struct(type_, native, number_keys)
    if hasattr(type_, "__pydantic_validator__") and hasattr(type_, "model_validate"):
        return _Model(type_, native, number_keys)
    return None


class _Struct:
    """A `msgspec.Struct`."""

    def __init__(self, type_: type, native: tuple[type, ...], number_keys: bool) -> None:
        self.type = type_
        self.native = native
        self.number_keys = number_keys

    def load(self, plain: Any) -> Any:
        import msgspec

        try:
            value: Any = msgspec.convert(
                clone(plain), self.type, strict=True, str_keys=not self.number_keys
            )
        except msgspec.ValidationError as error:
            reason, _, place = str(error).partition(" - at `$")
            if not place:
                reason, _, place = reason.partition(" - at `key` in `$")
            raise misfit(_key(place.rstrip("`")), reason[:1].lower() + reason[1:]) from None
        _refuse_odd_keys(plain, number_keys=self.number_keys, dump=lambda: self.dump(value))
        return value

    def dump(self, value: Any) -> Any:
        import msgspec

        value = checked(value, self.type)
        try:
            built = msgspec.to_builtins(
                value, builtin_types=self.native, str_keys=not self.number_keys
            )
        except RecursionError:
            raise ValueError(TOO_DEEP) from None
        return plain_data(built, name="")

    def alike(self, value: Any, other: Any) -> bool:
        return alike(value, other)


def _key(place: str) -> KeyPath:
    """The key path of `.servers[0].port`."""
    import re

    return tuple(int(step[2]) if step[2] else step[1] for step in re.finditer(_STEP, place))


class _Model:
    """A pydantic model."""

    def __init__(self, type_: Any, native: tuple[type, ...], number_keys: bool) -> None:
        self.type = type_
        self.native = native
        self.number_keys = number_keys

    def load(self, plain: Any) -> Any:
        try:
            value = self.type.model_validate(clone(plain))
        except ValueError as error:
            report: Any = getattr(error, "errors", None)
            if report is None:
                raise
            first = report()[0]
            key = tuple(part for part in first["loc"] if isinstance(part, (str, int)))
            raise misfit(key, first["msg"][:1].lower() + first["msg"][1:]) from None
        _refuse_odd_keys(plain, number_keys=self.number_keys, dump=lambda: self.dump(value))
        return value

    def dump(self, value: Any) -> Any:
        checked(value, self.type)
        text = value.model_dump(mode="json", by_alias=True)
        return self._richer(text, value.model_dump(mode="python", by_alias=True))

    def alike(self, value: Any, other: Any) -> bool:
        return alike(value, other)

    def _richer(self, text: Any, values: Any) -> Any:
        """`text` with the dates, number keys and secrets that `values` has in the same places."""
        if isinstance(values, self.native):
            return values
        if hasattr(values, "get_secret_value") and text in (_MASK, str(values)):
            return _revealed(text, values.get_secret_value())
        if isinstance(text, dict) and isinstance(values, dict) and len(text) == len(values):
            pairs = zip(text.items(), values.items(), strict=True)
            return {self._key_of(a, b): self._richer(c, d) for (a, c), (b, d) in pairs}
        if isinstance(text, list) and isinstance(values, (list, tuple)):
            return [self._richer(a, b) for a, b in zip(text, values, strict=True)]
        return text

    def _key_of(self, text: str, key: Any) -> Any:
        return key if self.number_keys and type(key) is int else text


def _revealed(mask: Any, secret: Any) -> Any:
    """What is behind the mask of a secret, if it is plain; a mask is not read back alike."""
    if isinstance(secret, bytes):
        try:
            return secret.decode()
        except UnicodeDecodeError:
            return mask
    return secret if isinstance(secret, (str, int, float)) else mask


def _refuse_odd_keys(plain: Any, *, number_keys: bool, dump: Callable[[], Any]) -> None:
    """Refuse a key that was taken for a number which would be written in another spelling.

    A change would leave the old spelling beside the new one.

    Raises:
        DecodeError: there is one; `key` says where.
    """
    pending: list[tuple[Any, KeyPath]] = [(plain, ())]
    odd: list[KeyPath] = []
    while pending:
        node, path = pending.pop()
        if type(node) is dict:
            odd += [(*path, key) for key in node if _is_odd(key, number_keys)]
            pending += [(item, (*path, key)) for key, item in node.items()]
        elif type(node) is list:
            pending += [(item, (*path, index)) for index, item in enumerate(node)]
    dumped = dump() if odd else None
    for path in odd:
        there = value_at(dumped, path[:-1])
        if type(there) is dict and path[-1] not in there:
            number = int(path[-1])
            if number in there or str(number) in there:
                raise misfit(path, f"a number as a key is written {number} here")


def _is_odd(key: Any, number_keys: bool) -> bool:
    """Whether a key is text that spells a whole number in another way than it is written."""
    if type(key) is not str or key[:1].isalpha():
        return False
    try:
        number = int(key)
    except ValueError:
        return False
    return number_keys or str(number) != key


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
