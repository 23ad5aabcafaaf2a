"""Splits operations on one file into micro-operations (rules R1, R2, R4 and R6 of `model`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.vfs.micro import PAGE_BYTES, Attribute, Block, Shrink, Size, ZeroTail

if TYPE_CHECKING:
    from holdfast.vfs.micro import Micro
    from holdfast.vfs.operations import SetAttributes, Truncate, Write

__all__ = ["attributes_set", "truncated", "written"]


def written(operation: Write, at: int, *, size: int, block_bytes: int) -> list[Micro]:
    """Return the blocks of a write to a file of this size, and the sizes on the way."""
    inode, offset, data = operation
    if not data:
        return []
    micros: list[Micro] = []
    start, stop = offset, offset + len(data)
    while start < stop:
        end = min(stop, (start // block_bytes + 1) * block_bytes)
        piece = data[start - offset : end - offset]
        micros.append(Block(at, inode, start, piece, max(start, size)))
        start = end
    return [*micros, *_growth(inode, size, stop, at=at)]


def truncated(operation: Truncate, at: int, *, size: int) -> list[Micro]:
    """Return what cuts or extends a file of this size."""
    inode, wanted = operation
    if wanted >= size:
        return _growth(inode, size, wanted, at=at)
    stop = min(size, -(-wanted // PAGE_BYTES) * PAGE_BYTES)
    tail: list[Micro] = [ZeroTail(at, inode, wanted, stop)] if wanted < stop else []
    return [*tail, Shrink(at, inode, wanted)]


def _growth(inode: int, size: int, wanted: int, *, at: int) -> list[Micro]:
    if wanted <= size:
        return []
    steps = [*range((size // PAGE_BYTES + 1) * PAGE_BYTES, wanted, PAGE_BYTES), wanted]
    return [Size(at, inode, step) for step in steps]


def attributes_set(operation: SetAttributes, at: int) -> list[Micro]:
    """Return one for each attribute."""
    inode, mode, owner, xattrs = operation
    micros: list[Micro] = [Attribute(at, inode, name, value) for name, value in xattrs]
    if owner is not None:
        micros.insert(0, Attribute(at, inode, "owner", owner))
    if mode is not None:
        micros.append(Attribute(at, inode, "mode", mode))
    return micros
