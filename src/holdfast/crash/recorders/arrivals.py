"""A file from outside that gets a name in the recorded folder.

What was done to it before was not recorded. If its last sync was seen and it was not changed since,
its contents count as durable; else as written just now.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from holdfast.crash.recorders.errors import RecordingRefused
from holdfast.crash.recorders.tree import TREE_BYTES_MAX, identity, kind_of, node_of, too_large
from holdfast.vfs.operations import Create, Write

if TYPE_CHECKING:
    from holdfast.crash.recorders.scene import Place, Scene
    from holdfast.crash.recorders.traps import Trap

__all__ = ["arrive", "note_sync"]


def note_sync(scene: Scene, own: int) -> None:
    """Remember that a file outside is synced as it is now; it may be moved in."""
    found = os.fstat(own)
    if stat.S_ISREG(found.st_mode):
        scene.synced_outside[identity(found)] = (found.st_size, found.st_mtime_ns)


def arrive(scene: Scene, trap: Trap, where: tuple[int, Place]) -> int:
    """Write down the new inode that stands there now, without its name.

    Raises:
        RecordingRefused: it is a folder, or too large.
    """
    at, place = where
    path = trap.string(at).rstrip(b"/")
    own = trap.own(os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=trap.folder(at)))
    found = os.fstat(own)
    label = scene.entry_label(place)
    if kind_of(found) not in {"file", "symlink", "fifo"}:
        raise RecordingRefused(
            f"{label}: a folder was moved in from outside, and what happened in it was not "
            "recorded. The program was ended; its files stand. Record the folder above both."
        )
    if found.st_size > TREE_BYTES_MAX:
        raise too_large(label)
    folder = trap.folder(at)
    base = b"" if folder is None else b"/proc/self/fd/%d/" % folder
    node = node_of(base + path, found)
    inode = scene.ledger.born(identity(found))
    known = scene.synced_outside.get(identity(found)) == (found.st_size, found.st_mtime_ns)
    if known or node.kind != "file":
        scene.ledger.emit(Create(inode, node))
    else:
        scene.ledger.emit(Create(inode, node._replace(data=b"")))
        if node.data:
            scene.ledger.emit(Write(inode, 0, node.data))
    return inode
