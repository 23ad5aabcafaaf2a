"""The system on POSIX: descriptors, `openat` and its family, `flock`. Linux and macOS add to it.

Weaknesses, by the documents of the systems: extended attributes are kept on Linux only (macOS: see
`darwin`); a FIFO or device is never opened for writing; a filesystem that cannot sync a folder is
told by `promises`, and `Folder.sync` is silent there.
"""

from __future__ import annotations

import errno
import fcntl
import os
from itertools import count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Buffer

    from holdfast.vfs import api
    from holdfast.vfs.open_file_locks import OpenFileLocks

__all__ = ["PosixFile", "PosixFolder", "PosixVFS"]

_FLAGS = {
    # O_NONBLOCK: opening a FIFO must not hang; on a regular file it means nothing.
    "read": os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY,
    "write": os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY,
    "create": os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY,
    "new": os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC,
}
# No process can have this one, so the kernel answers EBADF. With -1, Python raises ValueError in
# some calls, and lists the current folder in another.
_CLOSED = 2**31 - 1
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# Linux: a descriptor for looking up names, for which the folder need not be readable.
_SEARCH: int = getattr(os, "O_PATH", 0) and os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
_EXCLUSIVE, _SHARED, _NOW = fcntl.LOCK_EX, fcntl.LOCK_SH, fcntl.LOCK_NB
_RANGE_EXCLUSIVE, _RANGE_SHARED, _RANGE_NONE = fcntl.F_WRLCK, fcntl.F_RDLCK, fcntl.F_UNLCK
# "This filesystem cannot sync a folder": reported by promises(). Anything else is an error.
_NO_FOLDER_SYNC = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})


class _Descriptor:
    """What is closed once, by its owner or else when it is collected."""

    __slots__ = ("_fd",)

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def close(self) -> None:
        """Close; the descriptor is gone even when this raises (never retry)."""
        fd, self._fd = self._fd, _CLOSED
        if fd != _CLOSED:
            os.close(fd)

    def __del__(self) -> None:
        try:
            if self._fd != _CLOSED:
                self.close()
        except AttributeError:
            pass  # interrupted before it had one


class PosixFile(_Descriptor):
    """An open file description of the system."""

    __slots__ = ()
    range_locks: OpenFileLocks | None = None

    def fileno(self) -> int:
        """Return the descriptor.

        Raises:
            OSError: EBADF after `close`.
        """
        if self._fd == _CLOSED:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return self._fd

    def read(self, size: int, *, offset: int | None = None) -> bytes:
        """Read at most `size` bytes."""
        return os.read(self._fd, size) if offset is None else os.pread(self._fd, size, offset)

    def write(self, data: Buffer, *, offset: int | None = None) -> int:
        """Write; the count may be short."""
        if offset is None:
            return os.write(self._fd, data)
        return os.pwrite(self._fd, data, offset)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move the position."""
        return os.lseek(self._fd, offset, whence)

    def truncate(self, size: int) -> None:
        """Cut or extend to `size` bytes."""
        os.ftruncate(self._fd, size)

    def stat(self) -> os.stat_result:
        """Describe the file."""
        return os.fstat(self._fd)

    def sync(self) -> None:
        """Sync contents, size and attributes."""
        os.fsync(self._fd)

    def sync_data(self) -> None:
        """Sync contents and size, and the rest with them."""
        self.sync()

    def start_writeback(self) -> None:
        """No such hint here."""

    def drop_cache(self) -> None:
        """No such hint here."""

    def words(self, count: int) -> api.Words:
        """Return words that are mapped where no store can fail.

        Raises:
            OSError: EINVAL if the file is no regular one or has fewer bytes.
        """
        if self._stores_in_place():
            from holdfast.vfs.words import mapped_words

            return mapped_words(self._fd, count)
        from holdfast.vfs.called_words import called_words

        return called_words(self._fd, count)

    def _stores_in_place(self) -> bool:
        """Whether a store into a mapping of what is on the disk can always be carried out."""
        return False

    def set_attributes(
        self, *, mode: int, owner: tuple[int, int] | None, xattrs: Mapping[str, bytes]
    ) -> None:
        """Set owner, extended attributes and mode, in this order."""
        if owner is not None and not self._set_owner(owner):
            from holdfast.vfs.ownership import narrowed

            info = os.fstat(self._fd)
            uid_kept, gid_kept = info.st_uid == owner[0], info.st_gid == owner[1]
            mode, xattrs = narrowed(mode, xattrs, uid_kept=uid_kept, gid_kept=gid_kept)
        self._set_xattrs(xattrs)
        os.fchmod(self._fd, mode & 0o7777)

    def _set_owner(self, owner: tuple[int, int]) -> bool:
        """Set owner and group, or the group alone; False if it has another owner or group now."""
        for uid, gid in (owner, (-1, owner[1])):
            try:
                os.fchown(self._fd, uid, gid)
            except PermissionError:
                continue
            return uid != -1
        return False

    def _set_xattrs(self, xattrs: Mapping[str, bytes]) -> None:
        """No extended attributes here."""

    def lock(self, *, shared: bool = False, block: bool = True) -> bool:
        """Take the `flock`; False if it is busy and `block` is off."""
        operation = _SHARED if shared else _EXCLUSIVE
        try:
            fcntl.flock(self._fd, operation if block else operation | _NOW)
        except BlockingIOError:
            return False
        return True

    def unlock(self) -> None:
        """Give the `flock` back."""
        fcntl.flock(self._fd, fcntl.LOCK_UN)

    def lock_range(
        self, start: int, size: int, *, shared: bool = False, block: bool = True
    ) -> bool:
        """Lock bytes; False if any is busy and `block` is off."""
        calls = self.range_locks or _no_range_locks()
        request = calls.requests[_RANGE_SHARED if shared else _RANGE_EXCLUSIVE, start, size]
        try:
            calls.control(self._fd, calls.wait if block else calls.attempt, request)
        except (BlockingIOError, PermissionError):  # POSIX lets a system say either
            if block:
                raise
            return False
        return True

    def unlock_range(self, start: int, size: int) -> None:
        """Give bytes back."""
        calls = self.range_locks or _no_range_locks()
        calls.control(self._fd, calls.attempt, calls.requests[_RANGE_NONE, start, size])

    def duplicate(self) -> PosixFile:
        """Return another descriptor of the same description."""
        return type(self)(os.dup(self._fd))


class PosixFolder(_Descriptor):
    """A descriptor of a folder; every call is the `…at` form."""

    __slots__ = ("path",)
    file_type: type[PosixFile] = PosixFile

    def __init__(self, path: str, fd: int) -> None:
        self._fd = fd
        self.path = path

    def open(self, name: str, mode: api.OpenMode, *, permissions: int = 0o666) -> PosixFile:
        """Open a file of this folder."""
        return self.file_type(os.open(name, _FLAGS[mode], permissions, dir_fd=self._fd))

    def open_unnamed(self, *, permissions: int = 0o666) -> PosixFile:
        """There are no unnamed files here.

        Raises:
            OSError: EOPNOTSUPP, always; nothing was made.
        """
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP), self.path)

    def link(self, source: api.File | str, name: str) -> None:
        """Give a file of this folder, or an unnamed one, a name."""
        here, follow = self._fd, not isinstance(source, str)
        if not isinstance(source, str):
            # CPython calls link(2), which refuses /proc/self/fd with EXDEV, unless it has a dir_fd.
            source = f"/proc/self/fd/{source.fileno()}"
        os.link(source, name, src_dir_fd=here, dst_dir_fd=here, follow_symlinks=follow)

    def rename(self, old: str, new: str, *, source: api.Folder | None = None) -> None:
        """Rename into this folder, replacing.

        Raises:
            OSError: EXDEV for a source folder of another filesystem, or of another kind of it.
        """
        here = origin = self._fd
        if source is not None:
            if not isinstance(source, PosixFolder):
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), old, None, new)
            origin = source._fd  # noqa: SLF001 (another object of this very class)
        os.rename(old, new, src_dir_fd=origin, dst_dir_fd=here)

    def unlink(self, name: str) -> None:
        """Remove a name."""
        os.unlink(name, dir_fd=self._fd)

    def mkdir(self, name: str, *, permissions: int = 0o777) -> None:
        """Make a folder."""
        os.mkdir(name, permissions, dir_fd=self._fd)

    def rmdir(self, name: str) -> None:
        """Remove an empty folder."""
        os.rmdir(name, dir_fd=self._fd)

    def stat(self, name: str) -> os.stat_result:
        """Describe a name, not followed."""
        return os.stat(name, dir_fd=self._fd, follow_symlinks=False)

    def xattrs(self, name: str) -> dict[str, bytes]:
        """There are none here."""
        return {}

    def names(self) -> list[str]:
        """List the names."""
        try:
            os.lseek(self._fd, 0, os.SEEK_SET)  # btrfs lists what there was at the last rewind
            return os.listdir(self._fd)
        except OSError as error:
            if error.errno != errno.EBADF:
                raise
        fd = os.open(os.curdir, _FOLDER, dir_fd=self._fd)  # opened for looking up names alone
        try:
            return os.listdir(fd)
        finally:
            os.close(fd)

    def sync(self) -> None:
        """Sync the names; silent where the filesystem cannot."""
        try:
            self._sync_names()
        except OSError as error:
            if error.errno not in _NO_FOLDER_SYNC:
                raise

    def _sync_names(self) -> None:
        try:
            return os.fsync(self._fd)
        except OSError as error:
            if error.errno != errno.EBADF:
                raise
        fd = os.open(os.curdir, _FOLDER, dir_fd=self._fd)  # opened for looking up names alone
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


class PosixVFS:
    """The filesystems of this machine."""

    folder_type: type[PosixFolder] = PosixFolder

    def __init__(self) -> None:
        self._prefix = ""
        self._count = count(1)  # one C call: no two threads get the same number
        self._renew()
        os.register_at_fork(after_in_child=self._renew)

    def _renew(self) -> None:
        self._prefix = os.urandom(5).hex()

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def folder(self, path: str, *, readable: bool = False) -> PosixFolder:
        """Open a folder."""
        path = path or os.curdir
        try:
            fd = os.open(path, _FOLDER)
        except PermissionError as error:
            if readable or not _SEARCH:
                raise
            fd = _open_to_search(path, error)
        return self.folder_type(path, fd)

    def stat(self, path: str) -> os.stat_result:
        """Describe what a path leads to."""
        return os.stat(path)

    def resolve(self, path: str) -> str:
        """Follow every symlink; the last part may be missing.

        The kernel goes first: it may forbid to follow a symlink that another user has planted.

        Raises:
            OSError: ELOOP for a loop of symlinks; EACCES for one that must not be followed.
        """
        try:
            os.stat(path)
        except FileNotFoundError:
            pass
        return os.path.realpath(path)

    def token(self) -> str:
        """Return 16 hexadecimal digits: ten drawn once a process, six counted."""
        # The digit on top keeps the zeros; a format would do, at half as much again.
        return self._prefix + hex(next(self._count) & 0xFFFFFF | 0x1000000)[3:]

    def holder(self, file: api.File) -> api.Holder | None:
        """Nobody tells here."""
        return None

    def announce(self, file: api.File) -> None:
        """Write nothing."""

    def fine_stamps(self, path: str, device: int) -> bool:
        """Return False: no promise of other systems is known."""
        return False

    def boot(self) -> str:
        """Return nothing: nobody tells here."""
        return ""

    def promises(self, path: str) -> api.Promises:
        """Nothing is known here."""
        from holdfast.vfs.api import Promises

        weaknesses = ("this system does not say what is mounted",)
        return Promises("unknown", True, True, True, False, weaknesses)


def _no_range_locks() -> OpenFileLocks:
    from holdfast.vfs.open_file_locks import unsupported

    raise unsupported()


def _open_to_search(path: str, error: PermissionError) -> int:
    """Open a folder for looking up its names; `error` if not even that is allowed."""
    fd = os.open(path, _SEARCH)
    try:
        os.stat(os.curdir, dir_fd=fd)
    except BaseException:
        os.close(fd)
        raise error from None
    return fd
