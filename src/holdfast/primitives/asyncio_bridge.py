"""Run blocking calls for coroutines on threads of our own; a cancelled one is never half done.

Guarantee: the event loop is never blocked, and asyncio's default executor is never used, so that
    calls that wait here cannot starve anybody else. A cancelled call either never began, or was
    waited for: when `CancelledError` is raised, nothing of it is still going on. Not guaranteed:
    that cancelling is quick.

I1  A call that has begun is waited for, however often its task is cancelled meanwhile.
I2  A result that nobody will receive any more is handed to `undo`.
I3  The threads are daemons, at most `_THREADS_MAX` of a kind (I6) and one for each call of I5 that
    finds all of them busy, made when needed; a forked child starts with none.
I4  A call that is refused because no thread can be had is not queued: nobody does it later.
I5  What gives something back (`run_now`, `undo`) is never queued behind other calls, which may be
    waiting for just that, nor cancelled.
I6  What waits for a lock that a task may hold while it awaits other calls (`waits`) has threads of
    its own: those calls are never queued behind it.
"""

from __future__ import annotations

import os

from holdfast.light_threading import Lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from concurrent.futures import Future
    from queue import SimpleQueue
    from typing import Any, ParamSpec, TypeVar

    _P = ParamSpec("_P")
    _T = TypeVar("_T")
    _Job = tuple[Future[Any], Callable[[], Any]]

__all__ = ["run", "run_now", "twin"]

_THREADS_MAX = 16


class _Threads:
    """Daemon threads that take jobs from one queue."""

    def __init__(self) -> None:
        from queue import SimpleQueue

        self._jobs: SimpleQueue[_Job] = SimpleQueue()
        self._lock = Lock()
        self._threads = 0
        self._unfinished = 0

    def submit(self, function: Callable[[], _T]) -> Future[_T]:
        """Queue a call; its future can be cancelled until it begins.

        Raises:
            RuntimeError: The system gives no thread, and there is none yet; nothing was queued.
            MemoryError: The same.
        """
        from concurrent.futures import Future

        future: Future[_T] = Future()
        with self._lock:
            if self._unfinished >= self._threads and self._threads < _THREADS_MAX:
                self._add_thread()
            self._unfinished += 1
            self._jobs.put((future, function))
        return future

    def begin(self, function: Callable[[], _T]) -> Future[_T]:
        """Begin a call at once (I5); where no thread can be had for it, in this one."""
        from concurrent.futures import Future

        future: Future[_T] = Future()
        with self._lock:
            if self._unfinished >= self._threads and self._threads < _THREADS_MAX:
                self._try_to_add_thread()
            if self._unfinished < self._threads:  # one of them is idle
                self._unfinished += 1
                self._jobs.put((future, function))
                return future
        _begin_alone(future, function)
        return future

    def _add_thread(self) -> None:
        self._threads += 1
        name = f"holdfast-{self._threads}"
        try:
            from threading import Thread

            Thread(target=self._work, name=name, daemon=True).start()
        except BaseException as error:
            self._threads -= 1
            if self._threads and isinstance(error, (RuntimeError, MemoryError)):
                return  # the others will get to it
            error.add_note("Nothing was begun, and nothing will be. Try again later.")
            raise

    def _try_to_add_thread(self) -> None:
        try:
            self._add_thread()
        except (RuntimeError, MemoryError):
            return  # the system gives none

    def _work(self) -> None:
        while True:
            _do(*self._jobs.get())
            with self._lock:
                self._unfinished -= 1


def _begin_alone(future: Future[Any], function: Callable[[], Any]) -> None:
    from threading import Thread

    try:
        Thread(target=_do, args=(future, function), name="holdfast-now", daemon=True).start()
    except (RuntimeError, MemoryError):  # the system gives none, and nobody may wait for one
        _do(future, function)


def _do(future: Future[Any], function: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = function()
    except StopIteration as error:  # no future of asyncio takes it
        refused = RuntimeError("the function raised StopIteration")
        refused.__cause__ = error
        future.set_exception(refused)
    except BaseException as error:
        future.set_exception(error)
    else:
        future.set_result(result)


_threads: dict[bool, _Threads] = {}
_making = Lock()


def _our_threads(*, waits: bool = False) -> _Threads:
    with _making:
        if waits not in _threads:
            _threads[waits] = _Threads()
        return _threads[waits]


def _forget_parent() -> None:
    """In a forked child: its threads do not exist, and the lock may be held by one of them."""
    global _making
    _threads.clear()
    _making = Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parent)


async def run(
    function: Callable[[], _T],
    *,
    undo: Callable[[_T], object] | None = None,
    waits: bool = False,
) -> _T:
    """Run `function` on a thread and return its result (I1, I2).

    Args:
        function: what blocks.
        undo: called on a thread with the result, if the task was cancelled meanwhile.
        waits: it waits for a lock that tasks hold (I6).

    Raises:
        asyncio.CancelledError: the call never began, or is over.
    """
    import asyncio

    job = _our_threads(waits=waits).submit(_in_context(function))
    waiter = asyncio.wrap_future(job)
    try:
        return await asyncio.shield(waiter)
    except asyncio.CancelledError:
        if job.cancel() or job.cancelled():
            raise
        if await _outcome(waiter) and undo is not None:
            result = job.result()
            await _outcome(asyncio.wrap_future(_our_threads().begin(lambda: undo(result))))
        raise


async def run_now(function: Callable[[], _T]) -> _T:
    """Run `function`, which gives something back that others may wait for, on a thread (I5).

    Raises:
        asyncio.CancelledError: the call is over.
    """
    import asyncio

    waiter = asyncio.wrap_future(_our_threads().begin(_in_context(function)))
    try:
        return await asyncio.shield(waiter)
    except asyncio.CancelledError:
        await _outcome(waiter)
        raise


def _in_context(function: Callable[[], _T]) -> Callable[[], _T]:
    from contextvars import copy_context

    context = copy_context()
    return lambda: context.run(function)


async def _outcome(waiter: Any) -> bool:
    """Wait for the end, whatever is cancelled meanwhile; True if there is a result."""
    import asyncio

    while not waiter.done():
        try:
            await asyncio.wait([waiter])
        except asyncio.CancelledError:
            continue  # remembered by the caller, which raises it when the call is over
    return not waiter.cancelled() and waiter.exception() is None


def twin(
    function: Callable[_P, _T], *, waits: bool = False
) -> Callable[_P, Coroutine[Any, Any, _T]]:
    """Make the asyncio twin of a function: the same arguments, awaited; `waits`: as of `run`."""

    async def awaited(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        return await run(lambda: function(*args, **kwargs), waits=waits)

    awaited.__name__ = awaited.__qualname__ = f"a{function.__name__}"
    awaited.__module__ = function.__module__
    awaited.__annotations__ = function.__annotations__
    awaited.__dict__["__wrapped__"] = function  # its signature, for help() and editors
    awaited.__doc__ = (
        f"`{function.__name__}` for asyncio, on a thread of its own.\n\n"
        "Cancelled, it was done wholly or not at all, and nothing of it goes on.\n"
    )
    return awaited
