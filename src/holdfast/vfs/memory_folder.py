"""An open folder of the memory filesystem."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from holdfast.vfs import operations as ops
from holdfast.vfs.memory_core import Description, failure
from holdfast.vfs.memory_file import MemoryFile

if TYPE_CHECKING:
    from holdfast.vfs import api
    from holdfast.vfs.memory_core import Core, Inode, MemoryStat

__all__ = ["MemoryFolder"]

_NAME_BYTES_MAX = 255


class MemoryFolder:
    """An open folder."""

    __slots__ = ("_inode", "core", "path")

    def __init__(self, core: Core, inode: Inode, path: str) -> None:
        self.path = path
        self.core = core
        self._inode: Inode | None = inode
        inode.opens += 1
        self.core.folders[id(self)] = path

    def here(self, *names: str) -> Inode:
        """The folder, after a look at the names: each must be one component.

        Raises:
            ValueError: for a NUL byte; nothing was changed.
            OSError: for another name that cannot be, or after `close`; nothing was changed.
        """
        if self._inode is None:
            raise failure(errno.EBADF, *names)
        for name in names:
            if "\0" in name:
                raise ValueError("embedded null byte")
            if not name:
                raise failure(errno.ENOENT, *names)
            if "/" in name:
                raise failure(errno.EINVAL, *names)
            if len(os.fsencode(name)) > _NAME_BYTES_MAX:
                raise failure(errno.ENAMETOOLONG, *names)
        return self._inode

    def _find(self, name: str) -> Inode:
        here = self.here(name)
        if name in {".", ".."}:
            return here if name == "." else here.parent
        if name not in here.entries:
            raise failure(errno.ENOENT, name)
        return self.core.inodes[here.entries[name]]

    def open(self, name: str, mode: api.OpenMode, *, permissions: int = 0o666) -> MemoryFile:
        """Open a file of this folder."""
        with self.core.guard:
            here = self.here(name)
            if mode == "new":
                if name in here.entries or name in {".", ".."}:
                    raise failure(errno.EEXIST, name)
                parent, last, inode = here, name, None
            else:
                parent, last, inode = self.core.walk(here, name, follow=True)
            if inode is None:
                if mode in {"read", "write"} or parent.links == 0:
                    raise failure(errno.ENOENT, name)
                inode = self.core.create("file", permissions)
                self._enter(parent, last, inode)
                self.core.record(ops.Link(parent.number, last, inode.number))
            elif inode.kind == "folder" and mode != "read":
                raise failure(errno.EISDIR, name)
            return self._describe(inode, name, writable=mode != "read")

    def _describe(self, inode: Inode, name: str, *, writable: bool) -> MemoryFile:
        inode.opens += 1
        path = f"{self.path.rstrip('/')}/{name}"
        return MemoryFile(self.core, Description(inode, path, writable=writable))

    def open_unnamed(self, *, permissions: int = 0o666) -> MemoryFile:
        """Open a file without a name.

        Raises:
            OSError: EOPNOTSUPP if the filesystem was made without such files.
        """
        with self.core.guard:
            here = self.here()
            if not self.core.unnamed_files:
                raise failure(errno.EOPNOTSUPP, self.path)
            if here.links == 0:
                raise failure(errno.ENOENT, self.path)
            inode = self.core.create("file", permissions)
            inode.linkable = True
            return self._describe(inode, f"(unnamed {inode.number})", writable=True)

    def link(self, source: api.File | str, name: str) -> None:
        """Give a file of this folder, or an unnamed one, a name."""
        with self.core.guard:
            label = source if isinstance(source, str) else "(unnamed)"
            here = self.here(name)
            if isinstance(source, str):
                self.here(source, name)
                if source not in here.entries:
                    raise failure(errno.ENOENT, source, name)
                inode = self._find(source)
            elif isinstance(source, MemoryFile) and source.core is self.core:
                inode = source.description.inode
            else:
                raise failure(errno.EXDEV, label, name)
            if inode.links == 0 and not inode.linkable:
                raise failure(errno.ENOENT, label, name)
            if name in here.entries or name in {".", ".."}:
                raise failure(errno.EEXIST, label, name)
            if inode.kind == "folder":
                raise failure(errno.EPERM, label, name)
            if here.links == 0:
                raise failure(errno.ENOENT, label, name)
            self._enter(here, name, inode)
            self.core.record(ops.Link(here.number, name, inode.number))

    def rename(self, old: str, new: str, *, source: api.Folder | None = None) -> None:
        """Rename into this folder, replacing."""
        origin = self if source is None else source
        if not isinstance(origin, MemoryFolder) or origin.core is not self.core:
            raise failure(errno.EXDEV, old, new)
        with self.core.guard:
            here, there = self.here(old, new), origin.here(old, new)
            if old not in there.entries or here.links == 0:
                raise failure(errno.ENOENT, old, new)
            inode = self.core.inodes[there.entries[old]]
            target = self.core.inodes.get(here.entries.get(new, 0))
            if target is inode:
                return  # two names of one file: nothing happens (rename(2))
            _check_replaceable(inode, target, folders=(there, here), names=(old, new))
            del there.entries[old]
            if target is not None:
                self._leave(here, new)
            here.entries[new] = inode.number
            inode.parent = here
            for changed in (here, there):
                self.core.touch(changed)
            self.core.touch(inode, contents=False)
            self.core.record(ops.Rename(there.number, old, here.number, new))

    def _enter(self, here: Inode, name: str, inode: Inode) -> None:
        here.entries[name] = inode.number
        inode.links += 1
        inode.parent = here
        self.core.touch(here)
        self.core.touch(inode, contents=False)

    def _leave(self, here: Inode, name: str) -> None:
        inode = self.core.inodes[here.entries.pop(name)]
        inode.links -= 1
        self.core.touch(here)
        self.core.touch(inode, contents=False)
        self.core.release(inode)

    def unlink(self, name: str) -> None:
        """Remove a name."""
        with self.core.guard:
            if self._find(name).kind == "folder":
                raise failure(errno.EISDIR, name)
            here = self.here(name)
            self._leave(here, name)
            self.core.record(ops.Unlink(here.number, name))

    def mkdir(self, name: str, *, permissions: int = 0o777) -> None:
        """Make a folder."""
        with self.core.guard:
            here = self.here(name)
            if name in here.entries or name in {".", ".."}:
                raise failure(errno.EEXIST, name)
            if here.links == 0:
                raise failure(errno.ENOENT, name)
            inode, node = self.core.make("folder", permissions)
            self._enter(here, name, inode)
            self.core.record(ops.MakeFolder(here.number, name, inode.number, node))

    def rmdir(self, name: str) -> None:
        """Remove an empty folder."""
        with self.core.guard:
            inode = self._find(name)
            if inode.kind != "folder":
                raise failure(errno.ENOTDIR, name)
            if name in {".", ".."}:
                raise failure(errno.EINVAL if name == "." else errno.ENOTEMPTY, name)
            if inode.entries:
                raise failure(errno.ENOTEMPTY, name)
            here = self.here(name)
            self._leave(here, name)
            self.core.record(ops.RemoveFolder(here.number, name))

    def stat(self, name: str) -> MemoryStat:
        """Describe a name, not followed."""
        with self.core.guard:
            return self.core.stat(self._find(name))

    def xattrs(self, name: str) -> dict[str, bytes]:
        """Return the extended attributes of a name, not followed."""
        with self.core.guard:
            return dict(self._find(name).xattrs)

    def names(self) -> list[str]:
        """List the names."""
        with self.core.guard:
            return list(self.here().entries)

    def sync(self) -> None:
        """Make the names survive a crash."""
        with self.core.guard:
            self.core.record(ops.SyncFolder(self.here().number))

    def fail_sync(self) -> None:
        """Do what a failing sync does: no change made so far is covered by a later sync."""
        with self.core.guard:
            self.core.record(ops.SyncFailed(self.here().number))

    def close(self) -> None:
        """Close."""
        with self.core.guard:
            inode, self._inode = self._inode, None
            if inode is not None:
                self.core.folders.pop(id(self), None)
                inode.opens -= 1
                self.core.release(inode)

    def __del__(self) -> None:
        if self._inode is not None:
            self.core.collected.append(self.path)
            self.close()


def _check_replaceable(
    inode: Inode, target: Inode | None, *, folders: tuple[Inode, Inode], names: tuple[str, str]
) -> None:
    """Refuse what rename(2) refuses, for the same reason first."""
    there, here = folders
    if _is_above(inode, here):
        raise failure(errno.EINVAL, *names)
    if target is None:
        return
    if _is_above(target, there):
        raise failure(errno.ENOTEMPTY, *names)
    if target.kind == "folder" and inode.kind != "folder":
        raise failure(errno.EISDIR, *names)
    if target.kind != "folder" and inode.kind == "folder":
        raise failure(errno.ENOTDIR, *names)
    if target.entries:
        raise failure(errno.ENOTEMPTY, *names)


def _is_above(inode: Inode, folder: Inode) -> bool:
    """Whether the inode is the folder, or one that it lies in."""
    while folder is not inode and folder is not folder.parent:
        folder = folder.parent
    return folder is inode
