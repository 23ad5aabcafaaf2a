"""The calls of Windows, made of those of POSIX: runs `holdfast.vfs.windows` on other systems."""

from __future__ import annotations

import fcntl
import os

from holdfast.vfs.spans import Span

WRITE = 0x40000000
FOLDER = 0x02000000
DISPOSITIONS = {1: os.O_CREAT | os.O_EXCL, 3: 0, 4: os.O_CREAT}
LOCK_VIOLATION = 33
NOT_LOCKED = 158


def win_error(code: int, *, errno: int = 13) -> OSError:
    """An `OSError` as Windows raises it."""
    error = OSError(errno, f"winerror {code}")
    error.__dict__["winerror"] = code
    return error


def win_number(error: OSError) -> int | None:
    """The Win32 error of an `OSError`."""
    return getattr(error, "winerror", None)


class PosixKernel:
    """A `holdfast.vfs.kernel32.Kernel`; `failures` are raised first, `calls` written down."""

    def __init__(self, **failures: list[int]) -> None:
        self.failures = failures
        self.calls: list[tuple[object, ...]] = []
        self.lists: dict[int, bytes] = {}
        self.drive = ("NTFS", 3)
        self.ranges: list[tuple[int, int, Span]] = []  # inode, descriptor, what it holds

    def _begin(self, *call: object) -> None:
        self.calls.append(call)
        if codes := self.failures.get(str(call[0])):
            raise win_error(codes.pop(0))

    def full_name(self, path: str) -> str:
        return os.path.abspath(path)

    def create(self, path: str, *, access: int, share: int, disposition: int, flags: int) -> int:
        self._begin("create", os.path.basename(path), share)
        if flags == FOLDER:
            return os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        how = os.O_RDWR if access & WRITE else os.O_RDONLY
        return os.open(path, how | DISPOSITIONS[disposition])

    def lock(self, fd: int, place: tuple[int, int], *, exclusive: bool, block: bool) -> None:
        if place != (0, 1):
            self._lock_range(fd, place, exclusive=exclusive)
            return
        self._begin("lock", exclusive, block)
        how = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
        try:
            fcntl.flock(fd, how if block else how | fcntl.LOCK_NB)
        except BlockingIOError:
            raise win_error(LOCK_VIOLATION) from None

    def unlock(self, fd: int, place: tuple[int, int]) -> None:
        if place != (0, 1):
            self._unlock_range(fd, place)
            return
        self._begin("unlock")
        fcntl.flock(fd, fcntl.LOCK_UN)

    def _lock_range(self, fd: int, place: tuple[int, int], *, exclusive: bool) -> None:
        """As LockFileEx: what is shared may overlap what the same file has, nothing else may."""
        self._begin("lock_range", place, exclusive)
        span = Span(place[0], sum(place), not exclusive)
        inode = os.fstat(fd).st_ino
        for other, owner, held in self.ranges:
            compatible = span.shared and (held.shared or owner == fd)
            if other == inode and held.meets(span) and not compatible:
                raise win_error(LOCK_VIOLATION)
        self.ranges.append((inode, fd, span))

    def _unlock_range(self, fd: int, place: tuple[int, int]) -> None:
        """Give back one that is just so; of two, the exclusive one."""
        self._begin("unlock_range", place)
        exactly = (fd, place[0], sum(place))
        found = [one for one in self.ranges if (one[1], one[2].start, one[2].stop) == exactly]
        if not found:
            raise win_error(NOT_LOCKED)
        self.ranges.remove(min(found, key=lambda one: one[2].shared))

    def rename(self, old: str, new: str, *, flags: int) -> None:
        self._begin("rename", flags)
        os.replace(old, new)

    def move(self, old: str, new: str) -> None:
        self._begin("move")
        os.replace(old, new)

    def set_read_only(self, fd: int, *, read_only: bool) -> None:
        self._begin("set_read_only", read_only)
        os.fchmod(fd, 0o444 if read_only else 0o644)

    def access_list(self, path: str) -> bytes:
        self._begin("access_list")
        return self.lists.get(os.stat(path).st_ino, b"inherited")

    def set_access_list(self, fd: int, descriptor: bytes) -> None:
        self._begin("set_access_list")
        self.lists[os.fstat(fd).st_ino] = descriptor

    def volume(self, path: str) -> tuple[str, int]:
        return self.drive
