"""Mounts and unmounts by system call; every mount is undone by the one who made it."""

from __future__ import annotations

import ctypes
import errno
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["mounted", "own_mounts", "unmount"]

_REC, _PRIVATE = 0x4000, 1 << 18
_NOSUID, _NODEV = 2, 4
_DETACH = 2
_CLONE_NEWNS = 0x00020000
_BUSY_ATTEMPTS = 200
_BUSY_PAUSE_S = 0.005


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _check(result: int, path: str) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), path)


def own_mounts() -> None:
    """Give this process mounts of its own: what it mounts is gone when it dies, however it dies.

    Raises:
        OSError: It is not allowed here. Nothing was changed.
    """
    _check(_libc().unshare(_CLONE_NEWNS), "mount namespace")
    _check(_libc().mount(b"none", b"/", None, _REC | _PRIVATE, None), "/")


@contextmanager
def mounted(source: str, folder: str, *, kind: str, options: str = "") -> Generator[None]:
    """Mount a device for the time of the body.

    Raises:
        OSError: It cannot be mounted, and is not; or something in it stayed open for a second
            after the body, and it goes when that is closed.
    """
    arguments = source.encode(), os.fsencode(folder), kind.encode()
    _check(_libc().mount(*arguments, _NOSUID | _NODEV, options.encode()), folder)
    try:
        yield
    except BaseException:
        _libc().umount2(os.fsencode(folder), _DETACH)
        raise
    unmount(folder)


def unmount(folder: str) -> None:
    """Unmount, and wait a little for whoever still looks at it.

    Raises:
        OSError: It stayed in use. It is out of sight now, and goes when the last file is closed.
    """
    for _ in range(_BUSY_ATTEMPTS):
        if not _libc().umount2(os.fsencode(folder), 0):
            return
        if ctypes.get_errno() != errno.EBUSY:
            break
        time.sleep(_BUSY_PAUSE_S)
    number = ctypes.get_errno()
    _libc().umount2(os.fsencode(folder), _DETACH)
    raise OSError(number, os.strerror(number), folder)
