"""Those who wait for a lock: threads and tasks, each with its way of being woken."""

from __future__ import annotations

from holdfast.light_threading import Lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from holdfast.primitives.lock_file import Description

__all__ = ["TaskWaiter", "ThreadWaiter", "Waiter", "signal"]


def signal(lock: Lock) -> None:
    """Let whoever waits for this lock go on; may be repeated."""
    try:
        lock.release()
    except RuntimeError:
        pass  # signalled already


class Waiter:
    """A place in the queue; `description` or `error` is set, under the mutex, when it is served."""

    __slots__ = ("description", "error", "once", "shared")
    waits_alone = False

    def __init__(self, *, shared: bool, once: bool = False) -> None:
        self.shared = shared
        self.once = once
        self.description: Description | None = None
        self.error: BaseException | None = None

    def wake(self) -> bool:
        """Wake whoever waits; False if it can never wake again. May be repeated."""
        return False


class ThreadWaiter(Waiter):
    """A thread that waits; without a time limit it waits in the kernel itself when it is first."""

    __slots__ = ("signal", "waits_alone")

    def __init__(self, *, shared: bool, timed: bool) -> None:
        super().__init__(shared=shared)
        self.waits_alone = not timed
        self.signal = Lock()
        self.signal.acquire()

    def wake(self) -> bool:
        """Wake the thread."""
        signal(self.signal)
        return True


class TaskWaiter(Waiter):
    """A task that waits for a future of its event loop."""

    __slots__ = ("future", "loop")

    def __init__(self, loop: AbstractEventLoop, *, shared: bool, once: bool = False) -> None:
        super().__init__(shared=shared, once=once)
        self.loop = loop
        self.future = loop.create_future()

    def wake(self) -> bool:
        """Wake the task, from any thread; False if its event loop is closed."""
        try:
            self.loop.call_soon_threadsafe(self.finish)
        except RuntimeError:
            return False
        return True

    def finish(self) -> None:
        """End the wait; to be called by the event loop."""
        if not self.future.done():
            self.future.set_result(None)
