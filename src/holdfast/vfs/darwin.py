"""macOS: syncs that reach the disk, extended attributes and access lists, who holds a lock, statfs.

Written from Apple's manual pages and the published sources of the kernel; never run on macOS by its
authors. On Linux it runs as well, less what the kernel there refuses, which is how it is tested.

Weaknesses: there are no unnamed files. File flags (chflags) and the creation time are not kept.
Where a volume knows neither F_FULLFSYNC nor F_BARRIERFSYNC, a sync leaves data in the drive's own
cache. The holder of a lock is a line in the lock file, a hint that can be out of date. Change
events are not used.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct

from holdfast.vfs import holding
from holdfast.vfs.api import Promises
from holdfast.vfs.open_file_locks import OpenFileLocks, darwin_request
from holdfast.vfs.posix import PosixFile, PosixFolder, PosixVFS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from holdfast.vfs import api

__all__ = [
    "DarwinFile",
    "DarwinFolder",
    "DarwinVFS",
    "parse_statfs",
    "promises_of",
    "sync_descriptor",
]

# <sys/fcntl.h>; numbers, because not every Python names them.
_F_FULLFSYNC = 51
_F_BARRIERFSYNC = 85
_F_OFD_SETLK = 90
_F_OFD_SETLKW = 91
_NO_SUCH_SYNC = frozenset({errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOTTY})
# struct flock: l_start, l_len, l_pid, l_type, l_whence
_FLOCK = struct.Struct("qqihh")

# struct statfs with 64-bit inodes (<sys/mount.h>): f_flags, then f_fssubtype and f_fstypename[16].
_STATFS_BYTES = 2168
_STATFS = struct.Struct("=64xII16s")
_MNT_LOCAL = 0x1000

# Attributes that the system manages; one that cannot be set is left out.
_MANAGED = "com.apple."
_CANNOT_SET = frozenset({errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EINVAL})
_UNKNOWN = "this system does not say what is mounted"


def sync_descriptor(fd: int, *, control: Callable[[int, int], int] = fcntl.fcntl) -> None:
    """Sync by F_FULLFSYNC, else F_BARRIERFSYNC, else fsync; only "no such call" leads on.

    Args:
        fd: the file or folder.
        control: the call that takes the first two, fcntl(2).

    Raises:
        OSError: EBADF for a closed descriptor, or what the sync itself failed with.
    """
    if fd < 0:  # for which Python's fcntl raises ValueError
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    for command in (_F_FULLFSYNC, _F_BARRIERFSYNC):
        try:
            control(fd, command)
        except OSError as error:
            if error.errno not in _NO_SUCH_SYNC:
                raise
        else:
            return
    os.fsync(fd)


class DarwinFile(PosixFile):
    """A file whose sync empties the drive's cache, with extended attributes and an access list."""

    __slots__ = ()
    range_locks = OpenFileLocks(_F_OFD_SETLK, _F_OFD_SETLKW, darwin_request)

    def sync(self) -> None:
        """Sync contents, size and attributes down to the medium."""
        sync_descriptor(self._fd)

    def _stores_in_place(self) -> bool:
        """Ask fstatfs(2) whether the volume is this machine's own."""
        try:
            return bool(parse_statfs(_statfs(self._fd))[1] & _MNT_LOCAL)
        except AttributeError:
            return False

    def _set_xattrs(self, xattrs: Mapping[str, bytes]) -> None:
        if not xattrs:
            return
        from holdfast.vfs.darwin_attributes import set_attribute

        for name, value in xattrs.items():
            try:
                set_attribute(self._fd, name, value)
            except OSError as error:
                if not (name.startswith(_MANAGED) and error.errno in _CANNOT_SET):
                    error.add_note(f"the extended attribute {name} cannot be kept")
                    raise


class DarwinFolder(PosixFolder):
    """A folder whose sync empties the drive's cache."""

    __slots__ = ()
    file_type = DarwinFile

    def xattrs(self, name: str) -> dict[str, bytes]:
        """Return the extended attributes and the access list of a name that is a file or folder."""
        from holdfast.vfs.darwin_attributes import read_attributes

        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        fd = os.open(name, flags, dir_fd=self._fd)
        try:
            return read_attributes(fd)
        finally:
            os.close(fd)

    def _sync_names(self) -> None:
        sync_descriptor(self._fd)


class DarwinVFS(PosixVFS):
    """The filesystems of a Mac."""

    folder_type = DarwinFolder

    def announce(self, file: api.File) -> None:
        """Write this process's line to the start of the lock file, unless it stands there."""
        line = holding.encode(holding.own())
        try:
            if file.read(len(line), offset=0) != line:
                file.write(line, offset=0)
        except OSError:
            pass  # a lock file that can only be read is locked all the same

    def holder(self, file: api.File) -> api.Holder | None:
        """Read the line in the lock file; None while nobody holds it exclusively."""
        if not _is_locked(file.fileno()):
            return None
        return holding.decode(file.read(holding.SIZE_BYTES, offset=0))

    def promises(self, path: str) -> Promises:
        """Ask statfs(2) which volume it is."""
        try:
            facts = parse_statfs(_statfs(self.resolve(path)))
        except AttributeError:
            return Promises("unknown", True, True, True, False, (_UNKNOWN,))
        return promises_of(*facts)


def _is_locked(fd: int) -> bool:
    """Whether someone holds an exclusive lock: F_GETLK sees flock(2) here, and takes nothing."""
    asked = _FLOCK.pack(0, 0, 0, fcntl.F_WRLCK, os.SEEK_SET)
    try:
        answer = fcntl.fcntl(fd, fcntl.F_GETLK, asked)
    except OSError:
        return True  # no answer: the line in the file is the best hint there is
    return bool(_FLOCK.unpack(answer)[3] == fcntl.F_WRLCK)


def _statfs(place: str | int) -> bytes:
    import ctypes

    library = ctypes.CDLL(None, use_errno=True)
    # On Intel the plain name is the old call with 32-bit inodes.
    suffix = "$INODE64" if os.uname().machine == "x86_64" else ""
    buffer = ctypes.create_string_buffer(_STATFS_BYTES * 2)
    if isinstance(place, int):
        failed = library["fstatfs" + suffix](ctypes.c_int(place), buffer)
    else:
        failed = library["statfs" + suffix](ctypes.c_char_p(os.fsencode(place)), buffer)
    if failed:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), *([place] if isinstance(place, str) else []))
    return buffer.raw


def parse_statfs(data: bytes) -> tuple[str, int]:
    """Return the filesystem's name and the mount flags of a `struct statfs`."""
    flags, _, name = _STATFS.unpack_from(data)
    return name.partition(b"\0")[0].decode("ascii", "replace"), flags


def promises_of(filesystem: str, flags: int) -> Promises:
    """Say what a volume of this kind, mounted with these flags, gives."""
    weak = ["change events are not used on this system"]
    if network := not flags & _MNT_LOCAL:
        weak.append(f"{filesystem}: locks may exclude this machine only")
    zero_filling = filesystem == "hfs"  # the other one that counts, apfs, copies on write
    return Promises(
        filesystem or "unknown", True, True, not network, False, tuple(weak), zero_filling
    )
