"""Group commit: threads and tasks that append at the same time share one frame and one sync.

Guarantee: every caller learns the outcome of its own records; those of one call lie together, in
    one frame. While nobody else appends, the caller commits by itself, and no thread is involved.

I1  Whoever commits holds `_turn`; what comes meanwhile gathers for the thread.
I2  A commit that fails fails for all whose records were in it, each with an exception of its own.
I3  Who gathers wakes the thread, and that waits for its turn. So who has the turn owes nobody
    anything but to give it back, which `with` does, also when an interrupt ends the commit.
"""

from __future__ import annotations

from collections import deque
from threading import Lock, Thread, get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from asyncio import Future as Awaited
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future
    from typing import TypeAlias

    Waiter: TypeAlias = "tuple[Future[int] | Awaited[int], AbstractEventLoop | None, int]"

__all__ = ["GroupCommit"]

GROUP_BYTES = 1 << 20
"""A group that has so many bytes is left to itself: a frame is read as a whole."""
GROUP_RECORDS = 1 << 16
_LINGER_S = 5.0


class _Group:
    """Records that are committed together, and who waits for that."""

    __slots__ = ("error", "gate", "last", "records", "size_bytes", "waiters")

    def __init__(self) -> None:
        self.records: list[bytes] = []
        self.size_bytes = 0
        self.waiters: list[Waiter] = []
        self.gate = Lock()
        self.gate.acquire()
        self.last = 0
        self.error: BaseException | None = None


class GroupCommit:
    """Gathers what is appended while a commit is under way.

    Args:
        commit: commits records as one and returns the last sequence.
        name: of the thread.
    """

    def __init__(self, commit: Callable[[Sequence[bytes]], int], *, name: str) -> None:
        self._commit = commit
        self._name = name
        self.forget()

    def forget(self) -> None:
        """Begin anew with nothing under way; in a forked child."""
        self._mutex = Lock()
        self._turn = Lock()
        self._groups: deque[_Group] = deque()
        self._thread: Thread | None = None
        self._server = 0  # the thread while it has the turn
        self._job = Lock()
        self._job.acquire()

    def append(self, records: Sequence[bytes], size_bytes: int) -> int:
        """Commit records and return the last sequence; they have one frame.

        Raises:
            Exception: as the commit; nothing of these records is in the log then.
            KeyboardInterrupt: the records may be in the log, or be on their way.
        """
        with self._mutex:
            group, at = None, 0
            is_alone = not (self._groups or self._turn.locked())
            if not is_alone and self._server != get_ident():
                group = self._join(records, size_bytes)
                at = len(group.records)
        if group is not None:
            return _outcome(group, at)
        if not is_alone:  # a callback of a future, in the thread itself
            return self._commit(records)
        with self._turn:
            return self._commit(records)

    def submit(self, records: Sequence[bytes], size_bytes: int) -> Future[int]:
        """Queue records; the future gets the last sequence, or the error."""
        from concurrent.futures import Future

        future: Future[int] = Future()
        future.set_running_or_notify_cancel()
        self._queue(records, size_bytes, (future, None))
        return future

    async def aappend(self, records: Sequence[bytes], size_bytes: int) -> int:
        """Commit records as `append`, for a task; cancelled, the outcome is waited for first.

        Raises:
            Exception: as the commit.
            asyncio.CancelledError: the records are in the log, or could not be committed.
        """
        import asyncio

        loop = asyncio.get_running_loop()
        future: asyncio.Future[int] = loop.create_future()
        self._queue(records, size_bytes, (future, loop))
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            while not future.done():
                try:
                    await asyncio.wait([future])
                except asyncio.CancelledError:
                    continue  # raised below, when the outcome is there
            if not future.cancelled():
                future.exception()  # looked at: nobody else will
            raise

    # ------------------------------------------------------------ the queue

    def _queue(
        self,
        records: Sequence[bytes],
        size_bytes: int,
        waiter: tuple[Future[int] | Awaited[int], AbstractEventLoop | None],
    ) -> None:
        with self._mutex:
            group = self._join(records, size_bytes)
            group.waiters.append((*waiter, len(group.records)))

    def _join(self, records: Sequence[bytes], size_bytes: int) -> _Group:
        """Add records to the last group that has room, for the thread; with the mutex held (I3)."""
        self._wake()
        group = self._groups[-1] if self._groups else None
        if (
            group is None
            or group.size_bytes + size_bytes > GROUP_BYTES
            or len(group.records) + len(records) > GROUP_RECORDS
        ):
            group = _Group()
            self._groups.append(group)
        group.records += records
        group.size_bytes += size_bytes
        return group

    def drain(self) -> None:
        """Return when everything that was begun before is committed, or has failed."""
        if self._server == get_ident():
            return self._serve_all()
        with self._mutex:
            if not (self._groups or self._turn.locked()):
                return None
            group = self._join((), 0)
        with group.gate:
            return None

    # ------------------------------------------------------------ the thread

    def _wake(self) -> None:
        """See to it that the thread looks for groups; with the mutex held."""
        if self._thread is None:
            thread = Thread(target=self._serve, name=self._name, daemon=True)
            thread.start()
            self._thread = thread
        if self._job.locked():
            self._job.release()

    def _serve(self) -> None:
        while self._job.acquire(timeout=_LINGER_S) or not self._may_end():
            with self._turn:
                self._server = get_ident()
                try:
                    self._serve_all()
                finally:
                    self._server = 0

    def _serve_all(self) -> None:
        """Commit group after group; with the turn."""
        while (group := self._next()) is not None:
            try:
                if group.records:
                    group.last = self._commit(group.records)
            except BaseException as error:
                group.error = error
            _settle(group)

    def _next(self) -> _Group | None:
        with self._mutex:
            return self._groups.popleft() if self._groups else None

    def _may_end(self) -> bool:
        """Look whether there is nothing to do; then the next group gets a new thread."""
        with self._mutex:
            if self._groups:
                return False
            self._thread = None
            return True


def _outcome(group: _Group, at: int) -> int:
    with group.gate:  # let go at once: the next one waits at the same gate
        pass
    if group.error is not None:
        raise _copy(group.error)
    return group.last - len(group.records) + at


def _settle(group: _Group) -> None:
    """Tell everybody who waits for a group."""
    group.gate.release()
    loops: dict[AbstractEventLoop, list[Waiter]] = {}
    for waiter in group.waiters:
        if (loop := waiter[1]) is None:
            _tell(group, [waiter])
        else:
            loops.setdefault(loop, []).append(waiter)
    for loop, waiters in loops.items():
        try:
            loop.call_soon_threadsafe(_tell, group, waiters)
        except RuntimeError:
            continue  # the loop is closed, and its tasks with it


def _tell(group: _Group, waiters: Sequence[Waiter]) -> None:
    before = group.last - len(group.records)
    for future, _, at in waiters:
        if future.done():
            continue
        if group.error is None:
            future.set_result(before + at)
        else:
            future.set_exception(_copy(group.error))


def _copy(error: BaseException) -> BaseException:
    """Return an exception of its own for each waiter: a shared one would share its traceback."""
    from copy import copy

    copied = copy(error)
    copied.__cause__ = error
    return copied
