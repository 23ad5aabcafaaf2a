"""The calls that a reader has to see to understand a finding: few, in order, losses marked."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from holdfast.crash.explorer.wording import label, losses
from holdfast.vfs import operations as ops

if TYPE_CHECKING:
    from holdfast.crash.explorer.scene import Scene
    from holdfast.crash.recording import Call
    from holdfast.vfs.operations import Operation

__all__ = ["Line", "crash_point", "lines_of"]

_LINES_MAX = 12


class Line(NamedTuple):
    """One call of the story; `lost` says what of it did not survive."""

    call: Call
    lost: str
    is_mark: bool


def lines_of(scene: Scene) -> list[Line]:
    """Return the calls that concern what was lost or interrupted, the last before the crash."""
    concerned = _concerned(scene)
    lost: dict[int, str] = {}
    shown: dict[int, bool] = {}
    origins = scene.recording.origins
    for at, operation in enumerate(scene.operations[: scene.at]):
        call = origins[at]
        is_mark = isinstance(operation, ops.Mark)
        if at in scene.lost:
            words = losses(scene.lost[at])
            lost[call] = f"{lost[call]}, {words}" if call in lost else words
        if is_mark or _inodes(operation) & concerned:
            shown[call] = is_mark
    chosen = [call for call in shown if call in lost][:_LINES_MAX]
    rest = [call for call in shown if call not in lost]
    chosen += rest[max(len(rest) - _LINES_MAX + len(chosen), 0) :]
    calls = scene.recording.calls
    return [Line(calls[call], lost.get(call, ""), shown[call]) for call in sorted(chosen)]


def _concerned(scene: Scene) -> set[int]:
    """The inodes that the story is about."""
    inodes = {target.inode for target in scene.targets}
    if scene.last is not None:
        inodes |= _inodes(scene.last)
    for at in scene.lost:
        inodes |= _inodes(scene.operations[at])
    if not scene.lost and scene.next is not None:
        inodes |= _inodes(scene.next)
    return inodes


def _inodes(operation: Operation) -> set[int]:
    match operation:
        case ops.Link() | ops.MakeFolder():
            return {operation.folder, operation.inode}
        case ops.Rename() | ops.Exchange():
            return {operation.folder, operation.to_folder}
        case ops.Unlink() | ops.RemoveFolder() | ops.SyncFolder():
            return {operation.folder}
        case ops.Mark() | ops.SyncAll():
            return set()
        case _:
            return {operation.inode}


def crash_point(scene: Scene) -> str:
    """Say where the crash struck."""
    if not scene.at:
        return "before the first call"
    if scene.is_inside:
        return f"inside {label(scene.call(scene.at - 1))}: {_half_of(scene)}"
    return f"after {label(scene.call(scene.at - 1))}"


def _is_empty(scene: Scene) -> bool:
    return bool(scene.lost) and all(map(scene.is_empty_write, scene.lost))


def _half_of(scene: Scene) -> str:
    """Say what it is that was done in part."""
    lost = [scene.operations[at] for at in scene.lost]
    operation = lost[0] if lost else scene.last
    if isinstance(operation, ops.Write) and (lost or scene.is_half_written):
        return "none of its bytes is there" if _is_empty(scene) else "a torn write"
    if not lost:
        return "a part of it was done"
    match operation:
        case ops.Rename() if operation.folder != operation.to_folder:
            return "one half of the rename was done"
        case ops.Exchange() if operation.folder != operation.to_folder:
            return "one half of the exchange was done"
        case ops.Truncate():
            return "a truncate cut in half"
        case ops.SetAttributes():
            return "some of the attributes were set"
        case _:
            return "a part of it was done"
