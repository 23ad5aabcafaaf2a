"""What the quick paths need of `typing` at run time; type checkers are shown `typing` itself.

`typing` takes a quarter of the time that a whole command may take, and each `NamedTuple` of the
standard library compiles a constructor when its module is imported. Modules on the quick paths say

    TYPE_CHECKING = False
    if TYPE_CHECKING:
        from typing import Any, NamedTuple
    else:
        from holdfast.light_typing import NamedTuple

and keep names that stand in annotations alone under `TYPE_CHECKING`. All others import `typing`.
"""

from __future__ import annotations

from operator import itemgetter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from inspect import Signature
    from typing import Any, Self

__all__ = ["Generic", "NamedTuple", "Protocol", "TypeVar", "cast", "overload"]

_GenericAlias: Any = type(list[int])
_new_tuple: Any = vars(tuple)["__new__"]


class _Record(type):
    """Makes the annotations of a class the fields of a tuple."""

    def __new__(
        cls, name: str, bases: tuple[type, ...], body: dict[str, Any], **options: Any
    ) -> Any:
        if any(hasattr(base, "_fields") for base in bases):
            return super().__new__(cls, name, bases, body, **options)  # an ordinary subclass
        body.setdefault("__slots__", ())
        made: Any = super().__new__(cls, name, bases, body, **options)
        fields = tuple(made.__annotations__)
        if fields:
            made._fields = fields
            made._field_defaults = {field: body[field] for field in fields if field in body}
            made.__match_args__ = fields  # type: ignore[misc]
            for index, field in enumerate(fields):
                setattr(made, field, property(itemgetter(index)))
        return made

    @property
    def __signature__(cls: Any) -> Signature:
        """The fields as parameters, for `inspect` and `help`."""
        from inspect import Parameter, Signature

        kind = Parameter.POSITIONAL_OR_KEYWORD
        return Signature(
            [
                Parameter(
                    field,
                    kind,
                    default=cls._field_defaults.get(field, Parameter.empty),
                    annotation=cls.__annotations__.get(field, Parameter.empty),
                )
                for field in cls._fields
            ]
        )


class NamedTuple(tuple["Any", ...], metaclass=_Record):
    """A tuple with named fields, as that of `typing`."""

    __slots__ = ()

    if TYPE_CHECKING:
        _fields: tuple[str, ...]
        _field_defaults: Mapping[str, Any]

    def __new__(cls, *values: Any, **named: Any) -> Self:
        if named or len(values) != len(cls._fields):
            values = cls._bound(values, named)
        made: Self = _new_tuple(cls, values)
        return made

    @classmethod
    def _bound(cls, values: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, ...]:
        defaults = cls._field_defaults
        rest = cls._fields[len(values) :]
        if len(values) <= len(cls._fields) and named.keys() <= set(rest):
            try:
                return (*values, *[named[f] if f in named else defaults[f] for f in rest])
            except KeyError:
                pass
        raise TypeError(f"{cls.__name__} has the fields {', '.join(cls._fields)}")

    @classmethod
    def _make(cls, values: Iterable[Any]) -> Self:
        return cls(*values)

    def _asdict(self) -> dict[str, Any]:
        return dict(zip(self._fields, self, strict=True))

    def _replace(self, **named: Any) -> Self:
        made = type(self)(*map(named.pop, self._fields, self))
        if named:
            raise TypeError(f"{type(self).__name__} has the fields {', '.join(self._fields)}")
        return made

    def __repr__(self) -> str:
        fields = ", ".join(f"{field}={value!r}" for field, value in self._asdict().items())
        return f"{type(self).__name__}({fields})"

    def __getnewargs__(self) -> tuple[Any, ...]:
        return tuple(self)


class Generic:
    """The base of a class that can be written with its parameters, as that of `typing`."""

    __slots__ = ()

    def __class_getitem__(cls, parameters: Any) -> Any:
        return _GenericAlias(cls, parameters)


class Protocol(Generic):
    """The base of a class that is there to be read, and to be checked against statically."""

    __slots__ = ()


class TypeVar:
    """A parameter of a generic class; it has a name and no meaning at run time."""

    __slots__ = ("__name__",)

    def __init__(self, name: str, **_: object) -> None:
        self.__name__ = name


def cast(type_: object, value: Any) -> Any:  # noqa: ARG001 - for type checkers
    """Return the value."""
    return value


def overload(function: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a declaration, which the definition that follows replaces."""
    return function
