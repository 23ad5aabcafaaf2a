from __future__ import annotations

import asyncio
import os
import random
import threading
import time
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.errors import Closed, LockTimeout
from holdfast.primitives.lock import FileLock
from holdfast.primitives.lock_waiters import ThreadWaiter
from holdfast.vfs.memory import MemoryVFS

pytestmark = pytest.mark.usefixtures("no_thread_left")


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "a.lock"


@pytest.fixture
def lock(path) -> Iterator[FileLock]:
    made = FileLock(path)
    yield made
    made.close()


async def settled(condition) -> None:
    """Wait for the loop and for other threads, at most five seconds."""
    for _ in range(5000):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("waited in vain")


async def queued(lock: FileLock, count: int) -> None:
    gate = lock._gate
    assert gate is not None
    await settled(lambda: len(gate.queue) == count)


def run(main: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(asyncio.wait_for(main, 60))


def test_async_with_holds_and_gives_back(lock, path) -> None:
    """`async with` is `with` without blocking the event loop, exclusive and shared."""

    async def main() -> None:
        async with lock as held:
            assert held is lock
            assert lock.locked
        async with lock.shared() as held:
            assert held is lock
            assert lock.locked

    run(main())

    assert not lock.locked
    assert b"" == path.read_bytes()


def test_tasks_exclude_each_other(lock) -> None:
    """Tasks that await inside the block lose no update."""
    total = 0

    async def work() -> None:
        nonlocal total
        for _ in range(10):
            async with lock:
                seen = total
                await asyncio.sleep(0)
                total = seen + 1

    async def main() -> None:
        await asyncio.gather(*(work() for _ in range(30)))

    run(main())

    assert 300 == total


def test_tasks_of_two_loops_and_threads_exclude_each_other(lock) -> None:
    """Event loops in several threads, and plain threads, share one lock."""
    total = 0

    async def work(count: int) -> None:
        nonlocal total
        for _ in range(count):
            async with lock:
                seen = total
                await asyncio.sleep(0)
                total = seen + 1

    def plain(count: int) -> None:
        nonlocal total
        for _ in range(count):
            with lock:
                seen = total
                time.sleep(0)
                total = seen + 1

    threads = [threading.Thread(target=lambda: run(work(50))) for _ in range(3)]
    threads += [threading.Thread(target=plain, args=(50,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert 300 == total


def test_two_hundred_tasks_and_fifty_threads_are_served_in_order(lock) -> None:
    """Everybody is served in the order of asking, while the holder awaits its own loop.

    A fifth of the tasks is cancelled in the queue, a fifth of all gives up, and nobody is lost.
    """
    served: list[int] = []
    gave_up: list[int] = []
    cancelled: list[int] = []
    choose = random.Random(7)
    kinds = ["task"] * 200 + ["thread"] * 50
    choose.shuffle(kinds)
    fates = [choose.choice(["patient", "patient", "timed", "hasty", "cancelled"]) for _ in kinds]
    limits = {"patient": None, "cancelled": None, "timed": 50.0, "hasty": 0.02}

    async def task(number: int) -> None:
        try:
            await lock.aacquire(timeout_s=limits[fates[number]])
        except LockTimeout:
            gave_up.append(number)
        except asyncio.CancelledError:
            cancelled.append(number)
        else:
            served.append(number)
            await asyncio.sleep(0)
            lock.release()

    def thread(number: int) -> None:
        try:
            lock.acquire(timeout_s=limits[fates[number]])
        except LockTimeout:
            gave_up.append(number)
        else:
            served.append(number)
            lock.release()

    seen: list[object] = []

    def has_entered(number: int) -> bool:
        new = [waiter for waiter in list(lock._gate.queue) if waiter not in seen]
        seen.extend(new)
        return bool(new) or number in gave_up

    async def main() -> None:
        tasks: dict[int, asyncio.Task[None]] = {}
        threads = [threading.Thread(target=thread, args=(n,), daemon=True) for n in range(250)]
        async with lock:
            for number, kind in enumerate(kinds):
                if kind == "task":
                    tasks[number] = asyncio.create_task(task(number))
                else:
                    threads[number].start()
                await settled(lambda n=number: has_entered(n))
            for number, one in tasks.items():
                if fates[number] == "cancelled":
                    one.cancel()
            await settled(lambda: len(gave_up) == fates.count("hasty"))
        await asyncio.gather(*tasks.values())
        await settled(lambda: not any(one.is_alive() for one in threads))

    run(main())
    patient = [n for n, fate in enumerate(fates) if fate in {"patient", "timed"}]
    also = [n for n, fate in enumerate(fates) if fate == "cancelled" and kinds[n] == "thread"]

    assert sorted(patient + also) == served
    assert [n for n, fate in enumerate(fates) if fate == "hasty"] == sorted(gave_up)
    assert [n for n, f in enumerate(fates) if f == "cancelled" and kinds[n] == "task"] == cancelled


def test_holder_that_awaits_those_who_wait_for_it_is_not_starved(lock) -> None:
    """Waiters with a limit inside the holder's own block time out, and the block goes on."""

    async def waiter() -> str:
        try:
            async with asyncio.timeout(30):
                await lock.aacquire(timeout_s=0.05)
        except LockTimeout as error:
            return str(error.holder is not None)
        return "took it"

    async def main() -> list[str]:
        async with lock:
            return await asyncio.gather(*(waiter() for _ in range(100)))

    assert ["True"] * 100 == run(main())


def test_waiting_uses_no_thread_of_an_executor(lock) -> None:
    """A hundred tasks that wait leave the executor of the loop to everybody else."""

    async def main() -> str:
        loop = asyncio.get_running_loop()
        async with lock:
            tasks = [asyncio.create_task(lock.aacquire()) for _ in range(100)]
            await queued(lock, 100)
            answer = await loop.run_in_executor(None, lambda: "free")
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return answer

    assert "free" == run(main())


def test_event_loop_is_not_blocked_by_a_wait(lock, path) -> None:
    """While a task waits for another thread's lock, the loop turns."""
    holder = FileLock(path)
    holder.acquire()

    async def main() -> int:
        waiting = asyncio.create_task(lock.aacquire())
        turns = 0
        await queued(lock, 1)
        for _ in range(100):
            await asyncio.sleep(0)
            turns += not waiting.done()
        holder.release()
        await waiting
        lock.release()
        return turns

    assert 100 == run(main())


@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize("timeout_s", [0, 0.03])
def test_timeout_names_the_holder(lock, path, timeout_s, warm) -> None:
    """The error names the process that holds the lock, whether the file was open or not."""
    if warm:
        with lock:
            pass
    holder = FileLock(path)

    async def main() -> LockTimeout:
        with pytest.raises(LockTimeout) as caught:
            await lock.aacquire(timeout_s=timeout_s)
        return caught.value

    thread_done = threading.Event()
    held = threading.Event()

    def hold() -> None:
        with holder:
            held.set()
            thread_done.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(30)
    error = run(main())
    thread_done.set()
    thread.join()

    assert timeout_s <= error.waited_s < timeout_s + 5
    assert error.holder is not None
    assert "this process" in str(error)


@pytest.mark.parametrize("timeout_s", [0, 1, None])
def test_free_lock_is_taken_whatever_the_limit(path, timeout_s) -> None:
    """Also the first time, when the file has yet to be opened."""

    async def main() -> None:
        for _ in range(3):
            lock = FileLock(path)
            await lock.aacquire(timeout_s=timeout_s)
            lock.release()
            await lock.aacquire(timeout_s=timeout_s)
            lock.release()
            lock.close()

    run(main())


def test_single_try_in_a_queue_is_refused(lock) -> None:
    """Who tries once does not overtake those who wait."""

    async def main() -> None:
        async with lock:
            waiting = asyncio.create_task(lock.aacquire())
            await queued(lock, 1)
            with pytest.raises(LockTimeout):
                await asyncio.create_task(lock.aacquire(timeout_s=0))
        await waiting
        lock.release()

    run(main())


def test_single_try_does_not_overtake_even_if_the_lock_is_free(lock) -> None:
    """Between a release and the next grant the lock is free, but not for newcomers."""
    with lock:
        pass
    first = ThreadWaiter(shared=False, timed=True)
    lock._gate.queue.append(first)

    async def main() -> None:
        with pytest.raises(LockTimeout):
            await lock.aacquire(timeout_s=0)

    run(main())
    lock._gate.queue.remove(first)


def test_limit_that_is_no_time_is_refused(lock) -> None:
    """The mistake is told at once."""

    async def main() -> None:
        with pytest.raises(ValueError, match="timeout_s"):
            await lock.aacquire(timeout_s=-1)

    run(main())


def test_cancelled_before_the_grant(lock) -> None:
    """A cancelled waiter holds nothing and does not stop those behind it."""

    async def main() -> None:
        async with lock:
            first, second = (asyncio.create_task(lock.aacquire()) for _ in range(2))
            await queued(lock, 2)
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
            assert not second.done()
        await second
        assert lock.locked
        lock.release()

    run(main())

    assert not lock.locked


def test_cancelled_after_the_grant(lock, path) -> None:
    """Cancelled between the grant and its first step, a task has given the lock back."""

    async def main() -> None:
        for _ in range(20):
            await lock.aacquire()
            waiting = asyncio.create_task(lock.aacquire())
            await queued(lock, 1)
            waiter = lock._gate.queue[0]
            lock.release()
            for _ in range(100_000):  # no await: the task must not take its step
                if waiter.description is not None:
                    break
                os.sched_yield()
            assert waiter.description is not None
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            other = FileLock(path)
            await other.aacquire(timeout_s=5)
            other.release()
            other.close()

    run(main())


def test_storm_of_cancellations_leaves_the_lock_free(lock) -> None:
    """Hundreds of tasks cancelled at any moment: exclusion holds, and in the end all is free."""
    inside = 0
    done = 0
    most: list[int] = []

    async def work(number: int) -> None:
        nonlocal inside, done
        async with lock:
            inside += 1
            most.append(inside)
            try:
                await asyncio.sleep(0.0001 * (number % 3))
            finally:
                inside -= 1
        done += 1

    async def main() -> None:
        choose = random.Random(3)
        tasks = [asyncio.create_task(work(n)) for n in range(300)]
        for task in choose.sample(tasks, 150):
            await asyncio.sleep(choose.random() * 0.001)
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await lock.aacquire(timeout_s=5)
        lock.release()

    run(main())

    assert done >= 150
    assert {1} == set(most)


def test_loop_that_ends_with_waiters_leaves_them_out(lock, path) -> None:
    """A loop that was closed in the middle of a wait does not keep the lock from others."""
    holder = FileLock(path)
    holder.acquire()
    loop = asyncio.new_event_loop()
    task = loop.create_task(lock.aacquire())
    loop.call_later(0.02, loop.stop)
    loop.run_forever()
    holder.release()
    time.sleep(0.02)  # the grant is on its way to a loop that does not run
    task.cancel()
    loop.run_until_complete(asyncio.wait([task]))
    loop.close()

    assert task.cancelled()

    holder.acquire(timeout_s=5)
    holder.release()


def test_task_that_would_wait_for_itself_is_told(lock, path) -> None:
    """By the same object or another; with a limit it times out."""

    async def main() -> None:
        async with lock:
            with pytest.raises(RuntimeError, match="wait for itself"):
                await lock.aacquire()
            with pytest.raises(RuntimeError, match="wait for itself"):
                await FileLock(path).aacquire()
            with pytest.raises(LockTimeout):
                await lock.aacquire(timeout_s=0.01)

    run(main())


def test_blocking_call_that_would_stop_its_holder_is_told(lock) -> None:
    """A `with` in one task would stop the loop in which the task that holds the lock has to run."""

    async def main() -> None:
        async with lock:

            async def blunder() -> None:
                with pytest.raises(RuntimeError, match="async with"):
                    lock.acquire()

            await asyncio.create_task(blunder())

    run(main())


def test_reentrant_lock_counts_by_task(path) -> None:
    """Blocks of one task count together, synchronous or not; another task is another owner."""
    lock = FileLock(path, reentrant=True)

    async def try_it() -> None:
        await lock.aacquire(timeout_s=0.01)

    async def main() -> None:
        async with lock, lock:
            with lock, pytest.raises(LockTimeout):
                await asyncio.create_task(try_it())
            assert lock.locked
        assert not lock.locked

    run(main())


def test_owner_is_the_task_that_calls_whoever_awaits(path) -> None:
    """`wait_for` may await in a task of its own: the caller takes it again, and gives it back."""
    lock = FileLock(path, reentrant=True)

    async def main() -> None:
        await asyncio.create_task(lock.aacquire())
        await asyncio.create_task(lock.aacquire(timeout_s=0.01))
        await lock.aacquire(timeout_s=0.01)

        assert [asyncio.current_task()] == list(lock._held)

        for _ in range(3):
            lock.release()

    run(main())

    assert not lock.locked


def test_readers_with_wait_for_give_back_their_own(lock) -> None:
    """Each reader that took it through `wait_for` has something to release, and no more."""

    async def read(others_are_in: asyncio.Barrier) -> None:
        await asyncio.wait_for(lock.aacquire(shared=True), 20)
        await others_are_in.wait()
        lock.release()

    async def main() -> None:
        barrier = asyncio.Barrier(3)
        await asyncio.gather(*(read(barrier) for _ in range(3)))

        assert not lock.locked
        with pytest.raises(RuntimeError, match="nothing to release"):
            lock.release()

    run(main())


def test_one_task_may_take_several_at_once(lock, path) -> None:
    """Shared grants that one task asks for side by side are kept apart, and all given back."""
    writer = FileLock(path)

    async def main() -> None:
        asking = [asyncio.create_task(lock.aacquire(shared=True)) for _ in range(3)]
        await lock.aacquire(shared=True)
        await asyncio.gather(*asking)
        for _ in range(4):
            with pytest.raises(LockTimeout):
                await writer.aacquire(timeout_s=0)
            lock.release()
        await writer.aacquire(timeout_s=0)
        writer.release()

    run(main())

    assert not lock.locked


def test_grant_of_a_task_that_is_over_can_be_released(lock) -> None:
    """Among several, a caller without one gives back what a task that has ended left behind."""

    async def leave_it() -> None:
        await lock.aacquire(shared=True)

    async def main() -> None:
        may_end = asyncio.Event()

        async def live() -> None:
            async with lock.shared():
                await may_end.wait()

        living = [asyncio.create_task(live()) for _ in range(2)]
        await asyncio.create_task(leave_it())
        await settled(lambda: len(lock._held) == 3)
        lock.release()

        assert set(living) == set(lock._held)
        with pytest.raises(RuntimeError, match="nothing to release"):
            lock.release()

        may_end.set()
        await asyncio.gather(*living)

    run(main())

    assert not lock.locked


def test_shared_tasks_release_their_own(lock) -> None:
    """Readers in several tasks each give back what is theirs."""

    may_leave = [asyncio.Event() for _ in range(3)]

    async def read(number: int) -> None:
        async with lock.shared():
            await may_leave[number].wait()

    async def main() -> None:
        tasks = [asyncio.create_task(read(number)) for number in range(3)]
        await settled(lambda: len(lock._held) == 3)
        for number in (2, 0, 1):
            mine = set(lock._held)
            may_leave[number].set()
            await tasks[number]
            assert {tasks[number]} == mine - set(lock._held)

    run(main())

    assert not lock.locked


def test_release_in_another_task(lock) -> None:
    """One grant may be given back by anybody."""

    async def main() -> None:
        await asyncio.create_task(lock.aacquire())
        assert lock.locked
        lock.release()

    run(main())

    assert not lock.locked


def test_missing_folder_is_an_error_as_it_is(tmp_path) -> None:
    """What the gate's thread finds on opening is raised in the task."""

    async def main() -> None:
        with pytest.raises(FileNotFoundError):
            await FileLock(tmp_path / "no" / "a.lock").aacquire()

    run(main())


def test_closed_lock_is_refused(lock, path) -> None:
    """Also when it is closed while the task waits."""
    holder = FileLock(path)

    async def main() -> None:
        async with holder:
            waiting = asyncio.create_task(lock.aacquire())
            await queued(lock, 1)
            lock.close()
        with pytest.raises(Closed):
            await waiting
        with pytest.raises(Closed):
            await lock.aacquire()
        await holder.aacquire(timeout_s=5)
        holder.release()

    run(main())


def test_memory_filesystem_has_locks_too() -> None:
    """Tasks exclude each other there, and nothing is left."""
    disk = MemoryVFS()
    lock = FileLock("/a.lock", vfs=disk)
    order: list[int] = []

    async def work(number: int) -> None:
        async with lock:
            order.append(number)
            await asyncio.sleep(0)

    async def main() -> None:
        await asyncio.gather(*(work(number) for number in range(20)))
        lock.close()
        await settled(lambda: not disk.leftovers())

    run(main())

    assert list(range(20)) == order
