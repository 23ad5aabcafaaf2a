"""Windows: renames that replace open files, bounded patience with scanners, LockFileEx.

Written from the documentation of the Windows API; never run on Windows by its authors. The calls
that Python lacks are behind `kernel32.Kernel`, so that all else is tested on other systems.

How: files are opened sharing reading, writing and deletion, so that one that is being read can be
replaced. A rename has POSIX semantics where the volume has them (NTFS since Windows 10 1607), else
it is MoveFileExW with write-through. What fails because a scanner or indexer has the file open
(errors 5, 32 and 33) is tried again with jitter, for two seconds at most. A lock is byte 0 of the
lock file; who holds it stands from byte 1 on, where others can read it. Locks of byte ranges lie
far beyond the end of any file, since what is locked can be neither read nor written.

Weaknesses: folders cannot be synced. There are no unnamed files. Permissions of new files are those
of their folder; of a mode, only the owner's write bit is kept, as the read-only attribute. The
access list is kept, set after the contents were written, so the temporary file has that of the
folder; owner, alternate streams and other attributes are not kept. A folder that is open here
cannot be renamed or removed. Changing a lock between shared and exclusive lets others in between.
A wait for a lock without a limit is not ended by Ctrl-C. A file that was opened for reading cannot
be synced. `st_ctime` is the time of creation. Change events are not used.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from itertools import count

from holdfast.vfs import holding
from holdfast.vfs.patience import patiently
from holdfast.vfs.volumes import promises_of
from holdfast.vfs.windows_file import ACCESS_LIST, WindowsFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple

    from holdfast.vfs import api
    from holdfast.vfs.kernel32 import Kernel
else:
    from holdfast.light_typing import NamedTuple

__all__ = ["WindowsFile", "WindowsFolder", "WindowsVFS"]

# ERROR_INVALID_FUNCTION, _NOT_SUPPORTED, _INVALID_PARAMETER, _CALL_NOT_IMPLEMENTED, _INVALID_LEVEL
_NO_SUCH_CALL = frozenset({1, 50, 87, 120, 124})

# FILE_RENAME_FLAG_: REPLACE_IF_EXISTS, POSIX_SEMANTICS, IGNORE_READONLY_ATTRIBUTE (since 1809)
_RENAME_FLAGS = (0x1 | 0x2 | 0x40, 0x1 | 0x2)
_READ, _WRITE = 0x80000000, 0x40000000  # GENERIC_READ, GENERIC_WRITE
_SHARE_ALL = 0x1 | 0x2 | 0x4  # reading, writing, deletion
_NORMAL, _OPEN_REPARSE_POINT, _BACKUP = 0x80, 0x00200000, 0x02000000
_FOLDER_ACCESS, _FOLDER_SHARE = 0x1 | 0x100000, 0x1 | 0x2  # FILE_LIST_DIRECTORY | SYNCHRONIZE
_OPEN_EXISTING = 3


class _Opening(NamedTuple):
    access: int
    disposition: int
    flags: int = _NORMAL


_OPENINGS: dict[api.OpenMode, _Opening] = {
    "read": _Opening(_READ, _OPEN_EXISTING),
    "write": _Opening(_READ | _WRITE, _OPEN_EXISTING),
    "create": _Opening(_READ | _WRITE, 4),  # OPEN_ALWAYS
    "new": _Opening(_READ | _WRITE, 1, _NORMAL | _OPEN_REPARSE_POINT),  # CREATE_NEW
}


class WindowsFolder:
    """An open folder: nobody can rename or remove it, so its names are found by its full path."""

    __slots__ = ("_fd", "_kernel", "_place", "path")

    def __init__(self, path: str, kernel: Kernel) -> None:
        self._fd = -1
        self.path = path
        self._kernel = kernel
        self._place = kernel.full_name(path)
        if not stat.S_ISDIR(os.stat(self._place).st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
        self._fd = kernel.create(
            self._place,
            access=_FOLDER_ACCESS,
            share=_FOLDER_SHARE,
            disposition=_OPEN_EXISTING,
            flags=_BACKUP,
        )

    def open(self, name: str, mode: api.OpenMode, *, permissions: int = 0o666) -> WindowsFile:
        """Open a file of this folder, sharing everything.

        Raises:
            IsADirectoryError: for a folder, and nothing changed.
        """
        how, place = _OPENINGS[mode], self._name(name)
        if mode != "new" and os.path.isdir(place):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), name)
        fd = patiently(
            lambda: self._kernel.create(
                place,
                access=how.access,
                share=_SHARE_ALL,
                disposition=how.disposition,
                flags=how.flags,
            )
        )
        return WindowsFile(fd, self._kernel)

    def _name(self, name: str) -> str:
        return os.path.join(self._place, name)

    def open_unnamed(self, *, permissions: int = 0o666) -> WindowsFile:
        """There are no unnamed files here.

        Raises:
            OSError: EOPNOTSUPP, always; nothing was made.
        """
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP), self.path)

    def link(self, source: api.File | str, name: str) -> None:
        """Give a file of this folder another name.

        Raises:
            OSError: EOPNOTSUPP for an open file, which always has its name here.
        """
        if not isinstance(source, str):
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP), name)
        os.link(self._name(source), self._name(name))

    def rename(self, old: str, new: str, *, source: api.Folder | None = None) -> None:
        """Rename into this folder, replacing; by POSIX semantics, else by MoveFileExW.

        Raises:
            OSError: EXDEV for a source folder of another kind of filesystem.
        """
        origin = self if source is None else source
        if not isinstance(origin, WindowsFolder):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), old, None, new)
        old_place, new_place = origin._name(old), self._name(new)  # noqa: SLF001 (this very class)
        patiently(lambda: self._rename(old_place, new_place))

    def _rename(self, old: str, new: str) -> None:
        for flags in _RENAME_FLAGS:
            try:
                return self._kernel.rename(old, new, flags=flags)
            except OSError as error:
                if getattr(error, "winerror", None) not in _NO_SUCH_CALL:
                    raise
        return self._kernel.move(old, new)

    def unlink(self, name: str) -> None:
        """Remove a name."""
        patiently(lambda: os.unlink(self._name(name)))

    def mkdir(self, name: str, *, permissions: int = 0o777) -> None:
        """Make a folder."""
        os.mkdir(self._name(name), permissions)

    def rmdir(self, name: str) -> None:
        """Remove an empty folder."""
        patiently(lambda: os.rmdir(self._name(name)))

    def stat(self, name: str) -> os.stat_result:
        """Describe a name, not followed."""
        return os.stat(self._name(name), follow_symlinks=False)

    def xattrs(self, name: str) -> dict[str, bytes]:
        """Return the access list; nothing on a volume that has none."""
        try:
            return {ACCESS_LIST: self._kernel.access_list(self._name(name))}
        except OSError as error:
            if getattr(error, "winerror", None) in _NO_SUCH_CALL:
                return {}
            raise

    def names(self) -> list[str]:
        """List the names."""
        return os.listdir(self._place)

    def sync(self) -> None:
        """Do nothing: folders cannot be synced, and `promises` says so."""

    def close(self) -> None:
        """Close the descriptor."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def __del__(self) -> None:
        self.close()


class WindowsVFS:
    """The filesystems of a Windows machine."""

    def __init__(self, kernel: Kernel | None = None) -> None:
        self._kernel = _system() if kernel is None else kernel
        self._prefix = os.urandom(5).hex()
        self._count = count(1)  # one C call: no two threads get the same number

    def __repr__(self) -> str:
        return "WindowsVFS()"

    def folder(self, path: str, *, readable: bool = False) -> WindowsFolder:
        """Open a folder."""
        return WindowsFolder(path or ".", self._kernel)

    def stat(self, path: str) -> os.stat_result:
        """Describe what a path leads to."""
        return os.stat(path)

    def fine_stamps(self, path: str, device: int) -> bool:
        """Return False: no promise of this system is known."""
        return False

    def resolve(self, path: str) -> str:
        """Follow every symlink; the last part may be missing.

        Raises:
            OSError: ELOOP for a loop of symlinks.
        """
        real = os.path.realpath(path)
        if os.path.islink(real):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
        return real

    def token(self) -> str:
        """Return 16 hexadecimal digits: ten drawn once a process, six counted."""
        return f"{self._prefix}{next(self._count) & 0xFFFFFF:06x}"

    def announce(self, file: api.File) -> None:
        """Write this process's line from byte 1 of the lock file on, unless it stands there."""
        line = holding.encode(holding.own())
        try:
            if file.read(len(line), offset=1) != line:
                file.write(line, offset=1)
        except OSError:
            pass  # a lock file that can only be read is locked all the same

    def holder(self, file: api.File) -> api.Holder | None:
        """Read the line from byte 1; None while byte 0 can be read, for then nobody holds it."""
        if not (isinstance(file, WindowsFile) and file.is_locked):
            try:
                file.read(1, offset=0)
            except PermissionError:
                pass  # a lock violation: somebody holds it
            else:
                return None
        return holding.decode(file.read(holding.SIZE_BYTES, offset=1))

    def boot(self) -> str:
        """Return nothing: no call here names it."""
        return ""

    def promises(self, path: str) -> api.Promises:
        """Ask which volume it is."""
        return promises_of(*self._kernel.volume(self._kernel.full_name(self.resolve(path))))


def _system() -> Kernel:
    if sys.platform == "win32":
        from holdfast.vfs.kernel32 import Kernel32

        return Kernel32()
    raise OSError(errno.ENOSYS, "kernel32 is a part of Windows")
