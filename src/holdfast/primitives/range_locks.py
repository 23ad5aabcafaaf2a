"""Holding parts of what a lock file stands for: what `record_locks` and `block_locks` share.

A part is one byte of the lock file or more, locked through one open file description a process, so
the kernel excludes other processes and lets go when one dies, however it dies. Among the threads of
a process a table does, which asks the kernel once for what several of them have. The file is never
removed or written to; its whole-file lock is left alone.

I1. Who holds a part alone is the only thread of all processes that does.
I2. A hold ends with its block, or with the process. One that an exception of a signal handler cuts
    off, wherever it strikes, ends at the latest when that exception is dropped.
I3. After a fork the child holds nothing, and nothing that it does frees what its parent has.
I4. A wait that ends without the part leaves nothing held and nobody stuck behind it.
"""

from __future__ import annotations

import errno
from abc import ABC, abstractmethod
from collections import deque
from itertools import count

from holdfast.errors import Closed, LockTimeout
from holdfast.light_threading import Lock, RLock, local
from holdfast.primitives.forks import call_in_child
from holdfast.primitives.lock_file import TRUST_S, LockFile
from holdfast.vfs import CLOCK, SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Self

    from holdfast.primitives.lock_file import Description
    from holdfast.vfs import VFS, Clock, File

__all__ = ["Hold", "LockBytes", "Owner", "RangeLocks", "Table", "closed"]

_NEVER_S = float("-inf")
_ALL_BYTES = 2**63 - 1
_FIRST_PAUSE_S = 0.0002
_numbers = count(1)  # of blocks; one C call: no two get the same
_LONGEST_PAUSE_S = 0.01


class LockBytes:
    """The lock file, opened when it is needed, and its bytes as the kernel has them.

    Attributes: `look_s`: until then `file` is trusted to be what the path names.
    """

    __slots__ = ("_description", "_lock_file", "clock", "file", "look_s", "monotonic", "path")

    def __init__(self, path: str, *, permissions: int, vfs: VFS, clock: Clock) -> None:
        self.path = path
        self.clock = clock
        self.monotonic = clock.monotonic
        self.look_s = _NEVER_S
        self.file: File | None = None
        self._lock_file = LockFile(path, permissions=permissions, vfs=vfs, clock=clock)
        self._description: Description | None = None

    def open(self, is_idle: Callable[[], bool]) -> File:
        """Return the open file; if another has taken its name and nothing is held, that one."""
        description = self._description
        if description and not self._lock_file.is_current(description) and is_idle():
            self.close()
            description = None
        if description is None:
            description = self._description = self._lock_file.open()
        self.file = description.file
        self.look_s = self.monotonic() + TRUST_S
        return description.file

    def drop(self, start: int, size: int) -> None:
        """Give bytes back; what was never opened holds none."""
        if self.file is not None:
            self.file.unlock_range(start, size)

    def wait(self, place: tuple[int, int], deadline_s: float | None, *, shared: bool) -> bool:
        """Wait in the kernel; with a deadline by asking again after short pauses. False: over."""
        if self.file is None:
            raise closed(self.path)
        take = self.file.lock_range
        if deadline_s is None:
            return take(*place, shared=shared)
        pause_s, sleeper = _FIRST_PAUSE_S, Lock()
        sleeper.acquire()
        while not take(*place, shared=shared, block=False):
            left_s = deadline_s - self.clock.monotonic()
            if left_s <= 0:
                return False
            sleeper.acquire(timeout=min(pause_s, left_s))
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
        return True

    def close(self) -> None:
        """Close, and give everything back; never fails."""
        description, self._description = self._description, None
        self.file, self.look_s = None, _NEVER_S
        if description is not None:
            try:
                # A close alone would not do while a forked child has a copy.
                description.file.unlock_range(0, _ALL_BYTES)
            except OSError:
                pass
            description.forget()

    def forget(self) -> None:
        """Close the copies of a forked child, which gives nothing back."""
        self._description = self.file = None
        self.look_s = _NEVER_S
        for description in list(self._lock_file.descriptions):
            description.forget()

    def explain(self, error: OSError) -> None:
        """Note on a refusal of the system what is held, and what to do."""
        if error.filename is None:
            error.filename = self.path
        if error.errno == errno.EBADF:
            error.add_note(f"{self.path}: it cannot be opened for writing, which this lock needs.")
            return
        error.add_note(
            f"{self.path}: the system refused to lock or unlock bytes of this file. "
            "What was asked for is not held, and no file was changed. "
            "Keep the lock file on a local filesystem; `holdfast doctor` says what yours gives."
        )


class Owner:
    """A thread: what it has or is about to have, and which of its blocks keep that.

    Attributes: `held` is empty if it has nothing; `outer` numbers the block that took it, 0 when
    that is over; `inner`: the blocks inside that asked for the same again.
    """

    __slots__ = ("held", "inner", "outer")

    def __init__(self) -> None:
        self.held: tuple[Any, ...] = ()
        self.outer = 0
        self.inner: set[int] = set()


class _Owners(local):
    def __init__(self) -> None:
        self.owner = Owner()


class Table(ABC):
    """Who has what in this process; a forked child begins with a new one."""

    def __init__(self, lock_bytes: LockBytes) -> None:
        self.bytes = lock_bytes
        self.mutex = RLock()  # `end_dropped` asks whose it is
        self.owners = _Owners()
        self.closed = False
        self.dead = False
        self.dropped: deque[tuple[Owner, int]] = deque()

    @abstractmethod
    def acquire(self, owner: Owner, wanted: tuple[Any, ...], deadline_s: float | None) -> bool:
        """Take all for a thread that has nothing; False if the time is over and some is missing."""

    @abstractmethod
    def refuse_more(self, owner: Owner, wanted: tuple[Any, ...]) -> None:
        """Raise RuntimeError unless a thread that has something has all of this."""

    @abstractmethod
    def release(self, owner: Owner) -> None:
        """Give back what a thread has; the mutex is held. May be repeated after an interrupt."""

    @abstractmethod
    def is_idle(self) -> bool:
        """Whether nobody has anything, or is about to."""

    @abstractmethod
    def count_waiting(self) -> int:
        """Count the threads that wait for others of this process; the mutex is held."""

    @abstractmethod
    def wake(self) -> None:
        """Let all who wait look again; the mutex is held."""

    def end(self, owner: Owner, block: int) -> None:
        """End a block of a thread, whose last one gives all back; the mutex is held.

        May be repeated, whatever the thread has begun meanwhile.

        Raises:
            OSError: The system refused; what could not be given back is given back later.
        """
        if owner.outer == block:
            owner.outer = 0
        owner.inner.discard(block)
        if owner.outer or owner.inner:
            return
        self.release(owner)
        if self.closed and self.is_idle():
            self.bytes.close()

    def end_dropped(self) -> None:
        """End the blocks that were cut off; whoever has the mutex now does it afterwards."""
        # A collection may come while this very thread has the mutex.
        while self.dropped and not self.mutex._is_owned():  # type: ignore[attr-defined]  # noqa: SLF001
            with self.mutex:
                for block in list(self.dropped):
                    self._end_quietly(*block)
                    self.dropped.remove(block)

    def _end_quietly(self, owner: Owner, block: int) -> None:
        """End a block of which nobody can be told that it failed; it is given back later."""
        try:
            self.end(owner, block)
        except BaseException:
            return

    def close(self) -> None:
        """Refuse new holds and those who wait; close the file with the last that is held."""
        with self.mutex:
            self.closed = True
            self.wake()
            if self.is_idle():
                self.bytes.close()


class Hold:
    """A block that has parts of what the lock file stands for: `with locks.hold(...):`."""

    __slots__ = ("_number", "_owner", "_table", "_timeout_s", "_wanted")

    def __init__(self, table: Table, wanted: tuple[Any, ...], timeout_s: float | None) -> None:
        self._owner: Owner | None = None
        self._number = 0
        self._table = table
        self._wanted = wanted
        self._timeout_s = timeout_s

    def __enter__(self) -> Self:
        table = self._table
        owner = table.owners.owner
        if self._owner is not None or table.closed or table.dead:
            raise self._refusal()
        number = self._number = next(_numbers)
        if owner.held:
            table.refuse_more(owner, self._wanted)
            self._owner = owner
            owner.inner.add(number)
            return self
        self._owner = owner  # from here on `__del__` gives back
        try:
            owner.outer = number
            deadline_s = None
            if self._timeout_s is not None:
                deadline_s = table.bytes.monotonic() + self._timeout_s
            if not table.acquire(owner, self._wanted, deadline_s):
                raise _timeout(table.bytes.path, self._timeout_s or 0.0)
        except BaseException as error:
            if isinstance(error, OSError) and not isinstance(error, LockTimeout):
                table.bytes.explain(error)
            self._leave()
            raise
        return self

    def _refusal(self) -> Exception:
        table = self._table
        if self._owner is None and table.closed:
            return closed(table.bytes.path)
        return RuntimeError(
            f"{table.bytes.path}: this hold was entered before, or belongs to the parent process. "
            "Nothing changed. Ask for a new one."
        )

    def __exit__(self, *_: object) -> None:
        table, owner = self._table, self._owner
        try:
            if owner is None or table.dead:
                return
            with table.mutex:
                table.end(owner, self._number)
            self._owner = None
            if table.dropped:
                table.end_dropped()
        except OSError as error:
            self._table.bytes.explain(error)
            raise
        except BaseException:
            self._leave()  # an interrupt cut it off
            raise

    def _leave(self) -> None:
        table, owner = self._table, self._owner
        if owner is None or table.dead:
            return
        with table.mutex:
            table.end(owner, self._number)
        self._owner = None
        if table.dropped:
            table.end_dropped()

    def __del__(self) -> None:
        try:
            if self._owner is None or self._table.dead:
                return
        except AttributeError:
            return  # interrupted before it had one
        self._table.dropped.append((self._owner, self._number))
        self._table.end_dropped()


class RangeLocks(ABC):
    """What a program keeps: where the lock file is, and the table of this process.

    Args:
        path: The lock file; its folder must exist. It is made when it is first needed.
        permissions: The mode of a file that is made, less the umask.
        vfs: The filesystem.
        clock: What `timeout_s` is measured with.
    """

    def __init__(
        self, path: str, *, permissions: int = 0o666, vfs: VFS = SYSTEM, clock: Clock = CLOCK
    ) -> None:
        self.path = path
        self._permissions = permissions
        self._vfs = vfs
        self._clock = clock
        self._table = self._new_table()
        call_in_child(self._forget_parent)

    @abstractmethod
    def _table_of(self, lock_bytes: LockBytes) -> Table:
        """Make a table of this kind."""

    def _new_table(self) -> Table:
        lock_bytes = LockBytes(
            self.path, permissions=self._permissions, vfs=self._vfs, clock=self._clock
        )
        return self._table_of(lock_bytes)

    def _hold(self, wanted: tuple[Any, ...], timeout_s: float | None) -> Hold:
        if timeout_s is not None and not timeout_s >= 0:
            raise ValueError(f"timeout_s is {timeout_s}, and must be None, 0 or more")
        return Hold(self._table, wanted, timeout_s)

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._table.closed

    @property
    def waiting(self) -> int:
        """How many threads wait for others of this process."""
        with self._table.mutex:
            return self._table.count_waiting()

    def close(self) -> None:
        """Refuse new holds, and those who wait in this process; may be repeated.

        What is held stays held until its block ends: the lock file is closed then. Who waits for
        another process is refused when it is done.
        """
        self._table.close()

    def _forget_parent(self) -> None:
        parent, was_closed = self._table, self._table.closed
        parent.dead = True
        parent.bytes.forget()
        self._table = self._new_table()
        self._table.closed = was_closed


def closed(path: str) -> Closed:
    """Make the error of what is used after `close`."""
    return Closed(f"{path}: these locks are closed. Nothing is held. Open the file anew.")


def _timeout(path: str, waited_s: float) -> LockTimeout:
    return LockTimeout(
        f"{path}: what was asked for is not free within {waited_s:.3g} s. "
        "Nothing is held and nothing was changed. "
        "Wait longer (timeout_s=), or end the thread or program that holds it.",
        path=path,
        waited_s=waited_s,
    )
