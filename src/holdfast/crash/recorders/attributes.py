"""Calls that change modes, owners and extended attributes."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.crash.recorders.scene import Action
from holdfast.crash.recorders.tree import xattrs_of
from holdfast.vfs.operations import SetAttributes

if TYPE_CHECKING:
    from holdfast.crash.recorders.scene import Scene
    from holdfast.crash.recorders.traps import Trap

__all__ = ["change_mode", "change_owner", "remove_xattr", "set_xattr"]

_NOFOLLOW: Final = 0x100


def change_mode(scene: Scene, trap: Trap) -> Action | None:
    """The `chmod` family."""
    return _change(scene, trap, f"{trap.value(trap.shape.index('.')) & 0o7777:o}")


def change_owner(scene: Scene, trap: Trap) -> Action | None:
    """The `chown` family."""
    first = trap.shape.index(".")
    return _change(scene, trap, f"{trap.value(first)}, {trap.value(first + 1)}")


def set_xattr(scene: Scene, trap: Trap) -> Action | None:
    """The `setxattr` family."""
    return _change(scene, trap, repr(os.fsdecode(trap.string(1))))


def remove_xattr(scene: Scene, trap: Trap) -> Action | None:
    """The `removexattr` family."""
    return _change(scene, trap, repr(os.fsdecode(trap.string(1))))


class _Look(NamedTuple):
    """The attributes of an inode."""

    found: os.stat_result
    xattrs: dict[str, bytes]


def _target(trap: Trap) -> int:
    """Return a descriptor of ours for what the call is about."""
    if trap.shape[0] == "f":
        return trap.descriptor(0)
    at = trap.shape.index("p")
    follow = trap.name not in {"lchown", "lsetxattr", "lremovexattr"}
    if trap.name in {"fchownat", "fchmodat2"}:
        follow = not trap.value(len(trap.shape) - 1) & _NOFOLLOW
    path, folder = trap.string(at), trap.folder(at)
    if not path and folder is not None:
        return folder
    flags = os.O_PATH | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    return trap.own(os.open(path, flags, dir_fd=folder))


def _look(own: int) -> _Look:
    return _Look(os.fstat(own), dict(xattrs_of(f"/proc/self/fd/{own}", follow=True)))


def _change(scene: Scene, trap: Trap, shown: str) -> Action | None:
    """One call may change more than it names: a mode its ACL, an owner the set-id bits."""
    own = _target(trap)
    inode = scene.inode(os.fstat(own))
    if inode is None:
        return None

    def perform() -> int:
        before = _look(own)
        scene.execute(trap)
        after = _look(own)
        scene.ledger.emit(_difference(inode, before, after))
        if "system.posix_acl_default" in after.xattrs:
            scene.inheriting.add(inode)
        return 0

    return Action(f"{trap.name}({scene.label(inode)}, {shown})", perform)


def _difference(inode: int, before: _Look, after: _Look) -> SetAttributes:
    mode = stat.S_IMODE(after.found.st_mode)
    owner = (after.found.st_uid, after.found.st_gid)
    names = sorted(before.xattrs.keys() | after.xattrs.keys())
    return SetAttributes(
        inode,
        mode if mode != stat.S_IMODE(before.found.st_mode) else None,
        owner if owner != (before.found.st_uid, before.found.st_gid) else None,
        tuple(
            (name, after.xattrs.get(name))
            for name in names
            if before.xattrs.get(name) != after.xattrs.get(name)
        ),
    )
