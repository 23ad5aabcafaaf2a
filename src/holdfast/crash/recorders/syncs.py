"""Calls that make things durable, and mappings of files, whose stores a sync covers too."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING, Final

from holdfast.crash.recorders.arrivals import note_sync
from holdfast.crash.recorders.mappings import shared_mappings
from holdfast.crash.recorders.scene import Action
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
            scene.maps.synced(inode)
        return 0

    return Action(
        f"{trap.name}({scene.label(inode)})",
        perform,
        lambda: scene.ledger.emit(SyncFailed(inode)),
    )


def sync_all(scene: Scene, trap: Trap) -> Action | None:
    """`sync`, and `syncfs` of the filesystem that holds the recorded folder."""
    if trap.name == "syncfs" and os.fstat(trap.descriptor(0)).st_dev != scene.device:
        return None

    def perform() -> int:
        scene.execute(trap)
        scene.ledger.emit(SyncAll())
        scene.maps.all_synced()
        return 0

    return Action(f"{trap.name}()", perform)


def map_file(scene: Scene, trap: Trap) -> None:
    """A shared mapping of a recorded file that is open for writing: watch it from now on."""
    own = trap.descriptor(4)
    inode = scene.file(own)
    if inode is not None and fcntl.fcntl(own, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDWR:
        reading = os.open(f"/proc/self/fd/{own}", os.O_RDONLY | os.O_CLOEXEC)
        scene.maps.add(inode, reading)


def map_inherited(scene: Scene, process: int) -> None:
    """Watch what a process has mapped before it was recorded."""
    for mapping in shared_mappings(process):
        inode = scene.ledger.find(mapping.identity)
        if inode is not None and mapping.writable:
            scene.maps.add(inode, os.open(mapping.through, os.O_RDONLY | os.O_CLOEXEC))


def sync_mapping(scene: Scene, trap: Trap) -> Action | None:
    """`msync`: MS_SYNC makes the stores durable, if no store of the file lies outside of it."""
    if not scene.maps or not trap.value(2) & _MS_SYNC:
        return None
    start, stop = trap.arguments[0], trap.arguments[0] + trap.arguments[1]
    concerned = [
        (inode, mapping)
        for mapping in shared_mappings(trap.task.process)
        if mapping.start < stop and mapping.stop > start
        if (inode := scene.ledger.find(mapping.identity)) is not None
    ]
    if not concerned:
        return None

    def perform() -> int:
        for inode, mapping in concerned:
            _sync_range(scene, inode, mapping.part(start, stop))
        return 0

    def failed() -> None:
        scene.ledger.emit(*(SyncFailed(inode) for inode, _ in concerned))

    labels = ", ".join(scene.label(inode) for inode, _ in concerned)
    return Action(f"msync({labels})", perform, failed)


def _sync_range(scene: Scene, inode: int, part: tuple[int, int]) -> None:
    """Sync the whole file if that is what the call would do; part of it counts as no sync."""
    if not scene.maps.is_watched(inode):
        return
    if scene.maps.covers(inode, *part):
        scene.maps.sync(inode)
        scene.ledger.emit(SyncFile(inode))
        scene.maps.synced(inode)
    else:
        scene.notes[
            f"msync of a part of {scene.ledger.path_of(inode)} with stores outside of that part "
            "counts as no sync: the model knows whole files"
        ] = None
