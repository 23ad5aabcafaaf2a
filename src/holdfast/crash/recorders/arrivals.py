"""A file from outside that gets a name in the recorded folder.

What was done to it before was not recorded. If its last sync was seen and it was not changed since,
its contents count as durable; else as written just now. Stores into a mapped file leave no trace
that could be relied on: one that was ever mapped to be written was not seen to be synced, and is
watched from its arrival on.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from holdfast.crash.recorders.errors import RecordingRefused
from holdfast.crash.recorders.tree import TREE_BYTES_MAX, identity, kind_of, node_of, too_large
from holdfast.vfs.operations import Create, Write

if TYPE_CHECKING:
    from holdfast.crash.recorders.scene import Place, Scene, Stamp
    from holdfast.crash.recorders.traps import Trap

__all__ = ["arrive", "forget_sync", "note_change", "note_sync"]


def note_sync(scene: Scene, own: int) -> None:
    """Remember that a file outside is synced as it is now; it may be moved in."""
    found = os.fstat(own)
    if stat.S_ISREG(found.st_mode):
        scene.synced_outside[identity(found)] = _stamp(found)


def _stamp(found: os.stat_result) -> Stamp:
    """What changes with a file, whoever changes it: ctime cannot be set."""
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns


def note_change(scene: Scene, own: int) -> None:
    """A file outside, behind our descriptor, is about to be changed: it is not synced any more."""
    if scene.synced_outside:
        forget_sync(scene, os.fstat(own))


def forget_sync(scene: Scene, found: os.stat_result) -> None:
    """A file outside is about to be changed."""
    scene.synced_outside.pop(identity(found), None)


def arrive(scene: Scene, trap: Trap, where: tuple[int, Place], *, before: os.stat_result) -> int:
    """Write down the new inode that stands there now, without its name.

    Args:
        before: what it was before the call, which changes its ctime.

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
    inode = scene.ledger.born(identity(found))
    is_mapped = stat.S_ISREG(found.st_mode) and identity(found) in scene.mapped
    if is_mapped:  # watched before it is read: what is stored in between counts twice, not never
        scene.maps.add(inode, os.open(f"/proc/self/fd/{own}", os.O_RDONLY | os.O_CLOEXEC))
    folder = trap.folder(at)
    base = b"" if folder is None else b"/proc/self/fd/%d/" % folder
    node = node_of(base + path, found)
    synced = scene.synced_outside.pop(identity(found), None)
    known = synced == _stamp(before) and identity(before) == identity(found) and not is_mapped
    if known or node.kind != "file":
        scene.ledger.emit(Create(inode, node))
    else:
        scene.ledger.emit(Create(inode, node._replace(data=b"")))
        if node.data:
            scene.ledger.emit(Write(inode, 0, node.data))
    return inode
