"""The calls of Windows, made of those of POSIX: runs `holdfast.vfs.windows` on other systems."""

from __future__ import annotations

import fcntl
import os

WRITE = 0x40000000
FOLDER = 0x02000000
DISPOSITIONS = {1: os.O_CREAT | os.O_EXCL, 3: 0, 4: os.O_CREAT}
LOCK_VIOLATION = 33


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

    def lock(self, fd: int, *, exclusive: bool, block: bool) -> None:
        self._begin("lock", exclusive, block)
        how = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
        try:
            fcntl.flock(fd, how if block else how | fcntl.LOCK_NB)
        except BlockingIOError:
            raise win_error(LOCK_VIOLATION) from None

    def unlock(self, fd: int) -> None:
        self._begin("unlock")
        fcntl.flock(fd, fcntl.LOCK_UN)

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
