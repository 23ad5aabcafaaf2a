"""The queue of one process for one lock file: who of its threads and tasks asks the kernel next.

All exclusion is the kernel's: each grant is a `flock` on an open file description of its own, so it
holds between threads, between objects and between processes alike, whatever happens here. A gate
only orders the waiters of this process.

I1. Whoever finds the queue empty asks the kernel once, without waiting; everybody else queues.
I2. The queue is served first come, first served.
I3. At most one wait in the kernel is under way for the queue, on a description of its own, and it
    begins while the holder still holds: so the kernel's queue decides between processes.
I4. A win goes to whoever is first in the queue then; with nobody there it is given back at once.
I5. Whoever leaves early (time over, cancelled, interrupted) holds nothing, and the next is served.

An untimed thread waits in the kernel itself when its turn comes. A wait in the kernel cannot be
called off, so for timed waits and for tasks a thread of the gate does it. That thread starts when
it is first needed and ends when it was idle for a while. It stays in the kernel for as long as
somebody else holds the lock, also when nobody is left in the queue.
"""

from __future__ import annotations

from weakref import WeakSet

from holdfast.light_threading import TIMEOUT_MAX, Lock, RLock
from holdfast.primitives.lock_file import TRUST_S
from holdfast.primitives.lock_holder import HolderLookup
from holdfast.primitives.lock_waiters import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import TimerHandle
    from threading import Thread

    from holdfast.primitives.lock_file import Description, LockFile
    from holdfast.primitives.lock_grants import Grants
    from holdfast.primitives.lock_waiters import TaskWaiter, ThreadWaiter, Waiter

__all__ = ["GRACE_S", "KEPT_OPEN", "Gate"]

KEPT_OPEN = 2
"""Idle descriptions kept by a gate: with two, holder and next in turn need never open the file."""
LINGER_S = 0.2
"""How long the thread of a gate stays without work: a start costs as much as a contended wait."""
GRACE_S = 0.02
"""How long a single try waits when the gate's own thread may have just won what nobody wants."""


class Gate:
    """The queue for one lock file, and the descriptions that are open and idle.

    `members` are the grants of each lock object of the file. The mutex guards everything but
    `idle`, of which single operations are atomic, and is never held during a system call on the
    file. It can be taken again by its thread: the garbage collector may end a forgotten coroutine,
    which then leaves the queue, at any point.
    """

    __slots__ = (
        "__weakref__",
        "busy",
        "file",
        "idle",
        "job",
        "lookup",
        "members",
        "mutex",
        "queue",
        "thread",
    )

    def __init__(self, file: LockFile) -> None:
        self.file = file
        self.members: WeakSet[Grants] = WeakSet()
        self.lookup = HolderLookup(file)
        self.reset()

    def reset(self) -> None:
        """Begin with nothing open, nobody waiting and no thread."""
        self.mutex = RLock()
        self.idle: list[Description] = []
        self.queue: list[Waiter] = []
        self.busy = False  # the thread is in the kernel, or about to be
        self.thread: Thread | None = None
        self.job = Lock()
        self.job.acquire()

    def forget_parent(self) -> None:
        """After a fork, in the child: close what belongs to the parent, and begin anew."""
        for description in list(self.file.descriptions):
            description.forget()
        for grants in list(self.members):
            grants.lose(unlock=False)
        self.lookup.reset()
        self.reset()

    # ------------------------------------------------------------ asking the kernel

    def take_now(self, *, shared: bool, may_open: bool = True) -> Description | None:
        """Take the lock if it is free; None if it is not, or if the file would have to be opened.

        Raises:
            OSError: The file cannot be opened or locked; nothing is held.
        """
        while True:
            try:
                description = self.idle.pop()
            except IndexError:
                if not may_open:
                    return None
                description = self.file.open()
            try:
                is_free = description.file.lock(shared=shared, block=False)
                if is_free:
                    since_s = self.file.monotonic() - description.seen_s
                    if since_s < TRUST_S or self.file.is_current(description):
                        description.shared = shared
                        if not shared:
                            self.file.announce(description.file)
                        return description
            except BaseException as error:
                description.discard()
                self.file.explain(error)
                raise
            if not is_free:
                self.keep(description)
                return None
            description.discard()

    def take_blocking(self, *, shared: bool) -> Description:
        """Wait in the kernel for the lock.

        Raises:
            OSError: The file cannot be opened or locked; nothing is held.
        """
        while True:
            try:
                description = self.idle.pop()
            except IndexError:
                description = self.file.open()
            try:
                description.file.lock(shared=shared)
                if self.file.is_current(description):
                    description.shared = shared
                    if not shared:
                        self.file.announce(description.file)
                    return description
            except BaseException as error:
                description.discard()
                self.file.explain(error)
                raise
            description.discard()

    def give_back(self, description: Description) -> None:
        """Give the lock back; the kernel wakes the next one, who waits there already.

        Raises:
            OSError: The unlock failed; the description was closed, which gives the lock back too.
        """
        try:
            description.file.unlock()
        except BaseException as error:
            description.discard()
            self.file.explain(error)
            raise
        self.keep(description)

    def keep(self, description: Description) -> None:
        """Keep what is unlocked for the next one, who may have it at once: hands off afterwards."""
        self.idle.append(description)
        while len(self.idle) > KEPT_OPEN:
            try:
                surplus = self.idle.pop()
            except IndexError:
                return  # others took them meanwhile
            surplus.forget()

    # ------------------------------------------------------------ waiting in turn

    def wait(self, waiter: ThreadWaiter, timeout_s: float | None) -> Description | None:
        """Wait in turn; None if the time is over. Nothing is held if this raises.

        Raises:
            OSError: The file cannot be opened or locked.
        """
        limit_s = -1.0 if timeout_s is None else min(timeout_s, TIMEOUT_MAX)
        try:
            self._enter(waiter)
            woken = waiter.signal.acquire(timeout=limit_s)
            if woken and waiter.waits_alone and not (waiter.description or waiter.error):
                return self._win_alone(waiter)
            return self._leave(waiter)
        except BaseException:
            self._withdraw(waiter)
            raise

    async def wait_async(self, waiter: TaskWaiter, timeout_s: float | None) -> Description | None:
        """Wait in turn; None if the time is over. Nothing is held if this raises or is cancelled.

        Raises:
            OSError: The file cannot be opened or locked.
        """
        timer: TimerHandle | None = None
        try:
            is_orphaned = self._enter(waiter)
            if waiter.once:
                timeout_s = GRACE_S if is_orphaned else None
            if timeout_s is not None:
                timer = waiter.loop.call_later(timeout_s, waiter.finish)
            await waiter.future
            if timer is not None:
                timer.cancel()
            return self._leave(waiter)
        except BaseException:
            self._withdraw(waiter)
            if timer is not None:
                timer.cancel()
            raise

    def _enter(self, waiter: Waiter) -> bool:
        """Queue up; whether a wait is under way in the kernel that nobody wants any more."""
        with self.mutex:
            is_orphaned = self.busy and not self.queue
            if waiter.once and self.queue:
                waiter.wake()  # somebody was faster: a single try does not wait for them
            else:
                self.queue.append(waiter)
                self._start_first()
        return is_orphaned

    def _win_alone(self, waiter: ThreadWaiter) -> Description:
        description = self.take_blocking(shared=waiter.shared)
        try:
            with self.mutex:
                self._remove(waiter)
                self._start_first()
            return description
        except BaseException:
            description.discard()
            raise

    def _leave(self, waiter: Waiter) -> Description | None:
        """Leave the queue with what it had for this waiter."""
        with self.mutex:
            self._remove(waiter)
            self._start_first()
            if waiter.error is not None:
                raise waiter.error
            return waiter.description

    def _withdraw(self, waiter: Waiter) -> None:
        """Leave the queue with nothing; what was granted meanwhile is given back."""
        with self.mutex:
            self._remove(waiter)
            self._start_first()
            description, waiter.description = waiter.description, None
        if description is not None:
            description.discard()

    def _remove(self, waiter: Waiter) -> None:
        try:
            self.queue.remove(waiter)
        except ValueError:
            pass

    def _start_first(self) -> None:
        """See to it that somebody is in the kernel for the queue; repeated after an interrupt."""
        while self.queue and not self.busy:
            first = self.queue[0]
            if first.waits_alone:
                first.wake()
                return
            try:
                self._start_thread()
                return
            except (RuntimeError, MemoryError) as error:  # no more threads
                self._remove(first)
                first.error = error
                first.wake()

    # ------------------------------------------------------------ the thread of the gate

    def _start_thread(self) -> None:
        if self.thread is not None:
            signal(self.job)
            return
        from threading import Thread

        thread = Thread(target=self._serve, name=f"holdfast-lock-{self.file.name}", daemon=True)
        self.thread = thread
        try:
            thread.start()
        except BaseException:
            self.thread = None  # if it runs all the same, it sees that it is not wanted
            raise

    def _serve(self) -> None:
        from threading import current_thread

        me = current_thread()
        while (first := self._next_job(me)) is not None:
            won: Description | None = None
            failure: BaseException | None = None
            try:
                if first.once:
                    won = self.take_now(shared=first.shared)
                else:
                    won = self.take_blocking(shared=first.shared)
            except BaseException as error:
                failure = error
            self._settle(won, failure)
            del first, won, failure

    def _next_job(self, me: Thread) -> Waiter | None:
        """Wait until the first of the queue needs this thread; None when it is time to end."""
        has_waited = False
        while True:
            with self.mutex:
                if self.thread is not me:
                    return None
                if self.queue and not self.queue[0].waits_alone:
                    self.busy = True
                    return self.queue[0]
                if has_waited or not self.members:
                    self.thread = None
                    return None
            has_waited = not self.job.acquire(timeout=LINGER_S)

    def _settle(self, won: Description | None, failure: BaseException | None) -> None:
        """Hand a win, a refusal or an error to whoever is first now; a win may be unwanted."""
        with self.mutex:
            if won is not None:
                won = self._hand_over(won)
            elif self.queue and (failure is not None or self.queue[0].once):
                first = self.queue.pop(0)
                first.error = failure
                first.wake()
        if won is not None:
            try:
                self.give_back(won)
            except OSError:
                pass  # closed, so given back; there is nobody to tell
        with self.mutex:
            self.busy = False
            self._start_first()

    def _hand_over(self, won: Description) -> Description | None:
        """Hand it to the first who can take it; return it if none is, or wants the other kind."""
        while self.queue and self.queue[0].shared == won.shared:
            first = self.queue.pop(0)
            first.description = won
            if first.wake():
                return None
            first.description = None
        return won

    def close_idle(self) -> None:
        """Close what is idle, and let the thread end; the last member has left."""
        while self.idle:
            self.idle.pop().forget()
        signal(self.job)
