"""Loop devices: a block device on top of a file, by ioctl.

The kernel takes a device down by itself when its last user goes (a mount, or a descriptor), also
when this process is killed.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["attached", "pack_config"]

_CONFIGURE, _GET_FREE = 0x4C0A, 0x4C82
_AUTOCLEAR, _DIRECT_IO = 4, 16
_CONFIG = struct.Struct("<II40xIIII64s96x16x64x")  # loop_config around loop_info64
_ATTEMPTS = 100


def pack_config(descriptor: int, *, block_bytes: int, direct: bool) -> bytes:
    """The argument of LOOP_CONFIGURE."""
    flags = _AUTOCLEAR | (_DIRECT_IO if direct else 0)
    return _CONFIG.pack(descriptor, block_bytes, 0, 0, 0, flags, b"holdfast")


@contextmanager
def attached(descriptor: int, *, block_bytes: int = 4096, direct: bool = False) -> Generator[str]:
    """Yield the path of a loop device on an open file; it is gone afterwards if nobody uses it.

    Raises:
        OSError: No device is free or allowed here. Nothing is left behind.
    """
    config = pack_config(descriptor, block_bytes=block_bytes, direct=direct)
    path, device = _configure(config)
    try:
        yield path
    finally:
        os.close(device)


def _configure(config: bytes) -> tuple[str, int]:
    """Take a free device; another process may be quicker, so try again."""
    for _ in range(_ATTEMPTS):
        path = f"/dev/loop{_free_number()}"
        device = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.ioctl(device, _CONFIGURE, config)
        except OSError as error:
            os.close(device)
            if error.errno != errno.EBUSY:
                error.filename = path
                raise
        else:
            return path, device
    raise OSError(errno.EBUSY, "no loop device stayed free", "/dev/loop-control")


def _free_number() -> int:
    control = os.open("/dev/loop-control", os.O_RDWR | os.O_CLOEXEC)
    try:
        return fcntl.ioctl(control, _GET_FREE)
    finally:
        os.close(control)
