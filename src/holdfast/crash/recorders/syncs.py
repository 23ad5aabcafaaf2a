"""Calls that make things durable, and mappings of files, whose stores a sync covers too."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING, Final

from holdfast.crash.recorders.arrivals import note_sync
from holdfast.crash.recorders.mappings import shared_mappings
from holdfast.crash.recorders.scene import Action
from holdfast.crash.recorders.tree import SEVERAL_FILESYSTEMS, identity
from holdfast.crash.recorders.unsynced import Part, Synced
from holdfast.vfs.operations import SyncAll, SyncFailed, SyncFile, SyncFolder

if TYPE_CHECKING:
    from holdfast.crash.recorders.scene import Scene
    from holdfast.crash.recorders.traps import Trap

__all__ = ["map_file", "map_inherited", "sync_all", "sync_inode", "sync_mapping"]

_MS_SYNC: Final = 4


def sync_inode(scene: Scene, trap: Trap) -> Action | None:
    """`fsync` and `fdatasync`, of a file or a folder."""
    own = trap.descriptor(0)
    inode = scene.inode(os.fstat(own))
    if inode is None:
        note_sync(scene, own)
        return None
    is_folder = scene.ledger.kinds.get(inode) == "folder"

    def perform() -> int:
        scene.execute(trap)
        if is_folder:
            scene.ledger.emit(SyncFolder(inode))
        else:
            scene.ledger.emit(SyncFile(inode, data_only=trap.name == "fdatasync"))
        return 0

    return Action(
        f"{trap.name}({scene.label(inode)})",
        perform,
        lambda: scene.ledger.emit(SyncFailed(inode)),
    )


def sync_all(scene: Scene, trap: Trap) -> Action | None:
    """`sync` (of the filesystem of the recorded folder alone), and `syncfs` of that."""
    if trap.name == "syncfs" and os.fstat(trap.descriptor(0)).st_dev != scene.device:
        return None
    counts = trap.name == "sync" or SEVERAL_FILESYSTEMS not in scene.notes

    def perform() -> int:
        if trap.name == "sync":
            scene.sync(trap)
        else:
            scene.execute(trap)
        scene.ledger.emit(*([SyncAll()] * counts))
        return 0

    return Action(f"{trap.name}()", perform)


def map_file(scene: Scene, trap: Trap) -> None:
    """A shared mapping of a file that is open for writing: watch it from now on, or if it comes."""
    own = trap.descriptor(4)
    if fcntl.fcntl(own, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDWR:
        return
    scene.mapped.add(identity(os.fstat(own)))
    if (inode := scene.file(own)) is not None:
        reading = os.open(f"/proc/self/fd/{own}", os.O_RDONLY | os.O_CLOEXEC)
        scene.maps.add(inode, reading)


def map_inherited(scene: Scene, process: int) -> None:
    """Watch what a process has mapped before it was recorded."""
    for mapping in shared_mappings(process):
        if mapping.may_be_written():
            scene.mapped.add(mapping.identity())
            inode = mapping.find(scene.ledger.find)
            if inode is not None and scene.ledger.kinds[inode] == "file":
                scene.maps.add(inode, mapping.open())


def sync_mapping(scene: Scene, trap: Trap) -> Action | None:
    """`msync`: MS_SYNC syncs a part of a file, as `fdatasync` does the whole."""
    if not scene.maps or not trap.value(2) & _MS_SYNC:
        return None
    start, stop = trap.arguments[0], trap.arguments[0] + trap.arguments[1]
    concerned = [
        (inode, mapping)
        for mapping in shared_mappings(trap.task.process)
        if mapping.start < stop and mapping.stop > start
        if (inode := mapping.find(scene.ledger.find)) is not None and mapping.may_be_written()
    ]
    if not concerned:
        return None

    def perform() -> int:
        for inode, mapping in concerned:
            _sync_part(scene, Part(inode, *mapping.part(start, stop)))
        return 0

    def failed() -> None:
        scene.ledger.emit(*(SyncFailed(inode) for inode, _ in concerned))

    labels = ", ".join(scene.label(inode) for inode, _ in concerned)
    return Action(f"msync({labels})", perform, failed)


def _sync_part(scene: Scene, part: Part) -> None:
    if scene.maps.is_watched(part.inode):
        scene.maps.sync(part.inode)
        synced = Synced(part, "msync of a part of", data_only=True)
        scene.ledger.emit_synced(synced, scene.notes)
