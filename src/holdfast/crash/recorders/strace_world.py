"""The program's world as a log tells it: names, files, descriptors, current folders.

All of it is told after the fact, so nothing here asks the system, but for symlinks outside of the
recorded folder. What cannot be known is refused, and what was guessed wrong fails the self-check.

I1. A descriptor means what it meant when it was opened, whatever its file is called by now.
I2. A spot is either an inode of the recorded folder or a path outside of it; no path leads in by
    its letters alone.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from holdfast.crash.recorders.errors import RecordingRefused
from holdfast.crash.recorders.strace_parser import AT_FDCWD
from holdfast.crash.recorders.tree import SEVERAL_FILESYSTEMS, TREE_BYTES_MAX, too_large
from holdfast.vfs.operations import (
    ROOT,
    Create,
    MakeFolder,
    SetAttributes,
    Truncate,
    Write,
)

if TYPE_CHECKING:
    from holdfast.crash.recorders.ledger import Ledger
    from holdfast.crash.recorders.strace_parser import Descriptor
    from holdfast.vfs.operations import Node, Operation, Tree

    Spot: TypeAlias = int | bytes

__all__ = ["Found", "OpenFile", "Place", "Process", "Surroundings", "World"]

_LINKS_MAX: Final = 40
_OWN_DESCRIPTOR: Final = re.compile(rb"/proc/(?:self|thread-self|\d+)/fd/(\d+)")


class Place(NamedTuple):
    """A name in a recorded folder."""

    folder: int
    name: str


class Found(NamedTuple):
    """Where a path leads: the place of its last name, if that is recorded, and what is there."""

    place: Place | None
    spot: Spot | None


class OpenFile:
    """What `open` made: descriptors that were duplicated or inherited share it."""

    __slots__ = ("appends", "inode", "position", "sync", "writable")

    def __init__(self, inode: int, flags: frozenset[str]) -> None:
        self.inode = inode
        self.position = 0
        self.appends = "O_APPEND" in flags
        self.sync = "full" if "O_SYNC" in flags else "data" if "O_DSYNC" in flags else None
        self.writable = bool(flags & {"O_RDWR", "O_WRONLY"})


class Surroundings:
    """The current folder and umask, which threads share."""

    __slots__ = ("spot", "umask")

    def __init__(self, spot: Spot, umask: int) -> None:
        self.spot = spot
        self.umask = umask


class Process:
    """One thread, and what it shares with others.

    `mapped`: from where to where which inode is mapped shared, and may be made writable.
    """

    def __init__(self, leader: int, files: dict[int, OpenFile], around: Surroundings) -> None:
        self.leader = leader
        self.files = files
        self.around = around
        self.mapped: list[tuple[int, int, int]] = []

    def child(self, thread: int, flags: frozenset[str]) -> Process:
        """What a new thread or process starts with."""
        files = self.files if "CLONE_FILES" in flags else dict(self.files)
        around = self.around
        if "CLONE_FS" not in flags:
            around = Surroundings(around.spot, around.umask)
        child = Process(self.leader if "CLONE_THREAD" in flags else thread, files, around)
        child.mapped = self.mapped if "CLONE_VM" in flags else list(self.mapped)
        return child

    def unmap(self, start: int, stop: int) -> None:
        """Something else is at these addresses now."""
        self.mapped[:] = [m for m in self.mapped if m[1] <= start or stop <= m[0]]


class World:
    """The recorded folder as it is after the calls so far."""

    def __init__(self, ledger: Ledger, root: str, before: Tree) -> None:
        self.ledger = ledger
        self.root = os.fsencode(os.path.realpath(root))
        self.notes: dict[str, None] = {}
        self.contents: dict[int, bytearray] = {}
        self.attributes: dict[int, tuple[int, int, int]] = {}
        self.targets: dict[int, bytes] = {}
        for inode, node in before.items():
            self._enter(inode, node)
        ledger.start(before)
        if len(ledger.devices()) > 1:
            self.notes[SEVERAL_FILESYSTEMS] = None

    def _enter(self, inode: int, node: Node) -> None:
        self.attributes[inode] = (node.mode, node.uid, node.gid)
        if node.kind == "file":
            self.contents[inode] = bytearray(node.data)
        elif node.kind == "symlink":
            self.targets[inode] = node.data

    def emit(self, *operations: Operation) -> None:
        """Write operations down, and follow them.

        Raises:
            RecordingRefused: a file became larger than can be held.
        """
        for operation in operations:
            if isinstance(operation, (Create, MakeFolder)):
                self._enter(operation.inode, operation.node)
            elif isinstance(operation, Write):
                content = self._content(operation.inode, operation.offset + len(operation.data))
                content.extend(bytes(max(0, operation.offset - len(content))))
                content[operation.offset : operation.offset + len(operation.data)] = operation.data
            elif isinstance(operation, Truncate):
                content = self._content(operation.inode, operation.size)
                del content[operation.size :]
                content.extend(bytes(operation.size - len(content)))
            elif isinstance(operation, SetAttributes):
                mode, uid, gid = self.attributes[operation.inode]
                owner = operation.owner or (uid, gid)
                mode = mode if operation.mode is None else operation.mode
                self.attributes[operation.inode] = (mode, *owner)
        self.ledger.emit(*operations)

    def _content(self, inode: int, size: int) -> bytearray:
        """What is in a file that is about to be of at least that size."""
        if size > TREE_BYTES_MAX:
            raise too_large(self.ledger.path_of(inode))
        return self.contents[inode]

    def spot_of(self, path: bytes) -> Spot:
        """Where a path leads that the kernel gave: it has no symlinks in it."""
        if path == self.root:
            return ROOT
        if not path.startswith(self.root.rstrip(b"/") + b"/"):
            return path
        inode = ROOT
        for name in path[len(self.root.rstrip(b"/")) + 1 :].split(b"/"):
            entries = self.ledger.names.get(inode, {})
            if os.fsdecode(name) not in entries:
                return path
            inode = entries[os.fsdecode(name)]
        return inode

    def place_of(self, path: bytes) -> Place | None:
        """The recorded folder and name of a path that the kernel gave."""
        head, _, name = path.rpartition(b"/")
        folder = self.spot_of(head or b"/")
        return Place(folder, os.fsdecode(name)) if isinstance(folder, int) else None

    def base(self, process: Process, folder: Descriptor | None) -> Spot:
        """Where a relative path begins."""
        if folder is None:
            return process.around.spot
        if folder.number == AT_FDCWD:
            if folder.path:
                process.around.spot = self.spot_of(folder.path)
            return process.around.spot
        return self.spot_of(folder.path)

    def open_file(self, process: Process, descriptor: Descriptor) -> OpenFile | None:
        """What stands behind a descriptor, if it is recorded.

        Raises:
            RecordingRefused: it is, but came to the process in a way that the log does not tell.
        """
        if not (descriptor.path + b"/").startswith(self.root.rstrip(b"/") + b"/"):
            return None
        known = process.files.get(descriptor.number)
        spot = None if descriptor.is_deleted else self.spot_of(descriptor.path)
        if isinstance(spot, int) and self.ledger.kinds[spot] != "file":
            return OpenFile(spot, frozenset())
        if known is None and isinstance(spot, int):
            raise RecordingRefused(
                f"{self.ledger.path_of(spot)}: descriptor {descriptor.number} came from another "
                "process or was there before. The files stand. strace does not tell where such a "
                "descriptor stands in its file: use the seccomp recorder."
            )
        return known

    def find(
        self, process: Process, path: bytes, folder: Descriptor | None, *, follow: bool
    ) -> Found:
        """Walk a path that a program gave."""
        base = b"/" if path.startswith(b"/") else self.base(process, folder)
        todo = [part for part in path.split(b"/") if part not in {b"", b"."}][::-1]
        place: Place | None = None
        spot: Spot | None = base
        links = 0
        while todo and spot is not None:
            name = todo.pop()
            place, there = self._step(process, spot, name)
            target = self._target(there) if todo or follow else None
            if target is None:
                spot = there
            elif (links := links + 1) > _LINKS_MAX:
                return Found(None, None)
            else:
                spot = b"/" if target.startswith(b"/") else spot
                todo += [part for part in target.split(b"/") if part not in {b"", b"."}][::-1]
        return Found(place if not todo else None, spot if not todo else None)

    def _step(self, process: Process, spot: Spot, name: bytes) -> tuple[Place | None, Spot | None]:
        if isinstance(spot, int):
            if name == b"..":
                return None, self._above(spot)
            text = os.fsdecode(name)
            return Place(spot, text), self.ledger.names.get(spot, {}).get(text)
        if name == b"..":
            return None, os.path.dirname(spot)
        path = os.path.join(spot, name)
        if own := _OWN_DESCRIPTOR.fullmatch(path):
            file = process.files.get(int(own[1]))
            return None, file.inode if file else path
        return None, ROOT if path == self.root else path

    def _above(self, inode: int) -> Spot:
        if inode == ROOT:
            return os.path.dirname(self.root)
        return self.spot_of(
            os.path.dirname(os.path.join(self.root, os.fsencode(self.ledger.path_of(inode))))
        )

    def _target(self, spot: Spot | None) -> bytes | None:
        """What a symlink says; None: it is none."""
        if spot is None or isinstance(spot, int):
            return self.targets.get(spot) if spot is not None else None
        try:
            return os.readlink(spot)
        except OSError:
            return None
