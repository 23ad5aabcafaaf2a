"""Calls that change names: make, link, rename and remove."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final

from holdfast.crash.recorders.arrivals import arrive
from holdfast.crash.recorders.errors import RecordingRefused
from holdfast.crash.recorders.scene import Action
from holdfast.crash.recorders.tree import identity, kind_of, xattrs_of
from holdfast.vfs.operations import (
    Create,
    Exchange,
    Link,
    MakeFolder,
    Node,
    RemoveFolder,
    Rename,
    Unlink,
)

if TYPE_CHECKING:
    from holdfast.crash.recorders.scene import Place, Scene
    from holdfast.crash.recorders.traps import Trap

__all__ = ["link", "make_folder", "make_special", "make_symlink", "remove", "rename"]

_AT_REMOVEDIR: Final = 0x200
_AT_SYMLINK_FOLLOW: Final = 0x400
_EXCHANGE: Final = 2


def make_folder(scene: Scene, trap: Trap) -> Action | None:
    """`mkdir`."""
    at = trap.shape.index("p")
    place = scene.place(trap, at)
    if place is None:
        return None

    def perform() -> int:
        scene.execute(trap)
        inode, node = _made(scene, trap, (at, place))
        scene.ledger.emit(MakeFolder(place.folder, place.name, inode, node))
        if node.xattrs:
            scene.inheriting.add(inode)
        return 0

    return Action(f"{trap.name}({scene.entry_label(place)})", perform)


def _made(scene: Scene, trap: Trap, where: tuple[int, Place]) -> tuple[int, Node]:
    """Describe what was made just now."""
    at, place = where
    path = trap.string(at).rstrip(b"/")
    own = trap.own(os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=trap.folder(at)))
    found = os.fstat(own)
    kind = kind_of(found)
    if kind is None:
        raise RecordingRefused(
            f"{scene.entry_label(place)}: a socket was made by {trap.name}, which is not modelled. "
            "The program was ended; its files stand. Let it make its sockets in another folder."
        )
    xattrs = xattrs_of(f"/proc/self/fd/{own}/.") if _inherits(scene, place, kind) else ()
    data = os.fsencode(os.readlink(path, dir_fd=trap.folder(at))) if kind == "symlink" else b""
    node = Node(kind, stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid, data, xattrs)
    return scene.ledger.born(identity(found)), node


def _inherits(scene: Scene, place: Place, kind: str) -> bool:
    return kind == "folder" and place.folder in scene.inheriting


def make_symlink(scene: Scene, trap: Trap) -> Action | None:
    """`symlink`."""
    return _make(scene, trap, f"{trap.name}({os.fsdecode(trap.string(0))!r}, ")


def make_special(scene: Scene, trap: Trap) -> Action | None:
    """`mknod`, `mkfifo`."""
    return _make(scene, trap, f"{trap.name}(")


def _make(scene: Scene, trap: Trap, text: str) -> Action | None:
    at = trap.shape.index("p")
    place = scene.place(trap, at)
    if place is None:
        return None

    def perform() -> int:
        scene.execute(trap)
        inode, node = _made(scene, trap, (at, place))
        scene.ledger.emit(Create(inode, node), Link(place.folder, place.name, inode))
        return 0

    return Action(f"{text}{scene.entry_label(place)})", perform)


def link(scene: Scene, trap: Trap) -> Action | None:
    """`link` and `linkat`: another name, or the first one of an unnamed file."""
    source, target = (0, 1) if trap.name == "link" else (1, 3)
    place = scene.place(trap, target)
    if place is None:
        return None
    follow = trap.name == "linkat" and bool(trap.value(4) & _AT_SYMLINK_FOLLOW)
    found = trap.stat(source, follow=follow)

    def perform() -> int:
        scene.execute(trap)
        inode = scene.inode(found)
        if inode is None:
            inode = arrive(scene, trap, (target, place), before=found)
        scene.ledger.emit(Link(place.folder, place.name, inode))
        return 0

    known = scene.inode(found)
    label = scene.label(known) if known is not None else repr(os.fsdecode(trap.string(source)))
    return Action(f"{trap.name}({label}, {scene.entry_label(place)})", perform)


def remove(scene: Scene, trap: Trap) -> Action | None:
    """`unlink`, `unlinkat`, `rmdir`."""
    at = trap.shape.index("p")
    place = scene.place(trap, at)
    if place is None:
        return None
    folder = trap.name == "rmdir" or (
        trap.name == "unlinkat" and bool(trap.value(2) & _AT_REMOVEDIR)
    )

    def perform() -> int:
        _hold(scene, trap, (at, place))
        scene.execute(trap)
        if place.name in scene.ledger.names[place.folder]:  # else it was a socket
            scene.ledger.emit((RemoveFolder if folder else Unlink)(place.folder, place.name))
        return 0

    return Action(f"{trap.name}({scene.entry_label(place)})", perform)


def _hold(scene: Scene, trap: Trap, where: tuple[int, Place]) -> None:
    """Keep a file that is about to lose a name: it may be open, and be written to still."""
    at, place = where
    inode = scene.ledger.names[place.folder].get(place.name)
    if inode is None or scene.ledger.kinds[inode] != "file":
        return
    flags = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        own = os.open(trap.string(at), flags, dir_fd=trap.folder(at))
    except OSError:  # the call will say why
        return
    scene.ledger.hold(inode, own)


def rename(scene: Scene, trap: Trap) -> Action | None:
    """`rename` and its kin, also into and out of the recorded folder.

    Raises:
        RecordingRefused: an exchange with a file outside; the files stand as they are.
        OSError: a folder that is not there.
    """
    source, target = (0, 1) if trap.name == "rename" else (1, 3)
    old, new = scene.place(trap, source), scene.place(trap, target)
    exchange = trap.name == "renameat2" and bool(trap.value(4) & _EXCHANGE)
    if old is not None and new is not None:
        return _rename(scene, trap, (old, new), exchange=exchange)
    if exchange and (old or new):
        raise RecordingRefused(
            f"{os.fsdecode(trap.string(target))}: was exchanged with a file outside of the "
            "recorded folder, which is not modelled. The program was ended; its files stand. "
            "Record the folder above both."
        )
    if new is not None:
        return _move_in(scene, trap, (target, new))
    return _move_out(scene, trap, (source, old)) if old is not None else None


def _rename(scene: Scene, trap: Trap, places: tuple[Place, Place], *, exchange: bool) -> Action:
    old, new = places
    target = 1 if trap.name == "rename" else 3

    def perform() -> int:
        names = scene.ledger.names
        if not exchange:
            _hold(scene, trap, (target, new))
        scene.execute(trap)
        one, other = names[old.folder].get(old.name), names[new.folder].get(new.name)
        if exchange and one is not None and other is not None:
            scene.ledger.emit(Exchange(*old, *new))
        elif one is None and other is not None:  # a socket took its place
            scene.ledger.emit(Unlink(new.folder, new.name))
        elif one is not None and one != other:  # two names of one file: nothing is done
            scene.ledger.emit(Rename(old.folder, old.name, new.folder, new.name))
        return 0

    labels = f"{scene.entry_label(old)}, {scene.entry_label(new)}"
    return Action(f"{trap.name}({labels}{', RENAME_EXCHANGE' if exchange else ''})", perform)


def _move_in(scene: Scene, trap: Trap, where: tuple[int, Place]) -> Action:
    place = where[1]

    def perform() -> int:
        _hold(scene, trap, where)
        before = trap.stat(0 if trap.name == "rename" else 1, follow=False)
        scene.execute(trap)
        inode = scene.inode(before)
        if inode is None:
            inode = arrive(scene, trap, where, before=before)
        if scene.ledger.names[place.folder].get(place.name) != inode:
            scene.ledger.emit(Link(place.folder, place.name, inode))
        return 0

    source = os.fsdecode(trap.string(0 if trap.name == "rename" else 1))
    return Action(f"{trap.name}({source!r}, {scene.entry_label(place)})", perform)


def _move_out(scene: Scene, trap: Trap, where: tuple[int, Place]) -> Action:
    place = where[1]

    def perform() -> int:
        scene.execute(trap)
        inode = scene.ledger.names[place.folder].get(place.name)
        if inode is not None:
            is_folder = scene.ledger.kinds[inode] == "folder"
            operation = RemoveFolder if is_folder else Unlink
            scene.ledger.emit(operation(place.folder, place.name))
        return 0

    target = os.fsdecode(trap.string(1 if trap.name == "rename" else 3))
    return Action(f"{trap.name}({scene.entry_label(place)}, {target!r})", perform)
