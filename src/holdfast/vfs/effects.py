"""What micro-operations make of a file, of attributes and of names, if some did not survive."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from holdfast.vfs.micro import Attribute, Block, Loss, Shrink, Size, ZeroTail, changes_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from holdfast.vfs.micro import Item, Place
    from holdfast.vfs.operations import Node

__all__ = [
    "Attributes",
    "attributes_of",
    "contents_of",
    "garbage_of",
    "names_of",
    "with_attributes",
]

_GARBAGE = b"\xdb\x5a\x0f"  # no text, no zeros

Attributes: TypeAlias = tuple[int, int, int, tuple[tuple[str, bytes], ...]]
"""Mode, uid, gid and extended attributes."""


def contents_of(data: bytes, items: Sequence[Item], loss: Loss) -> bytes:
    """Return what a file that held `data` holds after a loss."""
    buffer, size = bytearray(data), len(data)
    for number, item in enumerate(items):
        micro, survives = item.micro, number not in loss.dropped
        if isinstance(micro, Block):
            if survives:
                _put(buffer, micro.offset, micro.data)
            elif loss.garbage:
                fresh = max(micro.fresh, len(buffer))  # what is filled stays as it is
                _put(buffer, fresh, garbage_of(micro)[fresh - micro.fresh :])
        elif survives and isinstance(micro, Size):
            size = micro.size
        elif survives and isinstance(micro, ZeroTail):
            _put(buffer, micro.start, bytes(micro.stop - micro.start))
        elif survives and isinstance(micro, Shrink):
            size = micro.size
            del buffer[size:]
    del buffer[size:]
    return bytes(buffer).ljust(size, b"\0")


def _put(buffer: bytearray, offset: int, piece: bytes) -> None:
    if not piece:
        return
    if len(buffer) < offset:
        buffer.extend(bytes(offset - len(buffer)))
    buffer[offset : offset + len(piece)] = piece


def garbage_of(block: Block) -> bytes:
    """Return what the disk shows, from `fresh` on, where a new block should have been."""
    lost = max(block.offset + len(block.data) - block.fresh, 0)
    return (_GARBAGE * (lost // 3 + 1))[:lost]


def attributes_of(node: Node, items: Sequence[Item], dropped: Collection[int]) -> Attributes:
    """Return the attributes of an inode after a loss."""
    mode, uid, gid, xattrs = node.mode, node.uid, node.gid, dict(node.xattrs)
    for number, item in enumerate(items):
        micro = item.micro
        if number in dropped or not isinstance(micro, Attribute):
            continue
        if micro.value is None:
            xattrs.pop(micro.name, None)
        elif isinstance(micro.value, int):
            mode = micro.value
        elif isinstance(micro.value, bytes):
            xattrs[micro.name] = micro.value
        else:
            uid, gid = micro.value
    return mode, uid, gid, tuple(sorted(xattrs.items()))


def with_attributes(node: Node, attributes: Attributes) -> Node:
    """Return the inode with these attributes."""
    mode, uid, gid, xattrs = attributes
    return node._replace(mode=mode, uid=uid, gid=gid, xattrs=xattrs)


def names_of(
    durable: Mapping[int, Mapping[str, int]], items: Sequence[Item], dropped: Collection[int]
) -> dict[Place, int | None]:
    """Return what each name that the items change stands for after a loss."""
    names: dict[Place, int | None] = {}
    for number, item in enumerate(items):
        for place, inode in changes_of(item.micro):
            if number not in dropped:
                names[place] = inode
            elif place not in names:
                names[place] = durable[place[0]].get(place[1])
    return names
