"""One stopped call taken apart, and carried out in the name of the thread that made it.

The recorder carries out every call that changes the recorded folder itself: with the same
arguments, the same open file descriptions, the same current folder, umask and user. So results are
exact and there is one order of all calls. Everything else is let through.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from holdfast.crash.recorders import kernel
from holdfast.crash.recorders.syscalls import SHAPES

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.crash.recorders.notify import Notification
    from holdfast.crash.recorders.tasks import Task

__all__ = ["AT_FDCWD", "Trap"]

AT_FDCWD = -100


class Trap:
    """A call that waits."""

    def __init__(self, name: str, notification: Notification, task: Task) -> None:
        self.name = name
        self.task = task
        self.notification = notification
        self.arguments = notification.arguments
        self.shape = SHAPES[name].arguments
        self._strings: dict[int, bytes] = {}
        self._descriptors: dict[int, int] = {}
        self._folders: dict[int, int | None] = {}
        self._opened: list[int] = []
        self._looks: dict[tuple[int | None, bytes], os.stat_result] = {}

    def close(self) -> None:
        """Let go of the copies of descriptors."""
        for descriptor in (*self._descriptors.values(), *self._opened):
            os.close(descriptor)
        self._descriptors.clear()
        self._opened.clear()

    def value(self, at: int) -> int:
        """Return an argument as the C type int."""
        value = self.arguments[at] & 0xFFFFFFFF
        return value - (1 << 32) if value >> 31 else value

    def offset(self, at: int) -> int:
        """Return an argument as a signed 64-bit number."""
        value = self.arguments[at]
        return value - (1 << 64) if value >> 63 else value

    def own(self, descriptor: int) -> int:
        """Let a descriptor of ours be closed with this call."""
        self._opened.append(descriptor)
        return descriptor

    def string(self, at: int) -> bytes:
        """Return a string argument; paths below /proc/self are those of the thread.

        Raises:
            OSError: EFAULT.
        """
        if at not in self._strings:
            text = self.task.string(self.arguments[at])
            self._strings[at] = self._as_seen_here(text) if self.shape[at] == "p" else text
        return self._strings[at]

    def _as_seen_here(self, path: bytes) -> bytes:
        if not path.startswith((b"/proc/", b"/dev/")):
            return path
        process, thread = b"/proc/%d" % self.task.process, self.task.thread
        for alias, real in (
            (b"/proc/self", process),
            (b"/proc/thread-self", b"%s/task/%d" % (process, thread)),
            (b"/dev/fd", process + b"/fd"),
            (b"/dev/stdin", process + b"/fd/0"),
            (b"/dev/stdout", process + b"/fd/1"),
            (b"/dev/stderr", process + b"/fd/2"),
        ):
            if path == alias or path.startswith(alias + b"/"):
                return real + path[len(alias) :]
        return path

    def descriptor(self, at: int) -> int:
        """Return our copy of a descriptor argument.

        Raises:
            OSError: EBADF.
        """
        number = self.value(at)
        if number not in self._descriptors:
            self._descriptors[number] = self.task.descriptor(number)
        return self._descriptors[number]

    def folder(self, at: int) -> int | None:
        """Return what the path argument `at` is relative to: our descriptor; None: current folder.

        Raises:
            OSError: EBADF.
        """
        if at not in self._folders:
            self._folders[at] = self._find_folder(at)
        return self._folders[at]

    def _find_folder(self, at: int) -> int | None:
        path = self.string(at)
        if path.startswith(b"/"):
            return None
        if at > 0 and self.shape[at - 1] == "d" and self.value(at - 1) != AT_FDCWD:
            return self.descriptor(at - 1)
        self.task.standing.follow(self.task.thread)
        return None

    def stat(self, at: int, *, follow: bool) -> os.stat_result:
        """Look at what a path argument names; the empty path is the descriptor itself.

        Raises:
            OSError: ENOENT and the like.
        """
        path, folder = self.string(at), self.folder(at)
        if not path and folder is not None:
            return os.fstat(folder)
        return os.stat(path, dir_fd=folder, follow_symlinks=follow)

    def look_at_folder(self, at: int, path: bytes) -> os.stat_result:
        """Look at a folder by its path, once a call: `rename` often names one twice.

        Raises:
            OSError: ENOENT and the like.
        """
        place = (self.folder(at), path)
        if place not in self._looks:
            self._looks[place] = os.stat(path, dir_fd=place[0])
        return self._looks[place]

    def execute(self, number: int) -> int:
        """Carry the call out.

        Raises:
            OSError: as the kernel answered.
        """
        if (quick := _QUICK.get(self.name)) is not None:
            return quick(self)
        given: list[object] = []
        for at, letter in enumerate(self.shape):
            if letter == "d":
                own = self.value(at)
                relative = not self.string(at + 1).startswith(b"/")
                given.append(self.descriptor(at) if own != AT_FDCWD and relative else AT_FDCWD)
            elif letter == "f":
                given.append(self.descriptor(at))
            elif letter == "p":
                self.folder(at)
                given.append(self.string(at))
            elif letter == "s":
                given.append(self.string(at))
            elif letter == "b":
                given.append(self.task.read(self.arguments[at], self.arguments[at + 1]))
            else:
                given.append(self.offset(at))
        return kernel.syscall(number, *given)


def _open_at(trap: Trap) -> int:
    flags, mode = trap.value(2), trap.value(3) & 0o7777
    return os.open(trap.string(1), flags, mode, dir_fd=trap.folder(1))


def _sync(trap: Trap) -> int:
    os.fsync(trap.descriptor(0))
    return 0


def _sync_data(trap: Trap) -> int:
    os.fdatasync(trap.descriptor(0))
    return 0


def _rename(trap: Trap) -> int:
    trap.folder(0)
    trap.folder(1)
    os.rename(trap.string(0), trap.string(1))
    return 0


# What Python has a function for: a third of the time.
_QUICK: Final[dict[str, Callable[[Trap], int]]] = {
    "openat": _open_at,
    "fsync": _sync,
    "fdatasync": _sync_data,
    "rename": _rename,
}
