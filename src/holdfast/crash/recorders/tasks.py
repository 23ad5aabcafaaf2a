"""The threads of the recorded program, seen from outside: their memory and descriptors."""

from __future__ import annotations

import errno
import os
import select
from struct import unpack
from typing import Final

from holdfast.crash.recorders import kernel
from holdfast.crash.recorders.errors import RecordingRefused
from holdfast.crash.recorders.standing import Standing

__all__ = ["Gone", "Task", "Tasks"]

_PIDFD_THREAD: Final = os.O_EXCL
_PAGE_BYTES, _PIECE_BYTES, _PATH_BYTES_MAX, _BYTES_MAX = 4096, 512, 65536, 0x7FFFF000
_VECTORS_MAX = 1024
TASKS_MAX: Final = 256  # each takes a descriptor; who is forgotten is met anew at its next call


class Gone(Exception):
    """The thread was killed while it waited."""


class Task:
    """One thread.

    I1 Its memory is not held open from the moment on that its process asked for another program,
       until that has begun or failed for sure: what is held is of the program that makes the calls.
    """

    __slots__ = (
        *("_is_own", "_is_settled", "_memory", "_own_memory"),
        *("pidfd", "process", "standing", "thread"),
    )

    def __init__(self, thread: int, memory: kernel.MemoryReader, standing: Standing) -> None:
        self.thread = thread
        self.standing = standing
        self._memory = memory
        self._own_memory = -1
        self._is_own = self._is_settled = True
        self.process = int(self.status("Tgid")[0])
        try:
            self.pidfd = os.pidfd_open(thread, _PIDFD_THREAD)
        except OSError as error:  # before Linux 6.9 a process alone has one
            if error.errno == errno.ESRCH:
                raise Gone from error
            self.pidfd = os.pidfd_open(self.process)
            self._is_own = False

    def status(self, field: str) -> list[str]:
        """Read one line of its status.

        Raises:
            Gone: it was killed; nothing changed.
        """
        try:
            with open(f"/proc/{self.thread}/status", encoding="utf-8") as lines:
                return next(line for line in lines if line.startswith(f"{field}:")).split()[1:]
        except (OSError, StopIteration) as error:
            raise Gone from error

    def executes(self) -> None:
        """The process is about to run another program: its memory will be another."""
        self._is_settled = False
        self.close_memory()

    def settle(self) -> None:
        """No exec of the process is under way any more."""
        self._is_settled = True

    def close_memory(self) -> None:
        """Let go of the descriptor of its memory."""
        if self._own_memory >= 0:
            os.close(self._own_memory)
            self._own_memory = -1

    def is_current(self) -> bool:
        """Whether the thread of this number is still this one, as far as its end would not tell."""
        return self._is_own or os.path.exists(f"/proc/{self.process}/task/{self.thread}")

    def descriptor(self, number: int) -> int:
        """Return our own copy of one of its descriptors.

        Raises:
            OSError: EBADF: it has none of this number.
            Gone: it was killed; nothing changed.
        """
        try:
            return kernel.duplicate_descriptor(self.pidfd, number)
        except OSError as error:
            if error.errno == errno.ESRCH:
                raise Gone from error
            if error.errno == errno.EPERM:
                raise _unreadable(self, error) from error
            raise

    def read(self, address: int, size: int) -> bytes:
        """Read its memory.

        Raises:
            OSError: EFAULT.
            Gone: it was killed; nothing changed.
        """
        try:
            return self._memory.read(self.thread, address, min(size, _BYTES_MAX)) if size else b""
        except OSError as error:
            if error.errno == errno.ESRCH:
                raise Gone from error
            if error.errno == errno.EPERM:
                raise _unreadable(self, error) from error
            raise

    def string(self, address: int) -> bytes:
        """Read a string that ends in a zero byte.

        Raises:
            OSError: EFAULT; ENAMETOOLONG.
        """
        found, zero, _ = self._begin_of_string(address).partition(b"\0")
        while not zero:
            if len(found) >= _PATH_BYTES_MAX:
                raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
            at = address + len(found)
            piece = self.read(at, min(_PIECE_BYTES, _PAGE_BYTES - at % _PAGE_BYTES))
            head, zero, _ = piece.partition(b"\0")
            found += head
        return found

    def _begin_of_string(self, address: int) -> bytes:
        """Read by descriptor, in a third of the time; nothing where that cannot be.

        What the program itself may not read (PROT_NONE) is read all the same.
        """
        try:
            if self._own_memory < 0:
                if not self._is_settled:
                    return b""
                self._own_memory = os.open(f"/proc/{self.thread}/mem", os.O_RDONLY | os.O_CLOEXEC)
            return os.pread(self._own_memory, _PIECE_BYTES, address)
        except (OSError, OverflowError):
            return b""

    def vectors(self, address: int, count: int) -> bytes:
        """Read what a list of (address, size) pairs points to.

        Raises:
            OSError: EFAULT; EINVAL.
        """
        if count > _VECTORS_MAX:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        words = unpack(f"={2 * count}Q", self.read(address, 16 * count))
        pieces = zip(words[::2], words[1::2], strict=True)
        return b"".join(self.read(start, size) for start, size in pieces)


def _unreadable(task: Task, error: OSError) -> RecordingRefused:
    return RecordingRefused(
        f"process {task.process}: its memory may not be read ({error}), so its calls cannot be "
        "followed. It was ended; its files stand. Run it as the same user as the recorder, "
        "and not from a program that only may be executed."
    )


class Tasks:
    """The threads met last; `poll` tells when one ended, before its number is given again."""

    def __init__(self, poll: select.poll) -> None:
        self._known: dict[int, Task] = {}
        self._threads: dict[int, int] = {}
        self._executing: dict[int, int] = {}
        self.standing = Standing()
        self._poll = poll
        self._memory = kernel.MemoryReader()

    def of(self, thread: int) -> Task:
        """Return the thread with this number.

        Raises:
            Gone: it was killed.
        """
        if thread in self._executing:
            self._executed(thread)
        self.standing.settle(thread)
        task = self._known.get(thread)
        if task is None or not task.is_current():
            task = self._meet(thread)
        return task

    def _meet(self, thread: int) -> Task:
        self.standing.leave(thread)
        self.forget(thread)
        if len(self._known) >= TASKS_MAX:
            self.forget(next(iter(self._known)))
        task = self._known[thread] = Task(thread, self._memory, self.standing)
        self._threads[task.pidfd] = thread
        self._poll.register(task.pidfd, select.POLLIN)
        if task.process in self._executing.values():
            task.executes()
        return task

    def ended(self, pidfd: int) -> Task:
        """The poll told that one has ended: let go of it, and return what it was."""
        thread = self._threads[pidfd]
        task = self._known[thread]
        self._executed(thread)
        self.standing.settle(thread)
        self.standing.leave(thread)
        self.forget(thread)
        return task

    def executes(self, task: Task) -> None:
        """A thread is about to have its process run another program."""
        self._executing[task.thread] = task.process
        for one in self._known.values():
            if one.process == task.process:
                one.executes()

    def _executed(self, thread: int) -> None:
        """An exec is over: the thread that asked for it calls again, or is gone."""
        process = self._executing.pop(thread, None)
        if process is not None and process not in self._executing.values():
            for one in self._known.values():
                if one.process == process:
                    one.settle()

    def forget(self, thread: int) -> None:
        """Let go of one."""
        if (task := self._known.pop(thread, None)) is not None:
            self._poll.unregister(task.pidfd)
            del self._threads[task.pidfd]
            os.close(task.pidfd)
            task.close_memory()

    def close(self) -> None:
        """Let go of all."""
        for thread in list(self._known):
            self.forget(thread)
