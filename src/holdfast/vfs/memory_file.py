"""An open file of the memory filesystem."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from holdfast.vfs.memory_core import Description, failure
from holdfast.vfs.memory_words import MemoryWords
from holdfast.vfs.operations import SetAttributes, SyncFailed, SyncFile, SyncFolder, Truncate, Write
from holdfast.vfs.ownership import narrowed
from holdfast.vfs.spans import Span, check_range

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Buffer

    from holdfast.vfs.memory_core import Core, Inode, MemoryStat

__all__ = ["MemoryFile"]

_PRIVILEGED = ("security.", "trusted.")


class MemoryFile:
    """A descriptor: one of the references to an open file description."""

    __slots__ = ("_description", "core")

    def __init__(self, core: Core, description: Description) -> None:
        self.core = core
        self._description: Description | None = description
        core.descriptions[description] = None

    @property
    def description(self) -> Description:
        """The open file description; EBADF after `close`."""
        if self._description is None:
            raise failure(errno.EBADF)
        return self._description

    def _writable(self, number: int) -> Description:
        description = self.description
        if not description.writable:
            raise failure(number)
        if description.inode.kind != "file":
            raise failure(errno.EINVAL)
        return description

    def fileno(self) -> int:
        """There is no descriptor of the system.

        Raises:
            OSError: EBADF, always.
        """
        raise failure(errno.EBADF)

    def read(self, size: int, *, offset: int | None = None) -> bytes:
        """Read at most `size` bytes."""
        with self.core.guard:
            description = self.description
            if description.inode.kind == "folder":
                raise failure(errno.EISDIR)
            if size < 0 or (offset is not None and offset < 0):
                raise failure(errno.EINVAL)
            start = description.position if offset is None else offset
            data = bytes(description.inode.data[start : start + size])
            if offset is None:
                description.position += len(data)
            return data

    def write(self, data: Buffer, *, offset: int | None = None) -> int:
        """Write; short when the disk fills up.

        Raises:
            OSError: ENOSPC when not one byte fits.
        """
        with self.core.guard:
            description = self._writable(errno.EBADF)
            if offset is not None and offset < 0:
                raise failure(errno.EINVAL)
            start = description.position if offset is None else offset
            piece = self._fitting(description.inode, start, bytes(memoryview(data)))
            if piece:
                self._put(description.inode, start, piece)
            if offset is None:
                description.position += len(piece)
            return len(piece)

    def _fitting(self, inode: Inode, start: int, data: bytes) -> bytes:
        """The part of the data for which there is room."""
        core = self.core
        if core.capacity_bytes is None or start + len(data) <= len(inode.data):
            return data
        free = max(core.capacity_bytes - core.used_bytes, 0)
        data = data[: max(len(inode.data) + free - start, 0)]
        if not data:
            raise failure(errno.ENOSPC)
        return data

    def _put(self, inode: Inode, start: int, data: bytes) -> None:
        buffer = inode.buffer()
        old = len(buffer)
        if old < start:
            buffer.extend(bytes(start - old))
        buffer[start : start + len(data)] = data
        self.core.used_bytes += len(buffer) - old
        self.core.touch(inode)
        self.core.record(Write(inode.number, start, data))

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move the position."""
        with self.core.guard:
            description = self.description
            base = {0: 0, 1: description.position, 2: len(description.inode.data)}.get(whence, -1)
            if base < 0 or base + offset < 0:
                raise failure(errno.EINVAL)
            description.position = base + offset
            return description.position

    def truncate(self, size: int) -> None:
        """Cut or extend to `size` bytes; the added zeros take no room."""
        with self.core.guard:
            inode = self._writable(errno.EINVAL).inode
            if size < 0:
                raise failure(errno.EINVAL)
            buffer = inode.buffer()
            old = len(buffer)
            if size < old:
                del buffer[size:]
            else:
                buffer.extend(bytes(size - old))
            self.core.used_bytes += size - old
            self.core.touch(inode)
            self.core.record(Truncate(inode.number, size))

    def stat(self) -> MemoryStat:
        """Describe the file."""
        with self.core.guard:
            return self.core.stat(self.description.inode)

    def sync(self) -> None:
        """Make contents, size and attributes survive a crash."""
        with self.core.guard:
            inode = self.description.inode
            kind = SyncFolder if inode.kind == "folder" else SyncFile
            self.core.record(kind(inode.number))

    def sync_data(self) -> None:
        """Make contents and size survive a crash."""
        with self.core.guard:
            inode = self.description.inode
            folder = inode.kind == "folder"
            self.core.record(
                SyncFolder(inode.number) if folder else SyncFile(inode.number, data_only=True)
            )

    def fail_sync(self) -> None:
        """Do what a failing sync does: nothing dirty now is covered by a later sync."""
        with self.core.guard:
            self.core.record(SyncFailed(self.description.inode.number))

    def start_writeback(self) -> None:
        """Nothing: a hint promises nothing."""

    def drop_cache(self) -> None:
        """Nothing: there is no cache."""

    def words(self, count: int) -> MemoryWords:
        """Return the words of the inode, which are no part of its contents; zeros after a crash.

        Raises:
            OSError: EINVAL if it is no file or has fewer bytes.
        """
        with self.core.guard:
            description = self.description
            inode = description.inode
            if inode.kind != "file" or count < 1 or 8 * count > len(inode.data):
                raise failure(errno.EINVAL)
            inode.words.extend([0] * (count - len(inode.words)))
            return MemoryWords(inode.words, count, writable=description.writable)

    def set_attributes(
        self, *, mode: int, owner: tuple[int, int] | None, xattrs: Mapping[str, bytes]
    ) -> None:
        """Set owner, extended attributes and mode; unprivileged, only what its owner may."""
        with self.core.guard:
            inode = self.description.inode
            privileged = self.core.privileged
            if owner is not None and owner != (inode.uid, inode.gid) and not privileged:
                uid_kept, gid_kept = owner[0] == inode.uid, owner[1] == inode.gid
                owner = None
                mode, xattrs = narrowed(mode, xattrs, uid_kept=uid_kept, gid_kept=gid_kept)
            kept = {
                key: value
                for key, value in xattrs.items()
                if privileged or not key.startswith(_PRIVILEGED)
            }
            if owner is not None:
                inode.uid, inode.gid = owner
            inode.xattrs.update(kept)
            inode.mode = mode & 0o7777
            self.core.touch(inode, contents=False)
            self.core.record(SetAttributes(inode.number, inode.mode, owner, tuple(kept.items())))

    def lock(self, *, shared: bool = False, block: bool = True) -> bool:
        """Take the lock of this description."""
        with self.core.guard:
            description = self.description
            flock = self.core.flock_of(description.inode)
            return flock.take(description, shared=shared, block=block)

    def unlock(self) -> None:
        """Give the lock back."""
        with self.core.guard:
            description = self.description
            self.core.flock_of(description.inode).drop(description)

    def lock_range(
        self, start: int, size: int, *, shared: bool = False, block: bool = True
    ) -> bool:
        """Lock bytes for this description.

        Raises:
            OSError: EBADF if it was opened to be read and `shared` is off.
        """
        with self.core.guard:
            description = self.description
            if not (shared or description.writable):
                raise failure(errno.EBADF)
            check_range(start, size)
            span = Span(start, start + size, shared)
            return self.core.ranges_of(description.inode).take(description, span, block=block)

    def unlock_range(self, start: int, size: int) -> None:
        """Give back what is held of these bytes."""
        with self.core.guard:
            description = self.description
            check_range(start, size)
            span = Span(start, start + size, shared=True)
            self.core.ranges_of(description.inode).drop(description, span)

    def duplicate(self) -> MemoryFile:
        """Return another descriptor of the same description."""
        with self.core.guard:
            self.description.references += 1
            return MemoryFile(self.core, self.description)

    def close(self) -> None:
        """Close; the last descriptor of a description gives its locks back."""
        with self.core.guard:
            description, self._description = self._description, None
            if description is None:
                return
            description.references -= 1
            if description.references == 0:
                inode = description.inode
                self.core.descriptions.pop(description, None)
                if inode.flock is not None:
                    inode.flock.abandon(description)
                if inode.ranges is not None:
                    inode.ranges.abandon(description)
                inode.opens -= 1
                self.core.release(inode)

    def __del__(self) -> None:
        if self._description is not None:
            self.core.collected.append(self._description.path)
            self.close()
