"""The moments at which a crash may strike, one after the other along a list of operations.

Used by `states` and `membership`. A moment is good until the next one is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from holdfast.vfs.micro import PAGE_BYTES
from holdfast.vfs.model import Disk
from holdfast.vfs.operations import Mark, SyncAll, SyncFailed, Write

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from holdfast.vfs.contents import Known
    from holdfast.vfs.micro import Model
    from holdfast.vfs.operations import Operation, Tree

__all__ = ["Moment", "Settings", "moments"]


class Settings(NamedTuple):
    """Which crashes, of which model."""

    at: int | None = None
    model: Model = "posix"
    block_bytes: int = PAGE_BYTES
    garbage: bool = False
    atomic_across: bool = False
    limit: int = 4096
    seed: int = 0

    def check(self) -> None:
        """Complain of what is no setting.

        Raises:
            ValueError: it is not a model, or no blocks of it; no disk is involved.
        """
        if not 0 < self.block_bytes <= PAGE_BYTES or PAGE_BYTES % self.block_bytes:
            raise ValueError(f"block_bytes is {self.block_bytes}: it must divide {PAGE_BYTES}")
        if self.model not in {"posix", "linux", "prefix"}:
            raise ValueError(f"no model {self.model!r}: posix, linux or prefix")


class Moment(NamedTuple):
    """A crash when `at` operations had been begun, the last of them perhaps half done.

    `anew`: no state of it was possible a moment ago; else only those that keep a part of the last
    operation are new. `inside`: the operation that is cut off here (of `prefix`).
    """

    number: int
    at: int
    marks: tuple[str, ...]
    disk: Disk
    anew: bool
    inside: int | None = None


def moments(
    tree: Tree, operations: Sequence[Operation], settings: Settings, *, known: Known | None = None
) -> Iterator[Moment]:
    """Walk along the operations."""
    disk = Disk(
        tree,
        model=settings.model,
        block_bytes=settings.block_bytes,
        atomic_across=settings.atomic_across,
        known=known,
    )
    if settings.model == "prefix":
        return _kills(disk, operations, settings.at)
    return _power_cuts(disk, operations, settings)


def _power_cuts(
    disk: Disk, operations: Sequence[Operation], settings: Settings
) -> Iterator[Moment]:
    at, marks = settings.at, tuple[str, ...]()
    if not at:
        yield Moment(0, 0, marks, disk, anew=True)
    for done, operation in enumerate(operations, 1):
        if at is not None and done > at:
            return
        disk.apply(operation, done - 1)
        anew = at is not None or (settings.garbage and bool(disk.touched))
        if isinstance(operation, Mark):
            marks += (operation.text,)
            anew = True
        if isinstance(operation, SyncFailed) and settings.model == "linux":
            anew = True  # what it lost is bound to nothing any more (R12)
        if at in {None, done}:
            yield Moment(done, done, marks, disk, anew=anew)


def _kills(disk: Disk, operations: Sequence[Operation], at: int | None) -> Iterator[Moment]:
    """Each moment with all that was done, and each page boundary inside a write (R10)."""
    marks: tuple[str, ...] = ()
    number = 0
    if not at:
        yield Moment(0, 0, marks, disk, anew=True)
    for done, operation in enumerate(operations, 1):
        if at is not None and done > at:
            return
        if isinstance(operation, Mark):
            marks += (operation.text,)
        pieces = list(_pages(operation))
        for piece in pieces:
            if not isinstance(piece, SyncFailed):  # the living kernel still has what was not synced
                disk.apply(piece, done - 1)
                disk.apply(SyncAll(), done - 1)
            number += 1
            if at in {None, done}:
                inside = None if piece is pieces[-1] else done - 1
                yield Moment(number, done, marks, disk, anew=True, inside=inside)


def _pages(operation: Operation) -> Iterator[Operation]:
    """Cut a write at its page boundaries."""
    if not isinstance(operation, Write) or not operation.data:
        yield operation
        return
    inode, offset, data = operation
    start, stop = offset, offset + len(data)
    while start < stop:
        end = min(stop, (start // PAGE_BYTES + 1) * PAGE_BYTES)
        yield Write(inode, start, data[start - offset : end - offset])
        start = end
