from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from holdfast.primitives.lock_file import LockFile
from holdfast.primitives.lock_grants import Grants
from holdfast.primitives.lock_queue import Gate
from holdfast.primitives.lock_waiters import TaskWaiter, ThreadWaiter
from holdfast.vfs import CLOCK
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace, Traced

pytestmark = pytest.mark.usefixtures("no_thread_left")


class Setup:
    """A gate on a memory filesystem, and a description of its file that plays another process."""

    def __init__(self, *faults: Fault) -> None:
        self.disk = MemoryVFS()
        self.disk.write_tree({"/a.lock": b""})
        folder = self.disk.folder("/")
        self.other = folder.open("a.lock", "write")
        folder.close()
        vfs = Faulty(self.disk, *faults) if faults else self.disk
        self.gate = Gate(LockFile("/a.lock", permissions=0o666, vfs=vfs, clock=CLOCK))
        self.member = Grants()
        self.gate.members.add(self.member)
        self.threads: list[threading.Thread] = []

    @property
    def waiting_in_kernel(self) -> int:
        inode = self.other.description.inode
        return 0 if inode.flock is None else len(inode.flock.waiting)

    def spawn(self, do: Callable[[], object]) -> threading.Thread:
        thread = threading.Thread(target=do)
        self.threads.append(thread)
        thread.start()
        return thread

    def close(self) -> None:
        for thread in self.threads:
            thread.join(10)
        self.other.close()
        self.gate.members.discard(self.member)
        self.gate.close_idle()


def until(condition: Callable[[], object]) -> None:
    """Wait for another thread, at most five seconds."""
    for _ in range(5000):
        if condition():
            return
        time.sleep(0.001)
    raise AssertionError("waited in vain")


@pytest.fixture
def setup() -> Iterator[Setup]:
    made = Setup()
    yield made
    made.close()
    until(lambda: not made.gate.busy)
    assert [] == made.disk.leftovers()


def test_i1_taking_now_never_waits(setup) -> None:
    """A busy lock is None at once, and the description is kept for the next try."""
    setup.other.lock()

    assert setup.gate.take_now(shared=False) is None
    assert 1 == len(setup.gate.idle)

    setup.other.unlock()
    description = setup.gate.take_now(shared=False)

    assert [] == setup.gate.idle

    setup.gate.give_back(description)


def test_taking_now_may_be_kept_from_opening(setup) -> None:
    """An event loop does not open files: without an idle description the answer is None."""
    assert setup.gate.take_now(shared=False, may_open=False) is None

    description = setup.gate.take_now(shared=False)
    setup.gate.give_back(description)

    assert setup.gate.take_now(shared=False, may_open=False) is description

    setup.gate.give_back(description)


def test_few_descriptions_stay_open(setup) -> None:
    """However many readers there were, two descriptions are kept."""
    readers = [setup.gate.take_now(shared=True) for _ in range(7)]
    for description in readers:
        setup.gate.give_back(description)

    assert 2 == len(setup.gate.idle)
    assert 3 == len(setup.disk.open_files)


def test_few_descriptions_stay_open_after_tries_at_once() -> None:
    """However many found the lock busy at the same moment, two descriptions are kept."""
    disk = MemoryVFS()
    vfs = Trace(disk)
    gate = Gate(LockFile("/a.lock", permissions=0o666, vfs=vfs, clock=CLOCK))
    holder = gate.take_now(shared=False)
    found: list[object] = []

    def try_as_well(call: Traced) -> None:
        if call.operation == "lock" and len(disk.open_files) < 9:
            found.append(gate.take_now(shared=False))

    vfs.subscribe(try_as_well)
    found.append(gate.take_now(shared=False))

    assert [None] * 8 == found
    assert 2 == len(gate.idle)
    assert 3 == len(disk.open_files)

    assert holder is not None
    gate.give_back(holder)
    gate.close_idle()

    assert [] == disk.leftovers()


def test_i2_threads_of_every_kind_are_served_in_order(setup) -> None:
    """Timed and untimed threads come in the order in which they queued."""
    setup.other.lock()
    served: list[int] = []

    def wait(number: int) -> None:
        waiter = ThreadWaiter(shared=False, timed=number % 3 != 0)
        description = setup.gate.wait(waiter, 30.0 if number % 3 else None)
        served.append(number)
        setup.gate.give_back(description)

    for number in range(12):
        setup.spawn(lambda n=number: wait(n))
        until(lambda n=number: len(setup.gate.queue) == n + 1)
    setup.other.unlock()
    until(lambda: len(served) == 12)

    assert list(range(12)) == served


def test_i3_the_first_waits_in_the_kernel_while_the_lock_is_held(setup) -> None:
    """One description of the process stands in the kernel's own queue, and never more."""
    setup.other.lock()

    def wait(*, timed: bool) -> None:
        waiter = ThreadWaiter(shared=False, timed=timed)
        setup.gate.give_back(setup.gate.wait(waiter, 30.0 if timed else None))

    for number in range(4):
        setup.spawn(lambda n=number: wait(timed=n % 2 == 0))
        until(lambda n=number: len(setup.gate.queue) == n + 1)
    until(lambda: setup.waiting_in_kernel)

    assert 1 == setup.waiting_in_kernel

    setup.other.unlock()
    until(lambda: not setup.gate.queue)


def test_i3_next_in_turn_is_in_the_kernel_before_the_release(setup) -> None:
    """A process that has waiters does not overtake another process by its own releases."""
    held = setup.gate.take_now(shared=False)
    order: list[str] = []

    def ours(name: str) -> None:
        description = setup.gate.wait(ThreadWaiter(shared=False, timed=False), None)
        order.append(name)
        setup.gate.give_back(description)

    def theirs() -> None:
        setup.other.lock()
        order.append("theirs")
        setup.other.unlock()

    setup.spawn(lambda: ours("first"))
    until(lambda: setup.waiting_in_kernel == 1)
    setup.spawn(theirs)
    until(lambda: setup.waiting_in_kernel == 2)
    setup.spawn(lambda: ours("second"))
    until(lambda: len(setup.gate.queue) == 2)
    setup.gate.give_back(held)
    until(lambda: len(order) == 3)

    assert ["first", "theirs", "second"] == order


def test_i4_a_win_for_nobody_is_given_back(setup) -> None:
    """When the only waiter's time is over, the late win frees the lock at once."""
    setup.other.lock()

    assert setup.gate.wait(ThreadWaiter(shared=False, timed=True), 0.01) is None
    assert 1 == setup.waiting_in_kernel

    setup.other.unlock()
    until(lambda: not setup.gate.busy and not setup.disk.held_locks)

    assert setup.other.lock(block=False)


@pytest.mark.parametrize("shared", [False, True])
def test_i4_a_win_goes_to_whoever_is_first_now(setup, shared) -> None:
    """The wait of one who gave up serves the next, also one who would wait alone or read only."""
    setup.other.lock()

    assert setup.gate.wait(ThreadWaiter(shared=False, timed=True), 0.01) is None

    won = []
    waiter = ThreadWaiter(shared=shared, timed=False)
    setup.spawn(lambda: won.append(setup.gate.wait(waiter, None)))
    until(lambda: setup.gate.queue)

    assert 1 == setup.waiting_in_kernel

    setup.other.unlock()
    until(lambda: won)

    assert [shared] == [description.shared for description in won]
    assert setup.other.lock(shared=True, block=False) == shared

    setup.gate.give_back(won[0])


def test_i5_a_timeout_in_the_middle_of_the_queue_lets_the_others_through(setup) -> None:
    """Whoever gives up leaves the queue, and those behind are served."""
    setup.other.lock()
    won = []
    setup.spawn(lambda: won.append(setup.gate.wait(ThreadWaiter(shared=False, timed=True), 30.0)))
    until(lambda: setup.gate.queue)

    assert setup.gate.wait(ThreadWaiter(shared=False, timed=True), 0.01) is None
    assert 1 == len(setup.gate.queue)

    setup.other.unlock()
    until(lambda: won)
    setup.gate.give_back(won[0])


def test_readers_do_not_overtake_a_writer_that_waits(setup) -> None:
    """A reader that comes after a writer is served after it."""
    reading = setup.gate.take_now(shared=True)
    order: list[str] = []

    def wait(name: str, *, shared: bool) -> None:
        description = setup.gate.wait(ThreadWaiter(shared=shared, timed=False), None)
        order.append(name)
        setup.gate.give_back(description)

    setup.spawn(lambda: wait("writer", shared=False))
    until(lambda: len(setup.gate.queue) == 1)
    setup.spawn(lambda: wait("reader", shared=True))
    until(lambda: len(setup.gate.queue) == 2)
    setup.gate.give_back(reading)
    until(lambda: len(order) == 2)

    assert ["writer", "reader"] == order


def test_i4_a_grant_to_a_closed_loop_goes_on_to_the_next(setup) -> None:
    """An event loop that was closed with a waiter in the queue does not keep the lock."""
    setup.other.lock()
    loop = asyncio.new_event_loop()
    waiter = TaskWaiter(loop, shared=False)
    waiting = setup.gate.wait_async(waiter, None)
    waiting.send(None)
    loop.close()
    won = []
    setup.spawn(lambda: won.append(setup.gate.wait(ThreadWaiter(shared=False, timed=True), 30.0)))
    until(lambda: len(setup.gate.queue) == 2)
    setup.other.unlock()
    until(lambda: won)

    assert waiter.description is None

    setup.gate.give_back(won[0])
    waiting.close()


def test_i5_a_forgotten_coroutine_holds_nothing(setup) -> None:
    """A task that is collected after the grant and before it ran gives the lock back."""
    setup.other.lock()
    loop = asyncio.new_event_loop()
    waiter = TaskWaiter(loop, shared=False)
    waiting = setup.gate.wait_async(waiter, None)
    waiting.send(None)
    setup.other.unlock()
    until(lambda: waiter.description)
    del waiting
    gc.collect()

    assert setup.other.lock(block=False)

    loop.close()


def test_i5_a_coroutine_may_leave_while_the_mutex_is_held(setup) -> None:
    """The collector may end a waiting coroutine at any point, also inside the gate itself."""
    setup.other.lock()
    loop = asyncio.new_event_loop()
    waiting = setup.gate.wait_async(TaskWaiter(loop, shared=False), None)
    waiting.send(None)
    with setup.gate.mutex:
        waiting.close()

        assert 0 == len(setup.gate.queue)

    setup.other.unlock()
    loop.close()


def test_single_try_of_a_task_does_not_stay_in_the_kernel(setup) -> None:
    """One that tries once is told that the lock is busy, and nobody goes on waiting for it."""
    setup.other.lock()

    async def main() -> object:
        loop = asyncio.get_running_loop()
        return await setup.gate.wait_async(TaskWaiter(loop, shared=False, once=True), None)

    assert asyncio.run(main()) is None
    assert (0, 0) == (setup.waiting_in_kernel, len(setup.gate.queue))


def test_single_try_of_a_task_does_not_queue(setup) -> None:
    """One that tries once, and finds that another thread was faster, does not wait for it."""
    setup.gate.queue.append(ThreadWaiter(shared=False, timed=True))

    async def main() -> object:
        loop = asyncio.get_running_loop()
        waiter = TaskWaiter(loop, shared=False, once=True)
        return await asyncio.wait_for(setup.gate.wait_async(waiter, None), 5)

    assert asyncio.run(main()) is None

    setup.gate.queue.clear()


@pytest.mark.parametrize("timed", [False, True])
def test_i5_an_error_of_the_kernel_reaches_the_one_whose_turn_it_is(timed) -> None:
    """A refused lock raises in the waiter, and the next one gets the lock."""
    made = Setup(Fault("lock", 1, effect="ENOLCK"))
    with pytest.raises(OSError, match=r"a\.lock"):
        made.gate.wait(ThreadWaiter(shared=False, timed=timed), 30.0 if timed else None)

    won = made.gate.wait(ThreadWaiter(shared=False, timed=timed), 30.0 if timed else None)

    assert won is not None

    made.gate.give_back(won)
    made.close()

    assert [] == made.disk.leftovers()


def test_failed_unlock_frees_the_lock_by_closing() -> None:
    """The error is told, and the lock is free all the same."""
    made = Setup(Fault("unlock", 1, effect="EIO"))
    held = made.gate.take_now(shared=False)

    assert held is not None

    with pytest.raises(OSError, match=r"a\.lock"):
        made.gate.give_back(held)

    assert made.other.lock(block=False)

    made.close()

    assert [] == made.disk.leftovers()


def test_thread_of_the_gate_ends_when_it_is_idle(setup) -> None:
    """The thread lingers for a moment and goes; the next wait starts another."""
    for _ in range(2):
        setup.other.lock()

        assert setup.gate.wait(ThreadWaiter(shared=False, timed=True), 0.001) is None

        setup.other.unlock()
        until(lambda: setup.gate.thread is None)


def test_thread_of_the_gate_serves_many_waits(setup) -> None:
    """Within its lingering time one thread serves all."""
    seen = set()
    for _ in range(20):
        setup.other.lock()
        setup.gate.wait(ThreadWaiter(shared=False, timed=True), 0.001)
        seen.add(setup.gate.thread)
        setup.other.unlock()
        until(lambda: not setup.gate.busy)

    assert 1 == len(seen)


def test_failure_to_start_the_thread_reaches_the_waiter(setup) -> None:
    """Where the system has no more threads, the waiter is told and the queue is not stuck."""

    class Barren(Gate):
        __slots__ = ()

        def _start_thread(self) -> None:
            raise RuntimeError("can't start new thread")

    barren = Barren(setup.gate.file)
    with pytest.raises(RuntimeError, match="thread"):
        barren.wait(ThreadWaiter(shared=False, timed=True), 30.0)

    assert 0 == len(barren.queue)
