"""`FileLock`: one holder at a time among threads, tasks and processes, in the order of asking.

What it does not do: a lock of one machine's kernel does not reach another machine (a network
filesystem may carry it there; `doctor` says what it knows). It excludes who takes it, nobody else.

I1. While an exclusive grant is held, no other is, anywhere on this machine; while a shared one is
    held, no exclusive one is.
I2. A grant ends with `release`, or with the process: whatever kills the holder frees the lock.
I3. The lock file is never removed, and on Linux nothing is written into it.
I4. After a fork the child holds nothing, and nothing that it does frees its parent's lock.
I5. A wait that ends without the lock leaves nothing held, nothing open and nobody stuck behind it.
"""

from __future__ import annotations

import os
from sys import modules

from holdfast.errors import Closed, LockTimeout
from holdfast.primitives.folders import absolute_path
from holdfast.primitives.lock_grants import (
    Grants,
    current_owner,
    current_task,
    running_loop,
    this_thread,
)
from holdfast.primitives.lock_queue import GRACE_S, KEPT_OPEN
from holdfast.primitives.lock_registry import join, leave, members_of
from holdfast.primitives.lock_waiters import TaskWaiter, ThreadWaiter
from holdfast.vfs import CLOCK, SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any, Self

    from holdfast.primitives.lock_queue import Gate
    from holdfast.vfs import VFS, Clock, Holder

__all__ = ["FileLock"]


class FileLock:
    """Excludes threads, asyncio tasks and processes from what a lock file stands for.

    `with lock:` holds it alone, `with lock.shared():` together with other readers; `async with`
    does the same without blocking the event loop. The file is made when it is missing, and stays:
    it is never removed and, on Linux, never written to. Any program that uses `flock` (flock(1),
    filelock, portalocker and their like in other languages) is excluded as well. When the holder
    ends, however it ends, the lock is free.

    Waiting is first come, first served within a process, and in the order of the kernel between
    processes; nothing polls. Readers of one process do not overtake a writer that waits there;
    readers of *other* processes can.

    One object may be used by any number of threads and tasks; each is an owner of its own. What an
    owner has it cannot take again, unless `reentrant=True` says so: then each `release` undoes one
    `acquire`. After a fork the child holds nothing, and a `release` there of what the parent had
    taken does nothing.

    An exception of a signal handler (`KeyboardInterrupt`) that strikes while the lock is taken or
    given back leaves it free, with one exception that Python code cannot prevent: at the very entry
    of `release`, or of the end of a `with` block, it comes before the first line of ours, and the
    lock stays held. `locked` tells, and `close()` gives it back.

    Do not remove the lock file while it may be in use: whoever holds the lock then and whoever
    takes it next, on a new file, do not exclude each other. That the path names another file now
    is noticed when the lock is next taken, or a millisecond later.

    Args:
        path: The lock file; its folder must exist. It is made absolute at once.
        reentrant: Whether an owner may take what it has already.
        permissions: The mode of a file that is made, less the umask; the first object of a path in
            this process decides.
        vfs: The filesystem.
        clock: What `timeout_s` is measured with.

    Raises:
        ValueError: The name is that of a temporary file, which a sweeper removes; nothing was done.
    """

    __slots__ = (
        "__weakref__",
        "_clock",
        "_file",
        "_gate",
        "_grants",
        "_held",
        "_reentrant",
    )

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        reentrant: bool = False,
        permissions: int = 0o666,
        vfs: VFS = SYSTEM,
        clock: Clock = CLOCK,
    ) -> None:
        self._reentrant = reentrant
        self._clock = clock
        self._grants = Grants()
        self._held = self._grants.held  # the same dictionary, one step nearer
        absolute = absolute_path(path)
        if absolute.endswith("-tmp"):
            from holdfast.primitives.target import refuse_temporary

            refuse_temporary(absolute, os.path.basename(absolute))
        gate = join(absolute, self._grants, permissions=permissions, vfs=vfs, clock=clock)
        self._gate: Gate | None = gate
        self._file = gate.file

    # ------------------------------------------------------------ taking and giving back

    def acquire(self, *, shared: bool = False, timeout_s: float | None = None) -> None:
        """Take the lock, exclusively or shared; when this returns, it is held until `release`.

        Args:
            shared: Together with other shared holders.
            timeout_s: How long to wait; 0 tries once, None waits for as long as it takes.

        Raises:
            LockTimeout: Somebody else had it all the time; nothing is held. It names the holder.
            RuntimeError: This owner has it already and would wait for itself, or asks for an
                exclusive lock inside its own shared one. Nothing changed.
            FileNotFoundError: The folder of the lock file is missing; nothing was made.
            OSError: The system cannot open or lock the file; nothing is held.
            ValueError: `timeout_s` is no length of time.
            Closed: After `close`.
        """
        gate = self._gate
        if gate is not None and timeout_s is None and not (self._held or gate.queue):
            # Now: a call between the win and its entry could be interrupted, and keep the lock.
            owner = this_thread.owner if "asyncio.events" not in modules else current_owner()
            description = gate.take_now(shared=shared)
            if description is not None:
                self._held[owner] = description
                return
        self._acquire_in_turn(shared=shared, timeout_s=timeout_s)

    def _acquire_in_turn(self, *, shared: bool, timeout_s: float | None) -> None:
        owner = current_owner()
        gate = self._begin(owner, shared=shared, timeout_s=timeout_s)
        if gate is None:
            return
        start_s = self._clock.monotonic()
        may_be_ours = gate.busy  # seen before the try: a win that nobody wants may be under way
        description = None if gate.queue else gate.take_now(shared=shared)
        if description is None:
            limit_s = timeout_s
            if timeout_s is None:
                self._refuse_to_wait_for_itself(gate, owner, blocks_loop=True)
            elif not timeout_s and may_be_ours and not gate.queue:
                limit_s = GRACE_S
            if limit_s != 0:
                waiter = ThreadWaiter(shared=shared, timed=limit_s is not None)
                description = gate.wait(waiter, limit_s)
        if description is None:
            waited_s = self._clock.monotonic() - start_s
            raise self._timeout(waited_s, self._file.holder_or_none())
        if self._gate is None:
            gate.give_back(description)
            raise self._closed()
        self._held[owner] = description

    def aacquire(
        self, *, shared: bool = False, timeout_s: float | None = None
    ) -> Coroutine[Any, Any, None]:
        """Take the lock as `acquire` does, for the current task, without blocking the event loop.

        The owner is the task that makes the call, also if another one awaits it (as `wait_for` of
        Python 3.11 has it done); if it has the lock already, it is the task that awaits. When it is
        cancelled, nothing is held. `release` gives the lock back; it never waits.

        Args:
            shared: Together with other shared holders.
            timeout_s: How long to wait; 0 tries once, None waits for as long as it takes.

        Raises:
            LockTimeout: Somebody else had it all the time; nothing is held. It names the holder.
            RuntimeError: This task has it already and would wait for itself, or asks for an
                exclusive lock inside its own shared one. Nothing changed.
            FileNotFoundError: The folder of the lock file is missing; nothing was made.
            OSError: The system cannot open or lock the file; nothing is held.
            ValueError: `timeout_s` is no length of time.
            Closed: After `close`.
        """
        return self._acquire_async(current_task(), shared=shared, timeout_s=timeout_s)

    async def _acquire_async(
        self, caller: object, *, shared: bool, timeout_s: float | None
    ) -> None:
        from asyncio import get_running_loop

        owner = caller or current_owner()
        if owner in self._held and not self._reentrant:
            owner = current_owner()
        gate = self._begin(owner, shared=shared, timeout_s=timeout_s)
        if gate is None:
            return
        start_s = self._clock.monotonic()
        description = None if gate.queue else gate.take_now(shared=shared, may_open=False)
        if description is None:
            if timeout_s is None:
                self._refuse_to_wait_for_itself(gate, current_owner(), blocks_loop=False)
            once = timeout_s == 0 and not gate.queue
            waiter = TaskWaiter(get_running_loop(), shared=shared, once=once)
            if once or timeout_s != 0:
                description = await gate.wait_async(waiter, timeout_s or None)
        if description is None:
            waited_s = self._clock.monotonic() - start_s
            raise self._timeout(waited_s, await gate.lookup.ask())
        if self._gate is None:
            gate.give_back(description)
            raise self._closed()
        if owner in self._held:
            owner = self._grants.free_owner(current_owner())
        self._held[owner] = description

    def release(self) -> None:
        """Give the lock back; it is free when this returns. Never waits.

        A thread or task gives back its own grant; where there is but one, anybody may, and so one
        whose task is over. In a forked child, giving back what the parent took does nothing.

        Raises:
            RuntimeError: The caller has nothing to give back.
            OSError: The unlock failed, and the file was closed instead, which frees the lock too.
        """
        held = self._held
        try:
            owner, description = held.popitem() if len(held) == 1 else self._grants.pop_own()
        except KeyError:
            self._release_nothing()
            return
        if description.count > 1:
            description.count -= 1
            held[owner] = description
            return
        gate = self._gate
        if gate is None:
            description.discard()
            return
        try:
            description.file.unlock()  # here, not in a call: it could be interrupted at its entry
        except BaseException as error:
            description.discard()
            self._file.explain(error)
            raise
        if len(gate.idle) < KEPT_OPEN:
            gate.idle.append(description)  # as `keep` does, which would be a call more
        else:
            gate.keep(description)

    def _release_nothing(self) -> None:
        """Pass over what a fork or `close` took away; anything else is a mistake of the caller."""
        if self._grants.lost:
            self._grants.lost -= 1
            return
        held = f"{len(self._held)} others hold it shared" if self._held else "it is not held"
        raise RuntimeError(
            f"{self.path}: nothing to release: {held} by this object. "
            "The lock is unchanged. Release once for each acquire, in the same thread or task."
        )

    # ------------------------------------------------------------ owners

    def _begin(self, owner: object, *, shared: bool, timeout_s: float | None) -> Gate | None:
        """Check the call; no gate if the owner has the lock already and one more was counted."""
        if timeout_s is not None and not timeout_s >= 0:
            raise ValueError(f"timeout_s is {timeout_s}, and must be None, 0 or more")
        if self._gate is None:
            raise self._closed()
        held = self._held.get(owner)
        if held is None:
            return self._gate
        if self._reentrant:
            if held.shared and not shared:
                raise RuntimeError(
                    f"{self.path}: a shared lock cannot become exclusive. "
                    "It is still held, shared. Release it first, and read again after acquiring."
                )
            held.count += 1
            return None
        if shared and held.shared:
            raise self._self_wait()
        return self._gate

    def _refuse_to_wait_for_itself(self, gate: Gate, owner: object, *, blocks_loop: bool) -> None:
        """Raise if the holder is the caller, through this object or another, or a stopped task."""
        loop = running_loop() if blocks_loop else None
        if any(grants.stand_before(owner, loop) for grants in members_of(gate)):
            raise self._self_wait()

    def _self_wait(self) -> RuntimeError:
        return RuntimeError(
            f"{self.path}: this thread or task holds the lock, and would wait for itself. "
            "It is still held. Do what must be done inside the outer hold, use `async with` (for a "
            "document `aedit`) among tasks, or one FileLock with reentrant=True."
        )

    # ------------------------------------------------------------ telling

    @property
    def path(self) -> str:
        """The absolute path of the lock file."""
        return self._file.path

    @property
    def locked(self) -> bool:
        """Whether this object holds the lock, in any of its threads and tasks."""
        return bool(self._held)

    def holder(self) -> Holder | None:
        """Say which process holds the lock: a hint for people; None if it is free, or nobody tells.

        Raises:
            OSError: The file is there and cannot be opened.
        """
        return self._file.holder()

    def _timeout(self, waited_s: float, holder: Holder | None) -> LockTimeout:
        whose = "this process, " if holder is not None and holder.pid == os.getpid() else ""
        by = f"{whose}{holder}" if holder is not None else "somebody whom the system does not name"
        return LockTimeout(
            f"{self.path}: not free within {waited_s:.3g} s; held by {by}. "
            "Nothing is held and nothing was changed. "
            "Wait longer (timeout_s=), or end that program.",
            path=self.path,
            waited_s=waited_s,
            holder=holder,
        )

    def _closed(self) -> Closed:
        return Closed(
            f"{self.path}: this lock object is closed. Nothing is held by it. Make a new one."
        )

    def __repr__(self) -> str:
        state = "closed" if self._gate is None else "held" if self._held else "not held"
        return f"<FileLock {self.path!r}, {state}>"

    # ------------------------------------------------------------ with and close

    def shared(self) -> SharedLock:
        """Return what `with` and `async with` take to hold the lock together with other readers."""
        return SharedLock(self)

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.release()

    async def __aenter__(self) -> Self:
        await self.aacquire()
        return self

    async def __aexit__(self, kind: object, error: object, trace: object) -> None:
        self.release()

    def close(self) -> None:
        """Give back what this object holds, and let go of the file; idempotent.

        The descriptors are closed when the last object of the path is. A block of `with` that is
        still open ends without an error.
        """
        gate, self._gate = self._gate, None
        self._grants.lose(unlock=True)
        if gate is not None:
            leave(gate, self._grants)


class SharedLock:
    """Holds a `FileLock` shared for the length of a `with` or `async with` block."""

    __slots__ = ("_lock",)

    def __init__(self, lock: FileLock) -> None:
        self._lock = lock

    def __enter__(self) -> FileLock:
        self._lock.acquire(shared=True)
        return self._lock

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._lock.release()

    async def __aenter__(self) -> FileLock:
        await self._lock.aacquire(shared=True)
        return self._lock

    async def __aexit__(self, kind: object, error: object, trace: object) -> None:
        self._lock.release()
