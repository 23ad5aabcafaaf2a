"""The self-check: a replay of the recorded operations must give what the program left.

What stands here holds for every recorder: a recording that fails it is never given out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.crash.recorders.errors import RecordingRefused
from holdfast.vfs.model import Disk
from holdfast.vfs.operations import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.vfs.operations import Node, Operation, Tree

__all__ = ["check_replay", "first_difference", "replayed"]


def replayed(before: Tree, operations: Iterable[Operation]) -> dict[int, Node]:
    """Return the tree after all the operations, nothing lost."""
    disk = Disk(before)
    for at, operation in enumerate(operations):
        disk.apply(operation, at)
    return {inode: disk.node(inode) for inode in disk.durable}


def check_replay(before: Tree, operations: Iterable[Operation], after: Tree) -> None:
    """Compare a replay with what is there.

    Raises:
        RecordingRefused: they differ: something changed the folder that the recorder did not see.
    """
    try:
        difference = first_difference(replayed(before, operations), after)
    except (KeyError, ValueError, IndexError) as error:
        difference = f"the operations do not fit together ({type(error).__name__}: {error})"
    if difference is not None:
        raise RecordingRefused(
            f"{difference}. The recording does not give the files that the program left, so "
            "nothing would be proven with it. Look for another process that writes into the "
            "folder, or for a way of writing that the recorder does not know."
        )


def first_difference(expected: Tree, found: Tree) -> str | None:
    """Say where two trees differ first, by path; inode numbers may differ, hard links may not."""
    same: dict[int, int] = {}
    todo = [(".", ROOT, ROOT)]
    while todo:
        path, mine, other = todo.pop()
        if same.setdefault(mine, other) != other:
            return f"{path}: names share a file in one and not in the other"
        if (word := _difference(expected[mine], found[other])) is not None:
            return f"{path}: {word}"
        here, there = dict(expected[mine].entries), dict(found[other].entries)
        following: list[tuple[str, int, int]] = []
        for name in sorted(here.keys() | there.keys()):
            below = name if path == "." else f"{path}/{name}"
            if name not in there:
                return f"{below}: was recorded, and is not there"
            if name not in here:
                return f"{below}: is there, and was not recorded"
            if here[name] not in same or same[here[name]] != there[name]:
                following.append((below, here[name], there[name]))
        todo += reversed(following)
    return None if len(set(same.values())) == len(same) else "two files became one"


def _difference(expected: Node, found: Node) -> str | None:
    for field in ("kind", "mode", "uid", "gid", "xattrs"):
        mine, other = getattr(expected, field), getattr(found, field)
        if mine != other:
            return f"{field} {_shown(field, mine)} recorded, {_shown(field, other)} found"
    if expected.data != found.data:
        if len(expected.data) != len(found.data):
            return f"{len(expected.data)} bytes recorded, {len(found.data)} found"
        pairs = enumerate(zip(expected.data, found.data, strict=True))
        at = next(number for number, (mine, other) in pairs if mine != other)
        return f"contents differ from byte {at} on"
    return None


def _shown(field: str, value: object) -> str:
    return f"{value:o}" if field == "mode" and isinstance(value, int) else repr(value)
