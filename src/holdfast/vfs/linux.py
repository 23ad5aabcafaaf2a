"""Linux: unnamed files, extended attributes, early write-back, `/proc` for holders and mounts."""

from __future__ import annotations

import errno
import os

from holdfast.vfs.open_file_locks import OpenFileLocks, linux_request
from holdfast.vfs.ownership import ACCESS_LIST
from holdfast.vfs.posix import PosixFile, PosixFolder, PosixVFS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from holdfast.vfs import api

__all__ = ["LinuxFile", "LinuxFolder", "LinuxVFS"]

_UNNAMED = os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC
_NO_UNNAMED = frozenset({errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL})
_LOOK = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
_NO_SUCH_NAME = frozenset({errno.ENOENT, errno.ENAMETOOLONG, errno.EBADF})
_NO_XATTRS = frozenset({errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENODATA})
# What an unprivileged owner may not set, or what another filesystem does not know, is left out.
# user.* and access lists are not among these: without its list, a file could become more open.
_PRIVILEGED = ("security.", "trusted.", "btrfs.", "system.nfs4_acl")
_CANNOT_SET = frozenset({errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EINVAL, errno.ENODATA})
_SYNC_FILE_RANGE_WRITE = 2
_OFD_SETLK, _OFD_SETLKW = 37, 38  # <linux/fcntl.h>


def _load_sync_file_range() -> Callable[[int, int, int, int], int] | None:
    import ctypes

    try:
        function = ctypes.CDLL(None, use_errno=True).sync_file_range
    except (OSError, AttributeError):
        return None
    function.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)
    loaded: Callable[[int, int, int, int], int] = function
    return loaded


class LinuxFile(PosixFile):
    """A file with extended attributes and early write-back."""

    __slots__ = ()
    range_locks = OpenFileLocks(_OFD_SETLK, _OFD_SETLKW, linux_request)
    _write_back: Callable[[int, int, int, int], int] | bool | None = False

    def sync_data(self) -> None:
        """Sync contents and size by `fdatasync(2)`."""
        os.fdatasync(self._fd)

    def start_writeback(self) -> None:
        """Start writing dirty pages by `sync_file_range(2)`; an error shows at the sync."""
        if LinuxFile._write_back is False:
            LinuxFile._write_back = _load_sync_file_range()
        if callable(LinuxFile._write_back):
            LinuxFile._write_back(self._fd, 0, 0, _SYNC_FILE_RANGE_WRITE)

    def drop_cache(self) -> None:
        """Forget clean pages by `posix_fadvise(2)`."""
        try:
            os.posix_fadvise(self._fd, 0, 0, os.POSIX_FADV_DONTNEED)
        except OSError:
            pass  # a hint: a FIFO, or closed

    def _stores_in_place(self) -> bool:
        """Ask the mount table; not for who only reads from a block device, which needs no room."""
        from fcntl import F_GETFL, fcntl

        from holdfast.vfs.mounts import stores_in_place

        device = os.fstat(self._fd).st_dev
        if os.major(device) and fcntl(self._fd, F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            return True
        return stores_in_place(device)

    def _set_xattrs(self, xattrs: Mapping[str, bytes]) -> None:
        # A folder's default access list is inherited, but one that had none must not gain it.
        if ACCESS_LIST not in xattrs and ACCESS_LIST in _xattrs(self._fd):
            os.removexattr(self._fd, ACCESS_LIST)
        for name, value in xattrs.items():
            try:
                os.setxattr(self._fd, name, value)
            except OSError as error:
                if not (name.startswith(_PRIVILEGED) and error.errno in _CANNOT_SET):
                    error.add_note(f"the extended attribute {name} cannot be kept")
                    raise


class LinuxFolder(PosixFolder):
    """A folder with unnamed files and extended attributes."""

    __slots__ = ()
    file_type = LinuxFile

    def open_unnamed(self, *, permissions: int = 0o666) -> PosixFile:
        """Open a file without a name (`O_TMPFILE`).

        Raises:
            OSError: EOPNOTSUPP where the filesystem has none, or /proc, which naming it needs, is
            missing.
        """
        try:
            fd = os.open(".", _UNNAMED, permissions, dir_fd=self._fd)
        except OSError as error:
            if error.errno in _NO_UNNAMED:
                raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP), self.path) from None
            raise
        return self.file_type(fd)

    def xattrs(self, name: str) -> dict[str, bytes]:
        """Return the extended attributes of a name that is not a symlink."""
        try:
            fd = os.open(name, _LOOK, dir_fd=self._fd)
        except OSError as error:  # not readable, or a socket: by its place, which is slower
            if error.errno in _NO_SUCH_NAME:
                raise
            return _xattrs(f"/proc/self/fd/{self._fd}/{name}")
        try:
            return _xattrs(fd)
        finally:
            os.close(fd)


def _xattrs(place: int | str) -> dict[str, bytes]:
    follow = not isinstance(place, str)
    try:
        names = os.listxattr(place, follow_symlinks=follow)
    except OSError as error:
        if error.errno in _NO_XATTRS:
            return {}
        raise
    # Most files have none: the test spares them a call.
    return {key: os.getxattr(place, key, follow_symlinks=follow) for key in names} if names else {}


class LinuxVFS(PosixVFS):
    """The filesystems of a Linux machine."""

    folder_type = LinuxFolder

    def holder(self, file: api.File) -> api.Holder | None:
        """Find the holder of the `flock` in /proc/locks; None if free, or of another machine."""
        from holdfast.vfs.api import Holder

        info = file.stat()
        for pid in _lockers(info.st_dev, info.st_ino):
            if (real := pid if _alive(pid) else _inheritor(info.st_dev, info.st_ino)) is not None:
                return Holder(real, os.uname().nodename, _program(real))
        return None

    def fine_stamps(self, path: str, device: int) -> bool:
        """Return True on the filesystems with multigrain time stamps (Linux 6.13)."""
        from holdfast.vfs.mounts import has_fine_stamps, mounted

        mount = mounted(self.resolve(path))
        if mount is None or not has_fine_stamps(mount, os.uname().release):
            return False
        return os.stat(mount.point).st_dev == device

    def boot(self) -> str:
        """Return the kernel's own name for it."""
        try:
            # "ascii" is a module to import, whose lock a fork in another thread may keep.
            with open("/proc/sys/kernel/random/boot_id", encoding="utf-8") as file:
                return file.read(64).strip()
        except (OSError, UnicodeDecodeError):
            return ""

    def promises(self, path: str) -> api.Promises:
        """Read the mount table for the filesystem and its options."""
        from holdfast.vfs.mounts import promises_of

        return promises_of(self.resolve(path))


def _lockers(device: int, inode: int) -> Iterator[int]:
    """The pids that took a flock on the file; btrfs and overlay show another device there."""
    exact = f"{os.major(device):02x}:{os.minor(device):02x}:{inode}"
    other: list[int] = []
    with open("/proc/locks", encoding="ascii", errors="replace") as table:
        for line in table:
            parts = line.split()
            if len(parts) < 6 or parts[1] != "FLOCK":  # `->` in this place is a waiter
                continue
            if parts[5] == exact:
                yield int(parts[4])
            elif parts[5].endswith(f":{inode}"):
                other.append(int(parts[4]))
    yield from (pid for pid in other if _has_open(pid, device, inode))


def _alive(pid: int) -> bool:
    return pid > 0 and os.path.exists(f"/proc/{pid}")


def _has_open(pid: int | str, device: int, inode: int) -> bool:
    folder = f"/proc/{pid}/fd"
    try:
        for fd in os.listdir(folder):
            info = os.stat(f"{folder}/{fd}")
            if (info.st_dev, info.st_ino) == (device, inode):
                return True
    except OSError:
        return False  # it ended meanwhile, or it belongs to another user
    return False


def _inheritor(device: int, inode: int) -> int | None:
    """Find the child that inherited the lock of a locker that is dead."""
    pids = (name for name in os.listdir("/proc") if name.isdigit())
    return next((int(pid) for pid in pids if _has_open(pid, device, inode)), None)


def _program(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read(4096).rstrip(b"\0").split(b"\0")
    except OSError:
        return "unknown"
    text = " ".join(word.decode("utf-8", "replace") for word in words if word)
    text = "".join(char if char.isprintable() else "?" for char in text)
    return text if len(text) <= 80 else text[:77] + "..."
