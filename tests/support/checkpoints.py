"""The place of a journal and its checkpoints, without a log: made and looked at in one line."""

from __future__ import annotations

from typing import Any

from holdfast.formats.journal_format import CheckpointHead, Identity
from holdfast.state.checkpoints import Checkpoints
from holdfast.state.journal_place import JournalPlace
from holdfast.vfs import ManualClock
from holdfast.vfs.memory import MemoryVFS

WHOSE = Identity(7, "store", "json", 5)
LARGE = bytes(range(256)) * (5 << 10)
"""A body that no slot holds, of a mebibyte and a quarter."""


def empty_disk(**options: Any) -> MemoryVFS:
    """The folder of a journal that has nothing yet."""
    disk = MemoryVFS(**options)
    disk.write_tree({"state.jrn": None})
    return disk


def of(vfs: Any, *, keep: int = 0, whose: Identity = WHOSE, folder: Any = None) -> Checkpoints:
    """The checkpoints of /state.jrn, or of a folder."""
    if folder is None:
        folder = vfs.folder("/state.jrn")
    options: dict[str, Any] = dict(permissions=0o666, vfs=vfs, clock=ManualClock())
    return Checkpoints(folder, whose, keep=keep, **options)


def written(
    checkpoints: Checkpoints, body: bytes, sequence: int, *, through: int | None = None
) -> CheckpointHead:
    """Write a body as one piece."""
    return checkpoints.write(
        [body], sequence=sequence, finish=lambda: sequence if through is None else through
    )


def at(vfs: Any) -> int:
    """The sequence of the checkpoint that is loaded; 0 for none."""
    head = of(vfs).load(b"".join).head
    return head.sequence if head else 0


def place_of(vfs: Any, path: str = "/state.jrn", **options: Any) -> JournalPlace:
    """A place for a store whose values are JSON."""
    given: dict[str, Any] = dict(kind="store", codec="json", permissions=0o666, vfs=vfs)
    return JournalPlace(path, clock=ManualClock(), **{**given, **options})
