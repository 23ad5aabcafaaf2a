"""Makes single files, folders, symlinks and FIFOs exactly as a node says, in a scratch folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdfast.vfs.operations import Node

__all__ = ["Maker"]

_LONG_AGO_NS = 1_000_000_000 * 10**9  # any real change is later
_STEP_NS = 1000


class Maker:
    """Makes what is asked for below `folder`, by paths that were checked; notes what it cannot."""

    access_ns = 0
    """The time of access of all that is made: so early that a look at it moves it (`relatime`)."""

    def __init__(self, folder: str) -> None:
        self.notes: set[str] = set()
        self._folder = folder
        self._serial = 0
        self._privileged = os.geteuid() == 0
        self._owner = (os.geteuid(), os.getegid())

    def next_ns(self) -> int:
        """Return a time of modification that nothing else here has."""
        self._serial += 1
        return _LONG_AGO_NS + self._serial * _STEP_NS

    def date(self, path: str) -> None:
        """Give the path a time of its own."""
        os.utime(self._path(path), ns=(self.access_ns, self.next_ns()), follow_symlinks=False)

    def link(self, first: str, path: str) -> None:
        """Make a second name."""
        os.link(self._path(first), self._path(path), follow_symlinks=False)

    def make(self, path: str, node: Node) -> bool:
        """Make what the node says; False if this kind is left out."""
        full = self._path(path)
        if node.kind == "file":
            self._make_file(full, node)
            return True
        if node.kind == "folder":
            os.mkdir(full, 0o700)
        elif node.kind == "symlink":
            os.symlink(os.fsdecode(node.data), full)
        elif node.kind == "fifo":
            os.mkfifo(full, 0o600)
        else:
            self.notes.add(f"device nodes are left out ({path})")
            return False
        self.set_attributes(path, node)
        if node.kind != "folder":  # a folder is dated when it is full
            self.date(path)
        return True

    def _make_file(self, full: str, node: Node) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.open(full, flags, 0o600)
        try:
            todo = memoryview(node.data)
            while todo:
                todo = todo[os.write(file, todo) :]
            self._set(file, node)
            os.utime(file, ns=(self.access_ns, self.next_ns()))
        finally:
            os.close(file)

    def set_attributes(self, path: str, node: Node) -> None:
        """Set owner, mode and extended attributes; those of a symlink are its owner alone."""
        full = self._path(path)
        if node.kind == "symlink":
            self._set_owner(full, node)
        else:
            self._set(full, node)

    def _set(self, target: int | str, node: Node) -> None:
        self._set_owner(target, node)
        mode = node.mode & 0o7777
        if node.kind == "folder" and not self._privileged and mode & 0o700 != 0o700:
            mode |= 0o700
            self.notes.add("folders that their owner may not search are opened up")
        os.chmod(target, mode)
        if node.xattrs or node.kind == "folder":
            self._set_xattrs(target, node)

    def _set_owner(self, target: int | str, node: Node) -> None:
        owner = (node.uid, node.gid)
        if owner == self._owner:
            return
        if not self._privileged:
            self.notes.add("owners are left out: this needs root")
        elif isinstance(target, int):
            os.chown(target, *owner)
        else:
            os.chown(target, *owner, follow_symlinks=False)

    def _set_xattrs(self, target: int | str, node: Node) -> None:
        wanted = dict(node.xattrs)
        try:
            for name in set(os.listxattr(target)) - set(wanted):
                os.removexattr(target, name)
        except OSError:
            pass  # what the filesystem itself keeps there
        for name, value in wanted.items():
            try:
                os.setxattr(target, name, value)
            except OSError as error:
                self.notes.add(f"the attribute {name} is left out: {error.strerror}")

    def _path(self, path: str) -> str:
        return f"{self._folder}/{path}" if path else self._folder
