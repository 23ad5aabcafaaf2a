"""A process that must not outlive the one that started it."""

from __future__ import annotations

import ctypes
import os
import signal

__all__ = ["die_with_parent"]

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int | None = None) -> None:
    """Have the kernel (Linux) kill this process when its parent dies, however that dies.

    It lasts over an exec; what this process forks is on its own.

    Args:
        parent: who it was, so that one who is dead already is noticed; None: who it is now.

    Raises:
        OSError: The kernel refuses. Nothing was changed.
    """
    if parent is None:
        parent = os.getppid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    if os.getppid() != parent:  # it died before the kernel knew
        os.kill(os.getpid(), signal.SIGKILL)
