"""Inodes and operations as JSON values, and back: the elements of a stored recording.

Whatever is not exactly of its type is refused, by a `ValueError`, `TypeError` or `KeyError`.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any, cast, get_args

from holdfast.vfs import operations as ops
from holdfast.vfs.operations import Kind, Node

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.vfs.operations import Operation

__all__ = [
    "NUMBER_MAX",
    "inode_json",
    "json_of",
    "number_of",
    "read_inode",
    "read_operation",
    "text_of",
    "texts_of",
]

NUMBER_MAX = 1 << 63
_OPERATIONS: dict[str, Any] = {kind.__name__: kind for kind in get_args(ops.Operation)}


def inode_json(node: Node) -> list[object]:
    """Return the seven elements of an inode."""
    return [json_of(value) for value in node]


def json_of(value: object) -> object:
    """Return a field of an operation or inode as JSON."""
    match value:
        case bytes():
            return {"b": b64encode(value).decode("ascii")}
        case Node():
            return {"n": inode_json(value)}
        case tuple():
            return [json_of(inner) for inner in cast("tuple[object, ...]", value)]
        case _:
            return value


def number_of(value: object, *, low: int = 0) -> int:
    """Return the whole number.

    Raises:
        ValueError: It is something else, or out of bounds.
    """
    if type(value) is not int or not low <= value < NUMBER_MAX:
        raise ValueError(f"{value!r:.40} is no number that can be here")
    return value


def text_of(value: object) -> str:
    """Return the text.

    Raises:
        ValueError: It is something else.
    """
    if type(value) is not str:
        raise ValueError(f"{value!r:.40} is no text")
    return value


def texts_of(value: object) -> tuple[str, ...]:
    """Return the texts.

    Raises:
        ValueError: It is something else.
    """
    if type(value) is not list:
        raise ValueError(f"{value!r:.40} is no list")
    return tuple(text_of(text) for text in cast("list[object]", value))


def read_inode(fields: Any) -> Node:
    """Return the inode of seven elements.

    Raises:
        ValueError: It cannot be.
    """
    kind, mode, uid, gid, data, xattrs, entries = fields
    if kind not in get_args(Kind):
        raise ValueError(f"{kind!r:.40} is no kind of inode")
    return Node(
        kind,
        number_of(mode),
        number_of(uid),
        number_of(gid),
        _bytes_of(data),
        tuple((text_of(name), _bytes_of(value)) for name, value in xattrs),
        tuple((text_of(name), number_of(inode, low=1)) for name, inode in entries),
    )


def read_operation(kind: object, fields: list[Any]) -> Operation:
    """Return the operation of this name with these fields.

    Raises:
        ValueError: It cannot be.
    """
    made: Any = _OPERATIONS[text_of(kind)]
    names: tuple[str, ...] = made._fields
    if len(fields) != len(names):
        raise ValueError(f"{kind} has {len(names)} fields, not {len(fields)}")
    values = [_READ[name](value) for name, value in zip(names, fields, strict=True)]
    return cast("Operation", made(*values))


def _inside(value: Any, key: str) -> Any:
    """The value of an object that has this key and no other."""
    if type(value) is not dict or list(cast("dict[str, Any]", value)) != [key]:
        raise ValueError(f"{value!r:.40} has not the form that belongs here")
    return cast("dict[str, Any]", value)[key]


def _bytes_of(value: Any) -> bytes:
    return b64decode(text_of(_inside(value, "b")), validate=True)


def _inner_inode(value: Any) -> Node:
    return read_inode(_inside(value, "n"))


def _inode_number(value: Any) -> int:
    return number_of(value, low=1)


def _flag(value: Any) -> bool:
    if type(value) is not bool:
        raise ValueError(f"{value!r:.40} is neither true nor false")
    return value


def _mode(value: Any) -> int | None:
    return None if value is None else number_of(value)


def _owner(value: Any) -> tuple[int, int] | None:
    if value is None:
        return None
    uid, gid = value
    return number_of(uid), number_of(gid)


def _set_xattrs(value: Any) -> tuple[tuple[str, bytes | None], ...]:
    return tuple((text_of(name), None if v is None else _bytes_of(v)) for name, v in value)


_READ: dict[str, Callable[[Any], object]] = {
    "inode": _inode_number,
    "folder": _inode_number,
    "to_folder": _inode_number,
    "offset": number_of,
    "size": number_of,
    "name": text_of,
    "to_name": text_of,
    "text": text_of,
    "data": _bytes_of,
    "data_only": _flag,
    "node": _inner_inode,
    "mode": _mode,
    "owner": _owner,
    "xattrs": _set_xattrs,
}
