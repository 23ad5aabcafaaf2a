"""Locks of byte ranges that belong to an open file description: `fcntl(2)` with `F_OFD_…`.

The older locks of `fcntl(2)` belong to the process: a second descriptor is not excluded, and any
close drops them. Where the system has none of the newer kind, nothing takes their place.
"""

from __future__ import annotations

import errno
import fcntl
import os
from struct import Struct

from holdfast.vfs.spans import check_range

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["OpenFileLocks", "darwin_request", "linux_request", "unsupported"]

_KNOWN_MAX = 4096
_linux = Struct("hhqqixxxx").pack
_darwin = Struct("qqihh").pack


def linux_request(kind: int, start: int, size: int) -> bytes:
    """Lay out Linux's `struct flock`: l_type, l_whence, l_start, l_len, l_pid."""
    return _linux(kind, 0, start, size, 0)


def darwin_request(kind: int, start: int, size: int) -> bytes:
    """Lay out macOS's `struct flock`: l_start, l_len, l_pid, l_type, l_whence."""
    return _darwin(start, size, 0, kind, 0)


class _Requests(dict[tuple[int, int, int], bytes]):
    """The structures by kind, start and size; those that were made are kept, up to a number."""

    def __init__(self, layout: Callable[[int, int, int], bytes]) -> None:
        super().__init__()
        self._layout = layout

    def __missing__(self, key: tuple[int, int, int]) -> bytes:
        kind, start, size = key
        check_range(start, size)  # to fcntl(2) a size of 0 is "to the end", and less goes backwards
        if len(self) >= _KNOWN_MAX:
            self.clear()
        request = self[key] = self._layout(kind, start, size)
        return request


class OpenFileLocks:
    """The calls of one system.

    Attributes: `attempt` is F_OFD_SETLK, `wait` F_OFD_SETLKW, `control` fcntl(2), and `requests`
    has the `struct flock` for a kind, a start and a size.
    """

    __slots__ = ("attempt", "control", "requests", "wait")

    def __init__(
        self,
        attempt: int,
        wait: int,
        layout: Callable[[int, int, int], bytes],
        *,
        control: Callable[[int, int, bytes], object] = fcntl.fcntl,
    ) -> None:
        self.attempt, self.wait = attempt, wait
        self.control = control
        self.requests = _Requests(layout)


def unsupported() -> OSError:
    """Make the error of a system that has none."""
    error = OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))
    error.add_note("this system has no locks of byte ranges that belong to an open file")
    return error
