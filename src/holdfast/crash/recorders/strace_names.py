"""Calls of a log that change names, attributes and what is durable."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from holdfast.crash.recorders.errors import RecordingRefused
from holdfast.crash.recorders.strace_parser import text_of
from holdfast.crash.recorders.strace_step import Effect, new_node
from holdfast.crash.recorders.tree import SEVERAL_FILESYSTEMS
from holdfast.vfs.operations import (
    Create,
    Exchange,
    Link,
    MakeFolder,
    Node,
    RemoveFolder,
    Rename,
    SetAttributes,
    SyncAll,
    SyncFailed,
    SyncFile,
    SyncFolder,
    Unlink,
)

if TYPE_CHECKING:
    from holdfast.crash.recorders.strace_step import Step
    from holdfast.crash.recorders.strace_world import Place
    from holdfast.vfs.operations import Kind, Operation

__all__ = [
    "change_mode",
    "change_owner",
    "link",
    "make_folder",
    "make_special",
    "make_symlink",
    "remove",
    "remove_xattr",
    "rename",
    "set_xattr",
    "sync_all",
    "sync_inode",
]

_SPECIAL: Final[dict[str, Kind]] = {
    "S_IFIFO": "fifo",
    "S_IFCHR": "character",
    "S_IFBLK": "block",
    "S_IFREG": "file",
}
_LINKS_THEMSELVES: Final = frozenset({"lchown", "lsetxattr", "lremovexattr"})


def make_folder(step: Step) -> Effect | None:
    """`mkdir`."""
    at = 0 if step.call.name == "mkdir" else 1
    place = step.find(at, follow=False).place
    if place is None:
        return None
    text = f"{step.call.name}({_label(step, place)})"
    if step.call.error:
        return Effect(text)
    inode, node = new_node(step, Node("folder", step.number(at + 1) & 0o1777), place.folder)
    return Effect(text, (MakeFolder(place.folder, place.name, inode, node),))


def make_symlink(step: Step) -> Effect | None:
    """`symlink`."""
    target = text_of(step.call.arguments[0])
    node = Node("symlink", 0o777, data=target)
    at = 1 if step.call.name == "symlink" else 2
    return _make(step, at, node, text=f"{step.call.name}({os.fsdecode(target)!r}, ")


def make_special(step: Step) -> Effect | None:
    """`mknod`, `mkfifo`."""
    at = 0 if step.call.name == "mknod" else 1
    kind: Kind | None = None
    for word in step.flags(at + 1) & _SPECIAL.keys():
        kind = _SPECIAL[word]
    if kind is None:  # a socket, which outlives no restart
        return None
    return _make(step, at, Node(kind, step.number(at + 1)), text=f"{step.call.name}(")


def _make(step: Step, at: int, node: Node, *, text: str) -> Effect | None:
    place = step.find(at, follow=False).place
    if place is None:
        return None
    text = f"{text}{_label(step, place)})"
    if step.call.error:
        return Effect(text)
    inode, made = new_node(step, node, place.folder)
    return Effect(text, (Create(inode, made), Link(place.folder, place.name, inode)))


def link(step: Step) -> Effect | None:
    """`link` and `linkat`: another name, or the first one of an unnamed file."""
    old, new = (0, 1) if step.call.name == "link" else (1, 3)
    place = step.find(new, follow=False).place
    if place is None:
        return None
    file = step.file(0) if "AT_EMPTY_PATH" in step.flags(4) else None
    follow = "AT_SYMLINK_FOLLOW" in step.flags(4)
    spot = file.inode if file else step.find(old, follow=follow).spot
    if not isinstance(spot, int):
        if step.call.error:
            return None
        raise _moved_in(step, place)
    text = f"{step.call.name}({step.label(spot)}, {_label(step, place)})"
    return Effect(text, (Link(place.folder, place.name, spot),))


def remove(step: Step) -> Effect | None:
    """`unlink`, `unlinkat`, `rmdir`."""
    place = step.find(1 if step.call.name == "unlinkat" else 0, follow=False).place
    if place is None:
        return None
    folder = step.call.name == "rmdir" or "AT_REMOVEDIR" in step.flags(2)
    operation = (RemoveFolder if folder else Unlink)(place.folder, place.name)
    known = _entry(step, place) is not None  # else it was a socket
    return Effect(f"{step.call.name}({_label(step, place)})", (operation,) if known else ())


def rename(step: Step) -> Effect | None:
    """`rename` and its kin, also out of the recorded folder."""
    at, to_at = (0, 1) if step.call.name == "rename" else (1, 3)
    old, new = step.find(at, follow=False).place, step.find(to_at, follow=False).place
    if old is None and new is None:
        return None
    exchange = "RENAME_EXCHANGE" in step.flags(4)
    names = [
        _label(step, place) if place else repr(os.fsdecode(text_of(step.call.arguments[where])))
        for place, where in ((old, at), (new, to_at))
    ]
    text = f"{step.call.name}({', '.join(names)}{', RENAME_EXCHANGE' if exchange else ''})"
    if step.call.error:
        return Effect(text)
    if old is None or new is None:
        return Effect(text, _over_the_border(step, old, new))
    return Effect(text, _renamed(step, old, new, exchange=exchange))


def _renamed(step: Step, old: Place, new: Place, *, exchange: bool) -> tuple[Operation, ...]:
    one, other = _entry(step, old), _entry(step, new)
    if exchange and one is not None and other is not None:
        return (Exchange(*old, *new),)
    if one is None:  # a socket took its place
        return () if other is None else (Unlink(*new),)
    if one == other:  # two names of one file: nothing is done
        return ()
    return (Rename(*old, *new),)


def _over_the_border(step: Step, old: Place | None, new: Place | None) -> tuple[Operation, ...]:
    if old is None and new is not None:
        raise _moved_in(step, new)
    if old is None or (inode := _entry(step, old)) is None:
        return ()
    is_folder = step.world.ledger.kinds[inode] == "folder"
    return ((RemoveFolder if is_folder else Unlink)(*old),)


def _moved_in(step: Step, place: Place) -> RecordingRefused:
    return RecordingRefused(
        f"{step.world.ledger.entry_path(*place)}: came from outside of the recorded folder by "
        f"{step.call.name}, and strace does not tell what was in it. The files stand. "
        "Use the seccomp recorder, or record the folder above both."
    )


def change_mode(step: Step) -> Effect | None:
    """The `chmod` family."""
    inode, at = _target(step)
    if inode is None:
        return None
    mode = step.number(at) & 0o7777
    same = mode == step.world.attributes[inode][0]
    change = SetAttributes(inode, None if same else mode)
    return Effect(f"{step.call.name}({step.label(inode)}, {mode:o})", (change,))


def change_owner(step: Step) -> Effect | None:
    """The `chown` family; it takes set-id bits away from a file."""
    inode, at = _target(step)
    if inode is None:
        return None
    given = [-1 if n == 0xFFFFFFFF else n for n in (step.number(at), step.number(at + 1))]
    mode, *now = step.world.attributes[inode]
    owner = tuple(was if new == -1 else new for new, was in zip(given, now, strict=True))
    if step.world.ledger.kinds[inode] == "file" and mode & 0o6000:
        raise step.refused(inode, "a set-id program was given another owner")
    change = SetAttributes(inode, None, None if owner == tuple(now) else (owner[0], owner[1]))
    return Effect(f"{step.call.name}({step.label(inode)}, {given[0]}, {given[1]})", (change,))


def set_xattr(step: Step) -> Effect | None:
    """The `setxattr` family."""
    inode, _ = _target(step)
    if inode is None:
        return None
    name = os.fsdecode(text_of(step.call.arguments[1]))
    if name.startswith("system."):
        raise step.refused(inode, f"{name} was set")
    value = b"" if step.call.arguments[2] == "NULL" else text_of(step.call.arguments[2])
    change = SetAttributes(inode, xattrs=((name, value),))
    return Effect(f"{step.call.name}({step.label(inode)}, {name!r})", (change,))


def remove_xattr(step: Step) -> Effect | None:
    """The `removexattr` family."""
    inode, _ = _target(step)
    if inode is None:
        return None
    name = os.fsdecode(text_of(step.call.arguments[1]))
    change = SetAttributes(inode, xattrs=((name, None),))
    return Effect(f"{step.call.name}({step.label(inode)}, {name!r})", (change,))


def _target(step: Step) -> tuple[int | None, int]:
    """What the call is about, and where the arguments behind it begin."""
    name = step.call.name
    if name.startswith("f") and "at" not in name[1:].replace("attr", ""):
        file = step.file(0)
        return (file.inode if file else None), 1
    at = 1 if name.startswith("f") else 0
    follow = name not in _LINKS_THEMSELVES and "AT_SYMLINK_NOFOLLOW" not in step.flags(at + 3)
    follow = follow and "AT_SYMLINK_NOFOLLOW" not in step.flags(at + 2)
    spot = step.find(at, follow=follow).spot
    return (spot if isinstance(spot, int) else None), at + 1


def sync_inode(step: Step) -> Effect | None:
    """`fsync` and `fdatasync`, of a file or a folder."""
    file = step.file(0)
    if file is None:
        return None
    inode, failed = file.inode, (SyncFailed(file.inode),)
    text = f"{step.call.name}({step.label(inode)})"
    if step.world.ledger.kinds[inode] == "folder":
        return Effect(text, (SyncFolder(inode),), failed)
    data_only = step.call.name == "fdatasync"
    return Effect(text, (SyncFile(inode, data_only=data_only),), failed)


def sync_all(step: Step) -> Effect | None:
    """`sync`, and `syncfs` of the filesystem that holds the recorded folder."""
    if step.call.name == "syncfs" and not _is_same_device(step):
        return None
    counts = step.call.name == "sync" or SEVERAL_FILESYSTEMS not in step.world.notes
    return Effect(f"{step.call.name}()", (SyncAll(),) * counts)


def _is_same_device(step: Step) -> bool:
    try:
        there = os.stat(step.descriptor(0).path).st_dev
    except OSError:  # its file is gone: only a file of the recorded folder is known to be there
        return step.file(0) is not None
    return there == os.stat(step.world.root).st_dev


def _entry(step: Step, place: Place) -> int | None:
    return step.world.ledger.names[place.folder].get(place.name)


def _label(step: Step, place: Place) -> str:
    return repr(step.world.ledger.entry_path(*place))
