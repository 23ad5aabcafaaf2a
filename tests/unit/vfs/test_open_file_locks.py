"""The calls that lock ranges of an open file description, and what they are told."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os

import pytest

from holdfast.vfs.open_file_locks import OpenFileLocks, darwin_request, linux_request
from holdfast.vfs.posix import PosixFile

TRY, WAIT = 90, 91
FD = 2**31 - 1  # the one that is taken for closed


class DarwinFlock(ctypes.Structure):
    """<sys/fcntl.h> of macOS."""

    _fields_ = (
        ("start", ctypes.c_int64),
        ("size", ctypes.c_int64),
        ("pid", ctypes.c_int32),
        ("kind", ctypes.c_short),
        ("whence", ctypes.c_short),
    )


class LinuxFlock(ctypes.Structure):
    """<linux/fcntl.h>."""

    _fields_ = (
        ("kind", ctypes.c_short),
        ("whence", ctypes.c_short),
        ("start", ctypes.c_int64),
        ("size", ctypes.c_int64),
        ("pid", ctypes.c_int32),
    )


class Kernel:
    """Notes the calls, and fails with `error` if it has one."""

    def __init__(self, error: int = 0) -> None:
        self.error = error
        self.calls: list[tuple[int, int, bytes]] = []

    def __call__(self, fd: int, command: int, request: bytes) -> None:
        self.calls.append((fd, command, request))
        if self.error:
            raise OSError(self.error, os.strerror(self.error))


def file_of(kernel):
    """A file on a system whose calls are the kernel's; it has no descriptor to close."""

    class File(PosixFile):
        __slots__ = ()
        range_locks = OpenFileLocks(TRY, WAIT, darwin_request, control=kernel)

    return File(FD)


@pytest.mark.parametrize(
    ("layout", "request_of"), [(DarwinFlock, darwin_request), (LinuxFlock, linux_request)]
)
def test_request_is_laid_out_as_the_structure(layout, request_of) -> None:
    """Kind, start and size stand where the header has them, all else is zero."""
    expected = bytes(layout(kind=7, start=2**62, size=5, whence=0, pid=0))

    assert expected == request_of(7, 2**62, 5)


@pytest.mark.parametrize(
    ("expected", "options"),
    [
        ((WAIT, fcntl.F_WRLCK), {}),
        ((WAIT, fcntl.F_RDLCK), {"shared": True}),
        ((TRY, fcntl.F_WRLCK), {"block": False}),
        ((TRY, fcntl.F_RDLCK), {"shared": True, "block": False}),
    ],
)
def test_taking_calls_for_the_kind_and_the_patience(expected, options) -> None:
    """Waiting is one call that waits."""
    kernel = Kernel()
    assert file_of(kernel).lock_range(8, 2, **options)

    command, kind = expected
    assert [(FD, command, darwin_request(kind, 8, 2))] == kernel.calls


def test_giving_back_never_waits() -> None:
    """It is the call that does not wait, for no lock."""
    kernel = Kernel()
    file_of(kernel).unlock_range(8, 2)

    assert [(FD, TRY, darwin_request(fcntl.F_UNLCK, 8, 2))] == kernel.calls


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.EACCES])
def test_both_words_for_busy(number) -> None:
    """POSIX lets a system say either."""
    file = file_of(Kernel(number))

    assert not file.lock_range(0, 1, block=False)
    with pytest.raises(OSError, match=os.strerror(number)):
        file.lock_range(0, 1)


def test_other_errors_are_raised() -> None:
    """A filesystem without locks is no busy one; nor is one that fails while it waits."""
    file = file_of(Kernel(errno.ENOLCK))
    for block in (True, False):
        with pytest.raises(OSError, match="lock") as caught:
            file.lock_range(0, 1, block=block)
        assert errno.ENOLCK == caught.value.errno


def test_requests_that_are_kept_are_bounded() -> None:
    """A program that locks ever new ranges does not grow by that, and each is laid out right."""
    kernel = Kernel()
    file = file_of(kernel)
    for at in range(5000):
        file.lock_range(at, 1)

    assert file.range_locks is not None
    assert len(file.range_locks.requests) <= 4096
    expected = [darwin_request(fcntl.F_WRLCK, at, 1) for at in range(5000)]
    assert expected == [request for _, _, request in kernel.calls]


def test_system_without_them_says_so(tmp_path) -> None:
    """Where the system has no such locks, nothing that is less takes their place."""
    file = PosixFile(os.open(tmp_path / "a", os.O_RDWR | os.O_CREAT))
    for call in (file.lock_range, file.unlock_range):
        with pytest.raises(OSError, match="supported") as caught:
            call(0, 1)
        assert errno.ENOTSUP == caught.value.errno
        assert "byte ranges" in caught.value.__notes__[0]
    file.close()
