"""What the handlers of calls share: the book, the mapped files, and how a call is carried out."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from holdfast.crash.recorders import kernel
from holdfast.crash.recorders.ledger import Ledger
from holdfast.crash.recorders.maps import SharedMaps
from holdfast.crash.recorders.tree import SEVERAL_FILESYSTEMS, identity, read_tree

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.crash.recorders.marks import StandardOutput
    from holdfast.crash.recorders.syscalls import Architecture
    from holdfast.crash.recorders.traps import Trap
    from holdfast.crash.recorders.tree import Identity
    from holdfast.vfs.operations import Node

__all__ = ["Action", "Place", "Scene", "Stamp"]

Stamp: TypeAlias = tuple[int, int, int]
"""The size, mtime and ctime of a file."""


class Action(NamedTuple):
    """What a call is about to do below the recorded folder.

    `perform` carries it out and writes the operations down; None: it has answered the thread
    itself. `failed` writes down what a failure does; `shortened` is the same call with fewer bytes.
    """

    text: str
    perform: Callable[[], int | None]
    failed: Callable[[], None] | None = None
    shortened: Callable[[int], Action] | None = None


class Place(NamedTuple):
    """A name in a recorded folder."""

    folder: int
    name: str


class Scene:
    """One recording in progress."""

    def __init__(self, architecture: Architecture, root: str) -> None:
        self.numbers = architecture.numbers
        self.root = root
        self.listener = -1
        self.ledger = Ledger()
        self.maps = SharedMaps(self.ledger)
        self.synced_outside: dict[Identity, Stamp] = {}
        self.mapped: set[Identity] = set()
        self.stdout: StandardOutput | None = None
        self.notes: dict[str, None] = {}
        self.device = 0
        self._folder = -1
        self.inheriting: set[int] = set()

    def start(self) -> dict[int, Node]:
        """Read what is there before the program starts.

        Raises:
            OSError: it cannot be read.
            RecordingRefused: it is too much to hold.
        """
        tree = read_tree(self.root, self.ledger.number)
        self._folder = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self.device = os.fstat(self._folder).st_dev
        self.ledger.start(tree)
        if self.ledger.devices() != {self.device}:
            self.notes[SEVERAL_FILESYSTEMS] = None
        for inode, node in tree.items():
            if any(name == "system.posix_acl_default" for name, _ in node.xattrs):
                self.inheriting.add(inode)
        return tree

    def close(self) -> bool:
        """Let go of everything; False if stdout was written to behind our back."""
        self.maps.close()
        if self._folder >= 0:
            os.close(self._folder)
            self._folder = -1
        self.ledger.close()
        return self.stdout.finish() if self.stdout is not None else True

    def inode(self, found: os.stat_result) -> int | None:
        """Return the number of a recorded inode."""
        return self.ledger.find(identity(found))

    def file(self, descriptor: int) -> int | None:
        """Return the number of the recorded regular file behind our descriptor."""
        found = os.fstat(descriptor)
        return self.inode(found) if stat.S_ISREG(found.st_mode) else None

    def place(self, trap: Trap, at: int) -> Place | None:
        """Return the recorded folder and name that a path argument ends in; None: elsewhere.

        Raises:
            OSError: its folder is not there.
        """
        path = trap.string(at)
        stripped = path.rstrip(b"/")
        head, _, name = stripped.rpartition(b"/")
        if not name:
            return None
        if not head:
            head = b"/" if stripped.startswith(b"/") else b"."
        return self._named(trap.look_at_folder(at, head), name)

    def place_at(self, folder: int, name: bytes) -> Place | None:
        """Return the recorded folder behind our descriptor, and a name in it; None: elsewhere."""
        return self._named(os.fstat(folder), name)

    def _named(self, found: os.stat_result, name: bytes) -> Place | None:
        folder = self.inode(found)
        if folder is None:
            return None
        if folder not in self.ledger.names:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        return Place(folder, os.fsdecode(name))

    def execute(self, trap: Trap) -> int:
        """Carry a call out.

        Raises:
            OSError: as the kernel answered.
        """
        return trap.execute(self.numbers[trap.name])

    def sync(self, trap: Trap) -> int:
        """Carry `sync` out where the recorded folder is: that of the machine may take minutes.

        Raises:
            OSError: as the kernel answered.
        """
        if self.ledger.devices() == {self.device}:
            return kernel.syscall(self.numbers["syncfs"], self._folder)
        return self.execute(trap)

    def label(self, inode: int) -> str:
        """Return how a report names an inode."""
        return repr(self.ledger.path_of(inode))

    def entry_label(self, place: Place) -> str:
        """Return how a report names a name."""
        return repr(self.ledger.entry_path(place.folder, place.name))
