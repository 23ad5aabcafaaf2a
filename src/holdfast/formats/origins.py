"""Remembers which object of a typed value came from which place of the document.

A program sorts, removes and moves objects; their identity alone says which record of the file each
of them is, and with that which unknown fields belong to it.
"""

# Values may be of any type, which strict checking calls unknown.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, TypeAlias

    from holdfast.formats.keypath import KeyPath

    Places: TypeAlias = dict[int, tuple[object, KeyPath]]
    Origins: TypeAlias = dict[KeyPath, KeyPath]

__all__ = ["origins_of", "places_of"]


def places_of(value: Any) -> Places:
    """The place of each object in `value` by its id; they are kept, so no id is used twice."""
    return {id(node): (node, path) for path, node in _nodes(value)}


def origins_of(value: Any, places: Places) -> Origins:
    """The former place of what is at each place now, for objects that were there before."""
    found: Origins = {}
    for path, node in _nodes(value):
        known = places.get(id(node))
        if known is not None:
            found[path] = known[1]
    return found


def _nodes(value: Any) -> Iterator[tuple[KeyPath, Any]]:
    """All objects that have parts, each once, with the place at which the document has them."""
    todo: list[tuple[KeyPath, Any]] = [((), value)]
    met: set[int] = set()
    while todo:
        path, node = todo.pop()
        parts = _parts(node)
        if parts is None or id(node) in met:
            continue
        met.add(id(node))
        yield path, node
        todo.extend(((*path, key), part) for key, part in parts)


def _parts(node: Any) -> list[tuple[Any, Any]] | None:
    """The parts of an object under the keys that they have on disk; None if it has none."""
    if isinstance(node, dict):
        return list(node.items())
    if isinstance(node, (list, tuple)):
        return list(enumerate(node))
    kind: Any = type(node)
    if hasattr(kind, "__dataclass_fields__"):
        return [(name, getattr(node, name, None)) for name in kind.__dataclass_fields__]
    if hasattr(kind, "__struct_encode_fields__"):
        names = zip(kind.__struct_encode_fields__, kind.__struct_fields__, strict=True)
        return [(key, getattr(node, name)) for key, name in names]
    if hasattr(kind, "__pydantic_validator__") and hasattr(kind, "model_fields"):
        fields = kind.model_fields.items()
        return [(_alias(name, field), getattr(node, name, None)) for name, field in fields]
    return None


def _alias(name: str, field: Any) -> str:
    return str(field.serialization_alias or field.alias or name)
