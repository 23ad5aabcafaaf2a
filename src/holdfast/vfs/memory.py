"""A complete filesystem in memory that can lose its power, at least as harsh as any real one.

Every change is written down as one of `operations`; `crash_states` gives a new filesystem for each
tree that `model` allows after a crash, and `crash` one of them. What is not kept: permissions are
recorded and never enforced (as for root), and there are no access times and no default ACLs. Safe
for threads. Locks, open files and open folders can be counted: `leftovers` is empty when all was
closed.
"""

from __future__ import annotations

import errno
import os
from itertools import count
from typing import TYPE_CHECKING, TypeAlias

from holdfast.vfs.api import Holder, Promises
from holdfast.vfs.clock import CLOCK
from holdfast.vfs.memory_core import LINKS_FOLLOWED_MAX, Core, failure, parts_of
from holdfast.vfs.memory_file import MemoryFile
from holdfast.vfs.memory_folder import MemoryFolder
from holdfast.vfs.operations import ROOT, Link, MakeFolder, Mark, Node
from holdfast.vfs.states import crash_state, crash_states

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from typing_extensions import Unpack

    from holdfast.vfs import api
    from holdfast.vfs.api import Stat
    from holdfast.vfs.clock import Clock
    from holdfast.vfs.memory_core import Inode
    from holdfast.vfs.operations import Kind, Tree
    from holdfast.vfs.states import CrashOptions, CrashState, CrashStates

__all__ = ["Contents", "CrashedDisks", "MemoryVFS"]

Contents: TypeAlias = "bytes | str | None"
"""Of a path: the bytes of a file, `-> target` of a symlink, None for a folder."""

_EMPTY: Tree = {ROOT: Node("folder", 0o755)}
_boots = count(1)
_PROMISES = Promises("memory", True, True, True, False, ())


class MemoryVFS:
    """A filesystem in memory; `/` is its top and the folder that relative paths start from."""

    def __init__(
        self,
        tree: Tree = _EMPTY,
        *,
        clock: Clock = CLOCK,
        seed: int = 0,
        capacity_bytes: int | None = None,
        unnamed_files: bool = True,
    ) -> None:
        self.core = Core(tree, clock=clock, capacity_bytes=capacity_bytes)
        self.core.unnamed_files = unnamed_files
        self.crash_state: CrashState | None = None
        self.place = _PROMISES
        self._boot = f"memory-{next(_boots)}"
        self._seed = seed
        self._tokens = 0

    def folder(self, path: str, *, readable: bool = False) -> MemoryFolder:
        """Open a folder."""
        with self.core.guard:
            _, _, inode = self.core.walk(self.core.root, path or ".", follow=True)
            if inode is None:
                raise failure(errno.ENOENT, path)
            if inode.kind != "folder":
                raise failure(errno.ENOTDIR, path)
            return MemoryFolder(self.core, inode, path or ".")

    def stat(self, path: str) -> Stat:
        """Describe what a path leads to."""
        with self.core.guard:
            inode = self.core.walk(self.core.root, path, follow=True)[2]
            if inode is None:
                raise failure(errno.ENOENT, path)
            return self.core.stat(inode)

    def resolve(self, path: str) -> str:
        """Follow every symlink; what is missing stays as it is written."""
        todo, done, hops = parts_of(path)[::-1], list[str](), 0
        with self.core.guard:
            while todo:
                name = todo.pop()
                if name == "..":
                    del done[-1:]
                    continue
                inode = self._peek("/" + "/".join([*done, name]))
                if inode is None or inode.kind != "symlink":
                    done.append(name)
                    continue
                target = os.fsdecode(bytes(inode.data))
                done = [] if target.startswith("/") else done
                todo += parts_of(target)[::-1]
                hops += 1
                if hops > LINKS_FOLLOWED_MAX:
                    raise failure(errno.ELOOP, path)
        return "/" + "/".join(done)

    def _peek(self, path: str) -> Inode | None:
        try:
            return self.core.walk(self.core.root, path, follow=False)[2]
        except OSError:
            return None

    def token(self) -> str:
        """Return 16 hexadecimal digits: the seed, and a count."""
        with self.core.guard:
            self._tokens += 1
            return f"{self._seed & 0xFFFFFFFF:08x}{self._tokens:08x}"

    def holder(self, file: api.File) -> Holder | None:
        """Name this process if anybody holds the lock."""
        with self.core.guard:
            flock = file.description.inode.flock if isinstance(file, MemoryFile) else None
            return Holder(os.getpid(), "memory", "memory") if flock and flock.holders else None

    def announce(self, file: api.File) -> None:
        """Write nothing: `holder` knows."""

    def fine_stamps(self, path: str, device: int) -> bool:
        """Return what `core.fine_stamps` says, which a test may set."""
        return self.core.fine_stamps

    def boot(self) -> str:
        """Return a name that no other filesystem in memory has: a crash leaves another one."""
        return self._boot

    def promises(self, path: str) -> Promises:
        """Return `place`, which a test may set."""
        return self.place

    # What tests say to it.

    def write_tree(self, contents: Mapping[str, Contents]) -> None:
        """Make files, symlinks, folders and those above them; all of the disk is durable then."""
        for path, value in contents.items():
            if value is None:
                self._folders(parts_of(path))
            elif isinstance(value, str):
                self.make_node(path, "symlink", target=value.removeprefix("-> "))
            else:
                with self.core.guard:
                    inode = self.make_node(path, "file")
                    inode.data = value
                    self.core.used_bytes += len(value)
        self.settle()

    def make_node(
        self, path: str, kind: Kind, *, permissions: int = 0o666, target: str = ""
    ) -> Inode:
        """Make a symlink, FIFO, device or empty file, with the folders above it."""
        with self.core.guard:
            *above, name = parts_of(path)
            here = self._folders(above)
            if name in here.entries:
                raise failure(errno.EEXIST, path)
            inode = self.core.create(kind, permissions, data=os.fsencode(target))
            here.entries[name] = inode.number
            inode.links, inode.parent = 1, here
            self.core.record(Link(here.number, name, inode.number))
            return inode

    def _folders(self, names: list[str]) -> Inode:
        here = self.core.root
        for name in names:
            if name not in here.entries:
                inode, node = self.core.make("folder", 0o777)
                here.entries[name] = inode.number
                inode.links, inode.parent = 1, here
                self.core.record(MakeFolder(here.number, name, inode.number, node))
            here = self.core.inodes[here.entries[name]]
        return here

    def tree(self) -> dict[str, Contents]:
        """Return all paths and what is there: what `write_tree` would take.

        Special files are `(kind)`.
        """
        with self.core.guard:
            return dict(sorted(self._below(self.core.root, "")))

    def _below(self, folder: Inode, prefix: str) -> Iterator[tuple[str, Contents]]:
        for name, number in folder.entries.items():
            inode, path = self.core.inodes[number], prefix + name
            if inode.kind == "folder":
                yield path, None
                yield from self._below(inode, path + "/")
            elif inode.kind == "file":
                yield path, bytes(inode.data)
            elif inode.kind == "symlink":
                yield path, "-> " + os.fsdecode(bytes(inode.data))
            else:
                yield path, f"({inode.kind})"

    def mark(self, text: str) -> None:
        """Note in the history that the program has told somebody something."""
        with self.core.guard:
            self.core.record(Mark(text))

    def settle(self) -> None:
        """Make the disk durable as it is, and forget its history."""
        with self.core.guard:
            self.core.initial = self.core.freeze()
            self.core.operations.clear()

    # What a crash leaves.

    def crash_states(self, **options: Unpack[CrashOptions]) -> CrashedDisks:
        """Return a disk for each state that a crash, at any point of the history, may leave.

        Args:
            **options: `at`, `model`, `block_bytes`, `garbage`, `limit` and `seed` of
            `states.crash_states`.
        """
        with self.core.guard:
            history = list(self.core.operations)
        return CrashedDisks(self, crash_states(self.core.initial, history, **options))

    def crash(self, *, at: int | None = None, seed: int | None = None) -> MemoryVFS:
        """Return the disk after a power cut: nothing unsynced survived or, with a seed, some of it.

        Args:
            at: how many operations had been done; None: all of them.
            seed: chooses the survivors.
        """
        with self.core.guard:
            history = self.core.operations[:at]
        return self.after(crash_state(self.core.initial, history, seed=seed))

    def after(self, state: CrashState) -> MemoryVFS:
        """Return the disk of one state, with the settings of this one."""
        core = self.core
        disk = MemoryVFS(
            state.tree,
            clock=core.clock,
            seed=self._seed + 1,
            capacity_bytes=core.capacity_bytes,
            unnamed_files=core.unnamed_files,
        )
        disk.core.umask, disk.core.privileged = core.umask, core.privileged
        disk.core.fine_stamps = core.fine_stamps
        disk.crash_state, disk.place = state, self.place
        return disk

    # What was not given back.

    @property
    def open_files(self) -> list[str]:
        """The paths of the open files, by open file description."""
        with self.core.guard:
            return [description.path for description in self.core.descriptions]

    @property
    def open_folders(self) -> list[str]:
        """The paths of the open folders."""
        with self.core.guard:
            return list(self.core.folders.values())

    @property
    def held_locks(self) -> list[str]:
        """The paths of the locks that are held."""
        with self.core.guard:
            return [path for path, _ in self.core.held_locks()]

    def leftovers(self) -> list[str]:
        """Say what is open or locked, and what was closed only because the collector found it."""
        with self.core.guard:
            return [
                *(f"open file: {path}" for path in self.open_files),
                *(f"open folder: {path}" for path in self.open_folders),
                *(f"held lock: {path}" for path in self.held_locks),
                *(f"never closed: {path}" for path in self.core.collected),
            ]


class CrashedDisks:
    """The disks; once iterated, `states` counts them and `exhaustive` says whether that is all."""

    def __init__(self, disk: MemoryVFS, states: CrashStates) -> None:
        self._disk = disk
        self._states = states

    @property
    def states(self) -> int:
        """How many disks were given."""
        return self._states.states

    @property
    def exhaustive(self) -> bool:
        """Whether no legal state was left out."""
        return self._states.exhaustive

    def __iter__(self) -> Iterator[MemoryVFS]:
        return (self._disk.after(state) for state in self._states)
