"""Opening files: new names, files without one, and files that are cut to nothing."""

from __future__ import annotations

import errno
import os
import stat
from struct import unpack
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.crash.recorders.errors import RecordingRefused
from holdfast.crash.recorders.marks import mark_in
from holdfast.crash.recorders.nesting import ASKED, ASKED_PATH
from holdfast.crash.recorders.notify import answer, install_descriptor
from holdfast.crash.recorders.scene import Action
from holdfast.crash.recorders.traps import AT_FDCWD
from holdfast.crash.recorders.tree import identity, xattrs_of
from holdfast.vfs.operations import Create, Link, Mark, Node, Truncate

if TYPE_CHECKING:
    from holdfast.crash.recorders.scene import Place, Scene
    from holdfast.crash.recorders.traps import Trap

__all__ = ["new_node", "open_file"]

_TMPFILE: Final = os.O_TMPFILE & ~os.O_DIRECTORY
_EXCLUSIVE: Final = os.O_CREAT | os.O_EXCL
_LINKS_MAX: Final = 40
_IN_ROOT: Final = 0x10
_SHOWN: Final = {
    name: getattr(os, name)
    for name in (
        *("O_WRONLY", "O_RDWR", "O_CREAT", "O_EXCL", "O_TRUNC", "O_APPEND", "O_DSYNC", "O_SYNC"),
        "O_TMPFILE",
    )
}


class _Opening(NamedTuple):
    path_at: int
    flags: int
    resolve: int = 0


def open_file(scene: Scene, trap: Trap) -> Action | None:
    """`open` and its kin: only what may change a recorded folder is carried out here.

    Raises:
        OSError: what the program is answered.
        RecordingRefused: it is opened in a way that is not followed; the files stand as they are.
    """
    opening = _opening(trap)
    if trap.string(opening.path_at) == ASKED_PATH:
        raise OSError(ASKED, os.strerror(ASKED))
    mark = mark_in(trap.string(opening.path_at))
    if mark is not None:
        return _acknowledge(scene, trap, mark)
    flags = opening.flags
    if flags & os.O_PATH or not flags & (os.O_CREAT | os.O_TRUNC | _TMPFILE):
        return None
    if opening.resolve & _IN_ROOT:
        _refuse_other_root(scene, trap)
    if flags & _TMPFILE:
        return _open_unnamed(scene, trap, opening)
    if flags & _EXCLUSIVE == _EXCLUSIVE:
        return _create(scene, trap, opening, follow=False)
    follow = not flags & os.O_NOFOLLOW
    try:
        found = trap.stat(opening.path_at, follow=follow)
    except FileNotFoundError:
        return _create(scene, trap, opening, follow=follow) if flags & os.O_CREAT else None
    inode = scene.inode(found)
    if inode is None or not stat.S_ISREG(found.st_mode):
        return None
    return _open_existing(scene, trap, (inode, opening))


def _opening(trap: Trap) -> _Opening:
    if trap.name == "openat":
        return _Opening(1, trap.value(2))
    if trap.name == "openat2":
        flags, _, resolve = unpack("=3Q", trap.task.read(trap.arguments[2], 24).ljust(24, b"\0"))
        return _Opening(1, flags, resolve)
    return _Opening(0, trap.value(1) if trap.name == "open" else os.O_CREAT | os.O_TRUNC | 1)


def _refuse_other_root(scene: Scene, trap: Trap) -> None:
    """Paths begin at another folder than ours: leave alone what cannot lead to a recorded one.

    Raises:
        RecordingRefused: it can; the files stand as they are.
    """
    own = trap.descriptor(0) if trap.value(0) != AT_FDCWD else None
    if own is None:
        trap.task.standing.follow(trap.task.thread)
    folder = os.readlink(f"/proc/self/fd/{own}") if own is not None else os.getcwd()
    is_folder = folder.startswith("/")  # a pipe has no path; the kernel will say what it thinks
    if is_folder and os.path.commonpath((folder, scene.root)) in {folder, scene.root}:
        raise RecordingRefused(
            f"{folder}: process {trap.task.process} opens a file to change it by openat2 with "
            "RESOLVE_IN_ROOT, which is not followed. The program was ended; its files stand. "
            "Test it with this way of opening switched off."
        )


def _acknowledge(scene: Scene, trap: Trap, mark: Mark) -> Action:
    def perform() -> None:
        scene.ledger.emit(mark)
        answer(scene.listener, trap.notification, 0, error=errno.ENOENT)

    return Action(f"ack({mark.text!r})", perform)


def _text(trap: Trap, label: str, flags: int) -> str:
    names = [name for name, bits in _SHOWN.items() if flags & bits == bits]
    if "O_SYNC" in names:
        names.remove("O_DSYNC")
    return f"{trap.name}({label}, {'|'.join(names) or 'O_RDONLY'})"


def _open(scene: Scene, trap: Trap) -> int:
    return trap.own(scene.execute(trap))


def _hand_over(scene: Scene, trap: Trap, own: int, *, flags: int) -> None:
    close_on_exec = flags & os.O_CLOEXEC
    install_descriptor(scene.listener, trap.notification, own, close_on_exec=close_on_exec)


def _open_existing(scene: Scene, trap: Trap, what: tuple[int, _Opening]) -> Action:
    inode, opening = what

    def perform() -> None:
        own = _open(scene, trap)
        if opening.flags & os.O_TRUNC:
            scene.ledger.emit(Truncate(inode, 0))
        _hand_over(scene, trap, own, flags=opening.flags)

    return Action(_text(trap, scene.label(inode), opening.flags), perform)


def _create(scene: Scene, trap: Trap, opening: _Opening, *, follow: bool) -> Action | None:
    find = _place_of_new if follow else _place_of_name
    place = find(scene, trap, opening)
    if place is None:
        return None

    def perform() -> None:
        own = _open(scene, trap)
        inode, node = new_node(scene, own, place.folder)
        scene.ledger.emit(Create(inode, node), Link(place.folder, place.name, inode))
        _hand_over(scene, trap, own, flags=opening.flags)

    return Action(_text(trap, scene.entry_label(place), opening.flags), perform)


def _place_of_name(scene: Scene, trap: Trap, opening: _Opening) -> Place | None:
    return scene.place(trap, opening.path_at)


def _place_of_new(scene: Scene, trap: Trap, opening: _Opening) -> Place | None:
    """Where the new name will stand: a symlink to nothing is followed."""
    try:
        target = os.readlink(trap.string(opening.path_at), dir_fd=trap.folder(opening.path_at))
    except OSError:
        return _place_of_name(scene, trap, opening)
    folder = os.path.dirname(trap.string(opening.path_at)) or b"."
    base = trap.own(os.open(folder, os.O_PATH | os.O_CLOEXEC, dir_fd=trap.folder(opening.path_at)))
    for _ in range(_LINKS_MAX):
        head, _, name = target.rpartition(b"/")
        base = trap.own(
            os.open(head or (b"/" if target[:1] == b"/" else b"."), os.O_PATH, dir_fd=base)
        )
        try:
            target = os.readlink(name, dir_fd=base)
        except OSError:
            return scene.place_at(base, name)
    return None


def _open_unnamed(scene: Scene, trap: Trap, opening: _Opening) -> Action | None:
    folder = scene.inode(trap.stat(opening.path_at, follow=True))
    if folder is None:
        return None

    def perform() -> None:
        own = _open(scene, trap)
        scene.ledger.emit(Create(*new_node(scene, own, folder)))
        _hand_over(scene, trap, own, flags=opening.flags)

    return Action(_text(trap, scene.label(folder), opening.flags), perform)


def new_node(scene: Scene, own: int, folder: int) -> tuple[int, Node]:
    """Describe the empty file behind our descriptor, and give it a number."""
    found = os.fstat(own)
    inode = scene.ledger.born(identity(found))
    node = Node("file", stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid)
    if folder in scene.inheriting:
        node = node._replace(xattrs=xattrs_of(own))
    return inode, node
