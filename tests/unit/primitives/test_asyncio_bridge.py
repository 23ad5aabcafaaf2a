"""Blocking calls for coroutines: never half done, never on asyncio's own threads."""

from __future__ import annotations

import asyncio
import inspect
import os
import signal
import subprocess
import sys
import threading
from contextvars import ContextVar

import pytest

from holdfast.primitives import asyncio_bridge
from holdfast.primitives.asyncio_bridge import run, run_now, twin
from holdfast.primitives.replace import awrite_bytes
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace


def test_result_and_error_come_back() -> None:
    """As if it had been called."""

    async def main() -> None:
        assert 3 == await run(lambda: 3)
        with pytest.raises(ZeroDivisionError):
            await run(lambda: 1 // 0)

    asyncio.run(main())


def test_threads_are_daemons_of_our_own() -> None:
    """Not those of the loop's executor, and none keeps a program from ending."""
    seen: list[threading.Thread] = []
    asyncio.run(run(lambda: seen.append(threading.current_thread())))

    assert seen[0].daemon
    assert seen[0].name.startswith("holdfast")


def test_busy_default_executor_does_not_hold_it_up() -> None:
    """All the threads of the default executor wait, and the call is served."""

    async def main() -> int:
        loop = asyncio.get_running_loop()
        release = threading.Event()
        waiting = [loop.run_in_executor(None, release.wait) for _ in range(64)]
        try:
            return await asyncio.wait_for(run(lambda: 3), 20)
        finally:
            release.set()
            await asyncio.gather(*waiting)

    assert 3 == asyncio.run(main())


def test_threads_are_bounded() -> None:
    """Hundreds of calls at once take a few threads, and all are served."""
    names: set[str] = set()

    def note() -> int:
        names.add(threading.current_thread().name)
        return 1

    async def main() -> int:
        return sum(await asyncio.gather(*(run(note) for _ in range(300))))

    assert 300 == asyncio.run(main())
    assert 1 <= len(names) <= 16


def test_context_variables_are_those_of_the_caller() -> None:
    """The call sees what its coroutine has set."""
    variable: ContextVar[str] = ContextVar("variable")

    async def main() -> str:
        variable.set("mine")
        return await run(variable.get)

    assert "mine" == asyncio.run(main())


def test_call_that_has_begun_is_waited_for() -> None:
    """I1: cancelled twice, it ends before `CancelledError` is raised; I2: its result is undone."""
    begun, release = threading.Event(), threading.Event()
    ended, undone = [], []

    def call() -> str:
        begun.set()
        release.wait(20)
        ended.append(True)
        return "result"

    async def main() -> None:
        task = asyncio.create_task(run(call, undo=undone.append))
        await asyncio.to_thread(begun.wait, 20)
        task.cancel()
        for _ in range(5):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(0)
        assert not task.done()
        release.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert [True] == ended

    asyncio.run(main())

    assert ["result"] == undone


def test_call_that_has_not_begun_never_does() -> None:
    """Cancelled while all threads are busy, it is taken out of the queue."""
    release = threading.Event()
    ran = []

    async def main() -> None:
        busy = [asyncio.create_task(run(lambda: release.wait(20))) for _ in range(16)]
        await asyncio.sleep(0)
        late = asyncio.create_task(run(lambda: ran.append(True)))
        await asyncio.sleep(0)
        late.cancel()
        with pytest.raises(asyncio.CancelledError):
            await late
        release.set()
        await asyncio.gather(*busy)
        await run(lambda: None)

    asyncio.run(main())

    assert [] == ran


def test_error_of_a_cancelled_call_does_not_hide_the_cancellation() -> None:
    """The task is cancelled, whatever became of the call."""
    begun = threading.Event()

    def call() -> None:
        begun.set()
        raise LookupError

    async def main() -> None:
        task = asyncio.create_task(run(call))
        await asyncio.to_thread(begun.wait, 20)
        task.cancel()
        with pytest.raises((asyncio.CancelledError, LookupError)):
            await task

    asyncio.run(main())


@pytest.mark.parametrize("nth", range(1, 18))
def test_cancelled_write_happened_wholly_or_not_at_all(nth: int) -> None:
    """Cancelled at the first call of a write, the second, and so on: old or new, and no temp."""
    disk = MemoryVFS()
    disk.write_tree({"a": b"old"})
    vfs = Trace(disk)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.create_task(awrite_bytes("/a", b"new", vfs=vfs))
        count = []

        def cancel(call) -> None:
            count.append(call)
            if len(count) == nth:
                loop.call_soon_threadsafe(task.cancel)

        vfs.subscribe(cancel)
        try:
            await task
        except asyncio.CancelledError:
            pass
        before = len(count)
        await asyncio.sleep(0)
        assert before == len(count)

    asyncio.run(main())

    assert disk.tree() in ({"a": b"old"}, {"a": b"new"})
    assert [] == disk.leftovers()


def test_forked_child_has_threads_of_its_own() -> None:
    """I3: the parent's threads do not exist there; new ones are made."""
    asyncio.run(run(lambda: None))
    pid = os.fork()
    if pid == 0:
        try:
            os._exit(asyncio.run(asyncio.wait_for(run(lambda: 7), 20)))
        finally:
            os._exit(1)
    _, status = os.waitpid(pid, 0)

    assert 7 == os.waitstatus_to_exitcode(status)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_fork_while_the_threads_are_made_leaves_the_child_usable() -> None:
    """I3: the lock that another thread held at the fork is not the child's."""
    with asyncio_bridge._making:
        pid = os.fork()
        if pid == 0:
            signal.alarm(20)
            try:
                os._exit(asyncio.run(run(lambda: 7)))
            finally:
                os._exit(1)
        _, status = os.waitpid(pid, 0)

    assert 7 == os.waitstatus_to_exitcode(status)


NO_THREADS = """
import asyncio, threading
from holdfast.primitives.asyncio_bridge import run
start = threading.Thread.start
done = []
def refuse(thread):
    raise RuntimeError("can't start new thread")
async def main():
    threading.Thread.start = refuse
    for number in range(40):
        try:
            await run(lambda: done.append(number))
        except RuntimeError as error:
            assert "Nothing was begun" in error.__notes__[0]
        else:
            raise SystemExit("not refused")
    threading.Thread.start = start
    await run(lambda: done.append("first"))
    threading.Thread.start = refuse
    both = [run(lambda n=n: done.append(n)) for n in (1, 2)]
    await asyncio.wait_for(asyncio.gather(*both), 20)
    print(done)
asyncio.run(main())
"""


def test_refused_call_is_not_done_later() -> None:
    """I4: without a thread it is an error, again and again; with one, the others wait for it."""
    command = [sys.executable, "-c", NO_THREADS]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert ("['first', 1, 2]\n", "") == (ran.stdout, ran.stderr)


def test_stop_iteration_is_an_error_and_no_hang() -> None:
    """No future of asyncio can carry it, so that the caller would wait for ever."""

    caught: list[BaseException] = []

    def call() -> None:
        try:
            asyncio.run(run(lambda: next(iter([]))))
        except RuntimeError as error:
            caught.append(error)

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(20)

    assert ["the function raised StopIteration"] == [str(error) for error in caught]
    assert isinstance(caught[0].__cause__, StopIteration)


def test_call_that_follows_an_end_takes_the_same_thread() -> None:
    """One call after the other needs one thread, not sixteen."""
    threads = asyncio_bridge._Threads()
    names = {
        threads.submit(lambda: threading.current_thread().name).result(20)
        for _ in range(3)
        if _settled(threads)
    }

    assert {"holdfast-1"} == names


def _settled(threads: asyncio_bridge._Threads) -> bool:
    for _ in range(5000):
        if not threads._unfinished:
            return True
        os.sched_yield()
    return False


def test_twin_shows_the_signature_of_its_function() -> None:
    """For help and editors, and it is a coroutine function all the same."""

    def double(number: int, *, times: int = 2) -> int:
        return number * times

    adouble = twin(double)

    assert inspect.signature(double) == inspect.signature(adouble)
    assert double.__annotations__ == adouble.__annotations__
    assert inspect.iscoroutinefunction(adouble)


def test_twin_is_named_after_its_function() -> None:
    """For help and tracebacks."""

    def double(number: int, *, times: int = 2) -> int:
        return number * times

    adouble = twin(double)

    assert ("adouble", double.__module__) == (adouble.__name__, adouble.__module__)
    assert "`double` for asyncio" in str(adouble.__doc__)
    assert 9 == asyncio.run(adouble(3, times=3))


def test_what_gives_back_is_not_queued_behind_those_who_wait_for_it() -> None:
    """I5: every thread waits for one that is let go of by another call."""
    lock = threading.Lock()
    lock.acquire()

    def wait() -> None:
        with lock:
            pass

    async def main() -> None:
        waiting = [asyncio.create_task(run(wait)) for _ in range(20)]
        await asyncio.sleep(0)
        await run_now(lock.release)
        await asyncio.gather(*waiting)

    asyncio.run(asyncio.wait_for(main(), 60))


def test_undoing_is_not_queued_behind_those_who_wait_for_it() -> None:
    """I5: what a cancelled call has taken is given back."""
    begun, go_on, undone = (threading.Event() for _ in range(3))

    def take() -> None:
        begun.set()
        go_on.wait(20)

    async def main() -> list[bool]:
        taking = asyncio.create_task(run(take, undo=lambda _: undone.set()))
        await asyncio.to_thread(begun.wait, 20)
        waiting = [asyncio.create_task(run(lambda: undone.wait(20))) for _ in range(20)]
        await asyncio.sleep(0)
        taking.cancel()
        await asyncio.sleep(0)
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await taking
        return await asyncio.gather(*waiting)

    assert [True] * 20 == asyncio.run(main())


def test_what_gives_back_is_done_though_it_is_cancelled_at_once() -> None:
    """I5: before any thread can have taken it, and however busy they are."""
    done: list[int] = []
    release = threading.Event()

    async def main() -> None:
        busy = [asyncio.create_task(run(lambda: release.wait(20))) for _ in range(16)]
        await asyncio.sleep(0)
        for number in range(50):
            task = asyncio.create_task(run_now(lambda number=number: done.append(number)))
            asyncio.get_running_loop().call_soon(task.cancel)
            await asyncio.wait([task])
            assert task.cancelled() or task.result() is None
        release.set()
        await asyncio.gather(*busy)

    asyncio.run(main())
    assert list(range(50)) == done


def test_what_waits_for_a_lock_holds_up_nothing_else() -> None:
    """I6: whoever holds it goes on, on other threads."""
    release = threading.Event()

    async def main() -> int:
        waiting = [asyncio.create_task(run(release.wait, waits=True)) for _ in range(40)]
        await asyncio.sleep(0)
        found = await run(lambda: 3)
        release.set()
        assert [True] * 40 == await asyncio.gather(*waiting)
        return found

    assert 3 == asyncio.run(asyncio.wait_for(main(), 20))


NO_THREADS_NOW = """
import asyncio, threading
from holdfast.primitives.asyncio_bridge import run_now
def refuse(thread):
    raise RuntimeError("can't start new thread")
threading.Thread.start = refuse
print(asyncio.run(run_now(threading.current_thread)).name)
"""


def test_without_a_thread_what_gives_back_is_done_in_this_one() -> None:
    """I5: it blocks the loop, and nobody for ever."""
    command = [sys.executable, "-c", NO_THREADS_NOW]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert ("MainThread\n", "") == (ran.stdout, ran.stderr)
