"""Group commit: threads and tasks that commit at the same time share one frame and one sync.

Guarantee: every caller learns the outcome of its own items; those of one call lie together, in
    one frame. While nobody else appends, the caller commits by itself, and no thread is involved.

I1  Whoever commits holds `_turn`; what comes meanwhile gathers for the thread.
I2  A commit that fails fails for all whose items were in it, each with an exception of its own.
I3  Who gathers wakes the thread, and that waits for its turn. So who has the turn owes nobody
    anything but to give it back, which `with` does, also when an interrupt ends the commit.
"""

from __future__ import annotations

from collections import deque
from functools import partial
from threading import Lock, Thread, get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from asyncio import Future as Awaited
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future
    from typing import Any, Generic, TypeAlias, TypeVar

    Waiter: TypeAlias = "tuple[Future[Any] | Awaited[Any], AbstractEventLoop | None, int]"
else:
    from holdfast.light_typing import Generic, TypeVar

__all__ = ["GroupCommit"]

_Item = TypeVar("_Item")
_T = TypeVar("_T")
_Outcome = TypeVar("_Outcome")

GROUP_BYTES = 1 << 20
"""A group that has so many bytes is left to itself: a frame is read as a whole."""
GROUP_ITEMS = 1 << 16
_LINGER_S = 5.0


class _Group(Generic[_Item, _T]):
    """Items that are committed together, and who waits for that."""

    __slots__ = ("error", "gate", "items", "outcomes", "size_bytes", "waiters")

    def __init__(self) -> None:
        self.items: list[_Item] = []
        self.size_bytes = 0
        self.waiters: list[Waiter] = []
        self.gate = Lock()
        self.gate.acquire()
        self.outcomes: Sequence[_T] = ()
        self.error: BaseException | None = None


class GroupCommit(Generic[_Item, _T]):
    """Gathers what is to be committed while a commit is under way.

    Args:
        commit: commits items as one and returns an outcome for each.
        name: of the thread.
        serving: is given each commit of the thread, and makes it; None: it is made.
    """

    def __init__(
        self,
        commit: Callable[[Sequence[_Item]], Sequence[_T]],
        *,
        name: str,
        serving: Callable[[Callable[[], Sequence[_T]]], Sequence[_T]] | None = None,
    ) -> None:
        self._commit = commit
        self._name = name
        self._serving = serving or _made
        self.forget()

    def forget(self) -> None:
        """Begin anew with nothing under way; in a forked child."""
        self._mutex = Lock()
        self._turn = Lock()
        self._groups: deque[_Group[_Item, _T]] = deque()
        self._thread: Thread | None = None
        self._server = 0  # the thread while it has the turn
        self._job = Lock()
        self._job.acquire()

    def commit(self, items: Sequence[_Item], size_bytes: int) -> _T:
        """Commit items together and return the outcome of the last one.

        Raises:
            Exception: as the commit; nothing of these items is committed then.
            KeyboardInterrupt: the items may be committed, or be on their way.
        """
        with self._mutex:
            group, at = None, 0
            is_alone = not (self._groups or self._turn.locked())
            if not is_alone and self._server != get_ident():
                group = self._join(items, size_bytes)
                at = len(group.items)
        if group is not None:
            return _outcome(group, at)
        if not is_alone:  # a callback of a future, in the thread itself
            return self._commit(items)[-1]
        with self._turn:
            return self._commit(items)[-1]

    def in_turn(self, act: Callable[[], _Outcome]) -> _Outcome:
        """Do something in this thread while nobody commits; not from within a commit.

        Raises:
            Exception: as `act`.
        """
        if self._server == get_ident():  # a callback of a future, in the thread itself
            return act()
        with self._turn:
            return act()

    def submit(self, items: Sequence[_Item], size_bytes: int) -> Future[_T]:
        """Queue items; the future gets the outcome of the last one, or the error."""
        from concurrent.futures import Future

        future: Future[_T] = Future()
        future.set_running_or_notify_cancel()
        self._queue(items, size_bytes, (future, None))
        return future

    async def acommit(self, items: Sequence[_Item], size_bytes: int) -> _T:
        """`commit` for a task; cancelled, the outcome is waited for first.

        Raises:
            Exception: as the commit.
            asyncio.CancelledError: the items are committed, or could not be.
        """
        import asyncio

        loop = asyncio.get_running_loop()
        future: asyncio.Future[_T] = loop.create_future()
        self._queue(items, size_bytes, (future, loop))
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
        items: Sequence[_Item],
        size_bytes: int,
        waiter: tuple[Future[_T] | Awaited[_T], AbstractEventLoop | None],
    ) -> None:
        with self._mutex:
            group = self._join(items, size_bytes)
            group.waiters.append((*waiter, len(group.items)))

    def _join(self, items: Sequence[_Item], size_bytes: int) -> _Group[_Item, _T]:
        """Add items to the last group that has room, for the thread; with the mutex held (I3)."""
        self._wake()
        group: _Group[_Item, _T] | None = self._groups[-1] if self._groups else None
        if (
            group is None
            or group.size_bytes + size_bytes > GROUP_BYTES
            or len(group.items) + len(items) > GROUP_ITEMS
        ):
            group = _Group()
            self._groups.append(group)
        group.items += items
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
                if group.items:
                    group.outcomes = self._serving(partial(self._commit, group.items))
            except BaseException as error:
                group.error = error
            _settle(group)

    def _next(self) -> _Group[_Item, _T] | None:
        with self._mutex:
            return self._groups.popleft() if self._groups else None

    def _may_end(self) -> bool:
        """Look whether there is nothing to do; then the next group gets a new thread."""
        with self._mutex:
            if self._groups:
                return False
            self._thread = None
            return True


def _made(commit: Callable[[], Sequence[_T]]) -> Sequence[_T]:
    return commit()


def _outcome(group: _Group[_Item, _T], at: int) -> _T:
    with group.gate:  # let go at once: the next one waits at the same gate
        pass
    if group.error is not None:
        raise _copy(group.error)
    return group.outcomes[at - 1]


def _settle(group: _Group[_Item, _T]) -> None:
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


def _tell(group: _Group[_Item, _T], waiters: Sequence[Waiter]) -> None:
    for future, _, at in waiters:
        if future.done():
            continue
        if group.error is None:
            future.set_result(group.outcomes[at - 1])
        else:
            future.set_exception(_copy(group.error))


def _copy(error: BaseException) -> BaseException:
    """Return an exception of its own for each waiter: a shared one would share its traceback."""
    from copy import copy

    copied = copy(error)
    copied.__cause__ = error
    return copied
