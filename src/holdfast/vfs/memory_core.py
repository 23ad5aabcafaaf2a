"""The parts of the memory filesystem: inodes, descriptions, `flock`, the history."""

from __future__ import annotations

import errno
import os
import stat
from collections import deque
from threading import Condition, RLock
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.vfs.memory_ranges import RangeLock
from holdfast.vfs.operations import ROOT, Create, Node, Operation, Tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.vfs.clock import Clock
    from holdfast.vfs.operations import Kind

LINKS_FOLLOWED_MAX = 40
__all__ = ["LINKS_FOLLOWED_MAX", "Core", "Description", "Flock", "Inode", "MemoryStat", "failure"]

_TYPE_BITS: Final[dict[Kind, int]] = {
    "file": stat.S_IFREG,
    "folder": stat.S_IFDIR,
    "symlink": stat.S_IFLNK,
    "fifo": stat.S_IFIFO,
    "character": stat.S_IFCHR,
    "block": stat.S_IFBLK,
}


def failure(number: int, *names: str) -> OSError:
    """Make the error that the kernel would give, with one or two names."""
    if len(names) == 2:
        return OSError(number, os.strerror(number), names[0], None, names[1])
    return OSError(number, os.strerror(number), *names)


class MemoryStat(NamedTuple):
    """What `stat` returns."""

    st_mode: int
    st_ino: int
    st_dev: int
    st_nlink: int
    st_uid: int
    st_gid: int
    st_size: int
    st_mtime_ns: int
    st_ctime_ns: int


class Inode:
    """A file, folder, symlink or special file.

    `data` are shared with other disks until the first write.
    """

    __slots__ = (
        *("kind", "mode", "uid", "gid", "data", "xattrs", "entries", "mtime_ns", "ctime_ns"),
        *("flock", "linkable", "links", "number", "opens", "parent", "ranges", "words"),
    )

    def __init__(self, number: int, node: Node, *, now_ns: int) -> None:
        self.number = number
        self.kind: Kind = node.kind
        self.mode, self.uid, self.gid = node.mode, node.uid, node.gid
        self.data: bytes | bytearray = node.data
        self.xattrs = dict(node.xattrs)
        self.entries = dict(node.entries)
        self.links = 0
        self.linkable = False
        self.opens = 0
        self.parent = self
        self.flock: Flock | None = None
        self.ranges: RangeLock | None = None
        self.words: list[int] = []
        self.mtime_ns = self.ctime_ns = now_ns

    def freeze(self) -> Node:
        """Return it at rest."""
        xattrs, entries = tuple(sorted(self.xattrs.items())), tuple(sorted(self.entries.items()))
        return Node(self.kind, self.mode, self.uid, self.gid, bytes(self.data), xattrs, entries)

    def buffer(self) -> bytearray:
        """Return the contents for writing."""
        if isinstance(self.data, bytes):
            self.data = bytearray(self.data)
        return self.data


class Description:
    """An open file description: what `duplicate` shares."""

    __slots__ = ("inode", "path", "position", "references", "writable")

    def __init__(self, inode: Inode, path: str, *, writable: bool) -> None:
        self.inode = inode
        self.path = path
        self.writable = writable
        self.position = 0
        self.references = 1


class _Waiter:
    __slots__ = ("description", "granted", "shared", "turn")

    def __init__(self, description: Description, *, shared: bool, guard: RLock) -> None:
        self.description = description
        self.shared = shared
        self.turn = Condition(guard)
        self.granted = False


class Flock:
    """The whole-file lock of one inode, as the kernel has it: waiters are served in order.

    A conversion gives the old lock back first, so one that fails or waits has lost it (flock(2)).
    """

    def __init__(self, guard: RLock) -> None:
        self._guard = guard
        self.holders: dict[Description, bool] = {}
        self.waiting: deque[_Waiter] = deque()

    def take(self, description: Description, *, shared: bool, block: bool) -> bool:
        """Take it; the guard is held. False if it is busy and `block` is off."""
        if self.holders.get(description) is shared:
            return True
        self.holders.pop(description, None)
        if self._compatible(shared=shared):
            self.holders[description] = shared
            self._serve()
            return True
        self._serve()
        return block and self._wait(_Waiter(description, shared=shared, guard=self._guard))

    def _wait(self, waiter: _Waiter) -> bool:
        self.waiting.append(waiter)
        try:
            while waiter in self.waiting:
                waiter.turn.wait()
        except BaseException:
            self._forget(waiter)
            raise
        if not waiter.granted:
            raise failure(errno.EBADF)
        return True

    def drop(self, description: Description) -> None:
        """Give it back, if it is held; the guard is held."""
        if self.holders.pop(description, None) is not None:
            self._serve()

    def abandon(self, description: Description) -> None:
        """The last descriptor was closed: drop the lock and send waiters on it away."""
        self.drop(description)
        for waiter in [waiter for waiter in self.waiting if waiter.description is description]:
            self._forget(waiter)
            waiter.turn.notify_all()

    def _forget(self, waiter: _Waiter) -> None:
        if waiter in self.waiting:
            self.waiting.remove(waiter)
            self._serve()
        elif waiter.granted:
            self.drop(waiter.description)

    def _compatible(self, *, shared: bool) -> bool:
        return not self.holders or (shared and all(self.holders.values()))

    def _serve(self) -> None:
        while self.waiting and self._compatible(shared=self.waiting[0].shared):
            waiter = self.waiting.popleft()
            self.holders[waiter.description] = waiter.shared
            waiter.granted = True
            waiter.turn.notify_all()


class Core:
    """The kernel of one memory filesystem: the inodes, who has them open, and what was done."""

    def __init__(self, tree: Tree, *, clock: Clock, capacity_bytes: int | None) -> None:
        self.guard = RLock()
        self.clock = clock
        self.umask = 0o022
        self.privileged = True
        self.unnamed_files = True
        self.fine_stamps = True
        self.capacity_bytes = capacity_bytes
        self.recording = True
        self.operations: list[Operation] = []
        self.descriptions: dict[Description, None] = {}
        self.folders: dict[int, str] = {}
        self.collected: list[str] = []
        self.inodes: dict[int, Inode] = {}
        self._stamp_ns = 0
        self._load(tree)

    def _load(self, tree: Tree) -> None:
        now_ns = self.clock.now_ns()
        self.inodes = {number: Inode(number, node, now_ns=now_ns) for number, node in tree.items()}
        self.initial = tree
        self.used_bytes = 0
        self._last_number = max(tree)
        for inode in self.inodes.values():
            self.used_bytes += len(inode.data)
            for number in inode.entries.values():
                self.inodes[number].links += 1
                self.inodes[number].parent = inode
        self.root.links = 1

    @property
    def root(self) -> Inode:
        """The top folder."""
        return self.inodes[ROOT]

    def walk(self, start: Inode, path: str, *, follow: bool) -> tuple[Inode, str, Inode | None]:
        """Find a path: the folder and the name that it ends in, and the inode or None.

        Raises:
            OSError: ENOENT, ENOTDIR or ELOOP, with the path as its filename.
        """
        here = self.root if path.startswith("/") else start
        todo, hops = parts_of(path)[::-1], 0
        while todo:
            name = todo.pop()
            if here.kind != "folder":
                raise failure(errno.ENOTDIR, path)
            if name == "..":
                here = here.parent
                continue
            inode = self.inodes.get(here.entries.get(name, 0))
            if inode is not None and inode.kind == "symlink" and (todo or follow):
                hops += 1
                target = os.fsdecode(bytes(inode.data))
                here = self.root if target.startswith("/") else here
                todo += parts_of(target)[::-1]
            elif not todo:
                return here, name, inode
            elif inode is not None:
                here = inode
            else:
                raise failure(errno.ENOENT, path)
            if hops > LINKS_FOLLOWED_MAX:
                raise failure(errno.ELOOP, path)
        return here.parent, ".", here

    def record(self, *operations: Operation) -> None:
        """Write operations down."""
        if self.recording:
            self.operations.extend(operations)

    def freeze(self) -> dict[int, Node]:
        """Return all inodes at rest."""
        return {number: inode.freeze() for number, inode in self.inodes.items()}

    def make(self, kind: Kind, permissions: int, *, data: bytes = b"") -> tuple[Inode, Node]:
        """Make an inode, without a name and not yet written down."""
        mode = 0o777 if kind == "symlink" else permissions & 0o7777 & ~self.umask
        owner = (0, 0) if self.privileged else (1000, 1000)
        node = Node(kind, mode, *owner, data)
        self._last_number += 1
        inode = Inode(self._last_number, node, now_ns=self._now_ns())
        self.inodes[inode.number] = inode
        self.used_bytes += len(data)
        return inode, node

    def create(self, kind: Kind, permissions: int, *, data: bytes = b"") -> Inode:
        """Make an inode that is no folder, without a name."""
        inode, node = self.make(kind, permissions, data=data)
        self.record(Create(inode.number, node))
        return inode

    def _now_ns(self) -> int:
        """The time of a change, later than that of every other if stamps are fine."""
        now_ns = self.clock.now_ns()
        if self.fine_stamps:
            now_ns = max(now_ns, self._stamp_ns + 1)
        self._stamp_ns = now_ns
        return now_ns

    def touch(self, inode: Inode, *, contents: bool = True) -> None:
        """Set the times of a change."""
        inode.ctime_ns = self._now_ns()
        if contents:
            inode.mtime_ns = inode.ctime_ns

    def release(self, inode: Inode) -> None:
        """Forget an inode that has neither a name nor a descriptor."""
        if inode.links == 0 and inode.opens == 0 and inode.number in self.inodes:
            del self.inodes[inode.number]
            self.used_bytes -= len(inode.data)

    def flock_of(self, inode: Inode) -> Flock:
        """Return the lock of an inode."""
        if inode.flock is None:
            inode.flock = Flock(self.guard)
        return inode.flock

    def ranges_of(self, inode: Inode) -> RangeLock:
        """Return the locks of ranges of an inode."""
        if inode.ranges is None:
            inode.ranges = RangeLock(self.guard)
        return inode.ranges

    def held_locks(self) -> Iterator[tuple[str, bool]]:
        """The path and the kind of each lock that is held."""
        for description in self.descriptions:
            flock = description.inode.flock
            if flock is not None and (shared := flock.holders.get(description)) is not None:
                yield description.path, shared
            ranges = description.inode.ranges
            for span in () if ranges is None else ranges.holders.get(description, ()):
                yield f"{description.path} [{span.start}, {span.stop})", span.shared

    def stat(self, inode: Inode) -> MemoryStat:
        """Describe an inode."""
        folders = sum(self.inodes[number].kind == "folder" for number in inode.entries.values())
        links = inode.links + 1 + folders if inode.kind == "folder" else inode.links
        return MemoryStat(
            st_mode=_TYPE_BITS[inode.kind] | inode.mode,
            st_ino=inode.number,
            st_dev=1,
            st_nlink=links,
            st_uid=inode.uid,
            st_gid=inode.gid,
            st_size=len(inode.data),
            st_mtime_ns=inode.mtime_ns,
            st_ctime_ns=inode.ctime_ns,
        )


def parts_of(path: str) -> list[str]:
    """Split a path into its names."""
    return [part for part in path.split("/") if part not in {"", "."}]
