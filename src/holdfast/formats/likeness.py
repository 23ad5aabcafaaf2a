"""Whether a typed value that was written and read again is still the same to its program."""

# The values are of any type, which strict checking calls unknown.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["alike"]


def alike(value: Any, other: Any) -> bool:
    """Whether two values are equal, as far as their types can tell.

    NaN is alike to NaN, a tuple to a list of the same items, a time to itself in another zone's
    notation. Models are compared by their fields. Types without an equality of their own are alike.
    """
    if value is other or _equal(value, other):
        return True
    if isinstance(value, dict) and isinstance(other, dict):
        return value.keys() == other.keys() and all(alike(value[key], other[key]) for key in value)
    if isinstance(value, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(value) == len(other) and all(map(alike, value, other))
    if isinstance(value, (set, frozenset)) and isinstance(other, (set, frozenset)):
        return len(value) == len(other) and all(item != item for item in value ^ other)
    if type(value) is not type(other):
        return False
    return _alike_objects(value, other)


def _equal(value: Any, other: Any) -> bool:
    try:
        return bool(value == other)
    except Exception:
        # An equality that fails or has no truth (of an array) says nothing.
        return False


def _alike_objects(value: Any, other: Any) -> bool:
    """Two instances of one class that are not equal as a whole."""
    kind = type(value)
    names = _fields(kind)
    if names is None:
        return (_is_nan(value) and _is_nan(other)) or _is_moment(value, other)
    if not _compares(kind):
        return True
    if not all(alike(_of(value, name), _of(other, name)) for name in names):
        return False
    return alike(_of(value, "__pydantic_extra__"), _of(other, "__pydantic_extra__"))


def _of(value: Any, name: str) -> Any:
    return getattr(value, name, None)


def _fields(kind: type) -> list[str] | None:
    """The names of what a record holds, without what its equality leaves out."""
    if hasattr(kind, "__dataclass_fields__"):
        from dataclasses import fields

        return [field.name for field in fields(kind) if field.compare]
    for name in ("__struct_fields__", "__pydantic_fields__"):
        if hasattr(kind, name):
            return [*getattr(kind, name)]
    return None


def _compares(kind: type) -> bool:
    """Whether the class has an equality beyond identity."""
    config = getattr(kind, "__struct_config__", None)
    own: Any = kind.__eq__
    return bool(config.eq) if config is not None else own is not object.__eq__


def _is_nan(value: Any) -> bool:
    if isinstance(value, float):
        return value != value
    of_decimals = getattr(value, "is_nan", None)
    return of_decimals is not None and bool(of_decimals())


def _is_moment(value: Any, other: Any) -> bool:
    """Python holds a time within a repeated hour unequal to itself with a fixed offset."""
    return hasattr(value, "tzinfo") and bool(value.isoformat() == other.isoformat())
