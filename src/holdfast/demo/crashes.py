"""Part 4: the power cut at every point of one replacement, on a filesystem in memory that forgets.

It keeps only what a sync made durable and loses the rest in every combination that a real disk may.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import holdfast
from holdfast.demo.report import Row
from holdfast.vfs.memory import MemoryVFS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["crashes"]

_OLD = b"the old contents\n" * 400
_NEW = b"THE NEW CONTENTS, LONGER\n" * 400
_DONE = "done"


def crashes(progress: Callable[[str], None]) -> Iterator[Row]:
    """Explore the crashes of a replacement and of an edit; the naive way beside them."""
    progress("power cuts while a file is replaced")
    yield _explore("power cuts while a file is replaced", _replace, _old_or_new)
    progress("power cuts while a document is edited")
    yield _explore("power cuts while a document is edited", _edit, _counted)
    progress("power cuts while a file is written in place")
    row = _explore("the same, written in place without holdfast", _write_in_place, _old_or_new)
    yield row._replace(note="not ours", ours=False)


def _explore(
    what: str, act: Callable[[MemoryVFS], None], damaged: Callable[[Any, bool], bool]
) -> Row:
    disk = MemoryVFS()
    disk.write_tree({"/file.bin": _OLD, "/state.json": b'{"count": 0, "keep": "me"}\n'})
    act(disk)
    disk.mark(_DONE)
    states = disk.crash_states()
    lost = 0
    for crashed in states:
        acknowledged = crashed.crash_state is not None and _DONE in crashed.crash_state.marks
        lost += damaged(crashed.tree(), acknowledged)
    return Row(what, states.states, lost, "all there are" if states.exhaustive else "a sample")


def _replace(disk: MemoryVFS) -> None:
    holdfast.write_bytes("/file.bin", _NEW, vfs=disk)


def _edit(disk: MemoryVFS) -> None:
    with holdfast.edit("/state.json", vfs=disk) as state:
        state["count"] += 1


def _write_in_place(disk: MemoryVFS) -> None:
    folder = disk.folder("/")
    file = folder.open("file.bin", "write")
    file.truncate(0)
    file.write(_NEW)
    file.sync()
    file.close()
    folder.close()


def _old_or_new(tree: dict[str, Any], acknowledged: bool) -> bool:
    """Whether the file is neither, or old although the new one was acknowledged."""
    found = tree.get("file.bin")
    return found != _NEW and (acknowledged or found != _OLD)


def _counted(tree: dict[str, Any], acknowledged: bool) -> bool:
    try:
        state = json.loads(tree["state.json"])
    except (KeyError, ValueError):
        return True
    expected = {1} if acknowledged else {0, 1}
    return state.get("keep") != "me" or state.get("count") not in expected
