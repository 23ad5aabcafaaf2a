from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Callable, Iterator
from errno import ETIMEDOUT
from pathlib import Path

import pytest

from holdfast.errors import Closed, LockTimeout
from holdfast.primitives.lock import FileLock
from holdfast.primitives.lock_waiters import ThreadWaiter
from holdfast.vfs import Holder, ManualClock
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace

pytestmark = pytest.mark.usefixtures("no_thread_left")


def until(condition: Callable[[], object]) -> None:
    """Wait for another thread, at most five seconds."""
    for _ in range(5000):
        if condition():
            return
        time.sleep(0.001)
    raise AssertionError("waited in vain")


def in_thread(do: Callable[[], object]) -> object:
    """What another thread gets, or the exception that it raises."""
    got: list[object] = []

    def run() -> None:
        try:
            got.append(do())
        except Exception as error:
            got.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    return got[0]


def is_free(path: Path) -> bool:
    """Whether another object in another thread could take the lock now."""
    lock = FileLock(path)
    result = in_thread(lambda: lock.acquire(timeout_s=0))
    lock.close()
    return result is None


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "a.lock"


@pytest.fixture
def lock(path) -> Iterator[FileLock]:
    made = FileLock(path)
    yield made
    made.close()


# ---------------------------------------------------------------- holding


def test_with_holds_and_gives_back(lock, path) -> None:
    """The lock is held for the length of the block, and the file stays, empty."""
    with lock as held:
        assert held is lock
        assert lock.locked
        assert not is_free(path)

    assert not lock.locked
    assert is_free(path)
    assert b"" == path.read_bytes()


def test_exception_in_the_block_gives_back(lock, path) -> None:
    """However the block ends, the lock is free."""
    with pytest.raises(ZeroDivisionError), lock:
        _ = 1 / 0

    assert is_free(path)


def test_readers_share_and_exclude_a_writer(lock, path) -> None:
    """Any number of shared holders, and no exclusive one among them."""
    other = FileLock(path)
    with lock.shared() as held:
        assert held is lock
        assert in_thread(lambda: other.acquire(shared=True, timeout_s=0)) is None
        assert not is_free(path)

        other.release()

    assert is_free(path)


def test_threads_exclude_each_other_on_one_object(lock) -> None:
    """Eight threads that read, wait and write lose no update."""
    total = 0

    def work() -> None:
        nonlocal total
        for _ in range(50):
            with lock:
                seen = total
                os.sched_yield()
                total = seen + 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 400 == total


def test_threads_exclude_each_other_on_their_own_objects(path) -> None:
    """Objects of one path are one lock, also where each thread makes its own each time."""
    total = 0

    def work(timeout_s: float | None) -> None:
        nonlocal total
        for _ in range(50):
            mine = FileLock(path)
            mine.acquire(timeout_s=timeout_s)
            seen = total
            os.sched_yield()
            total = seen + 1
            mine.release()
            mine.close()

    threads = [threading.Thread(target=work, args=(t,)) for t in (None, 60.0) * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 400 == total


def test_path_is_absolute_from_the_start(tmp_path, monkeypatch) -> None:
    """A change of the current folder does not redirect a lock."""
    monkeypatch.chdir(tmp_path)
    lock = FileLock("a.lock")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    with lock:
        pass

    assert str(tmp_path / "a.lock") == lock.path
    assert (tmp_path / "a.lock").exists()


def test_permissions_are_those_of_a_new_file(tmp_path) -> None:
    """The umask is taken off what is asked for."""
    before = os.umask(0o027)
    try:
        with FileLock(tmp_path / "a"), FileLock(tmp_path / "b", permissions=0o600):
            modes = [(tmp_path / name).stat().st_mode & 0o777 for name in "ab"]
    finally:
        os.umask(before)

    assert [0o640, 0o600] == modes


def test_missing_folder_is_an_error_as_it_is(tmp_path) -> None:
    """A lock makes no folders, and is usable once there is one."""
    lock = FileLock(tmp_path / "no" / "a.lock")
    with pytest.raises(FileNotFoundError):
        lock.acquire()
    with pytest.raises(FileNotFoundError):
        lock.acquire(timeout_s=1)

    (tmp_path / "no").mkdir()
    with lock:
        assert lock.locked


def test_removed_lock_file_is_noticed(lock, path) -> None:
    """After somebody removed the file, the next holder locks a new one."""
    with lock:
        pass
    path.unlink()
    time.sleep(0.002)  # a look at the path is trusted for a millisecond
    with lock:
        assert path.exists()
        assert not is_free(path)


def test_waiter_on_a_removed_file_takes_the_new_one(lock, path) -> None:
    """Who waited for a file that is gone when its turn comes goes on with the new file."""
    lock.acquire()
    other = FileLock(path)
    got: list[bool] = []

    def wait() -> None:
        with other:
            got.append(is_free(path))

    thread = threading.Thread(target=wait)
    thread.start()
    gate = other._gate
    assert gate is not None
    until(lambda: gate.queue)
    time.sleep(0.01)  # into the kernel
    path.unlink()
    lock.release()
    thread.join(10)

    assert [False] == got


def test_every_grant_is_looked_up_at_most_once_a_millisecond() -> None:
    """The look at the path, which costs more than the lock, is made when the last one is old."""
    disk = MemoryVFS()
    clock = ManualClock()
    trace = Trace(disk)
    lock = FileLock("/a.lock", vfs=trace, clock=clock)

    def looks() -> int:
        return sum("stat" in line and "a.lock" in line for line in trace.lines)

    for _ in range(5):
        lock.acquire()
        lock.release()
    before = looks()
    clock.advance(0.002)
    for _ in range(5):
        lock.acquire()
        lock.release()

    assert 1 == looks() - before

    lock.close()

    assert [] == disk.leftovers()


def test_memory_filesystem_has_locks_too() -> None:
    """A lock on the memory filesystem excludes there and nowhere else, and leaves nothing."""
    disk = MemoryVFS()
    lock, other = FileLock("/a.lock", vfs=disk), FileLock("/a.lock", vfs=disk)
    with lock:
        assert isinstance(in_thread(lambda: other.acquire(timeout_s=0.01)), LockTimeout)
        assert lock.holder() is not None
    with lock.shared(), other.shared():
        assert 2 == len(disk.held_locks)
    lock.close()
    other.close()
    until(lambda: not disk.leftovers())


# ---------------------------------------------------------------- time limits


@pytest.mark.parametrize("timeout_s", [0, 0.05])
def test_timeout_names_the_holder(lock, path, timeout_s) -> None:
    """The error says what failed, by whom it is held, and that nothing is held by the caller."""
    lock.acquire()
    other = FileLock(path)
    error = in_thread(lambda: other.acquire(timeout_s=timeout_s))

    assert isinstance(error, LockTimeout)
    assert isinstance(error, TimeoutError)
    assert (ETIMEDOUT, str(path), str(path)) == (error.errno, error.path, error.filename)
    assert timeout_s <= error.waited_s < timeout_s + 5
    assert isinstance(error.holder, Holder)
    assert os.getpid() == error.holder.pid
    assert f"this process, pid {os.getpid()} (" in str(error)
    assert os.uname().nodename in str(error)
    assert 3 == str(error).removeprefix(str(path)).count(". ") + str(error).endswith(".")
    assert not other.locked


def test_time_is_not_spent_when_the_lock_is_free(lock) -> None:
    """A free lock is taken at once whatever the limit is, without a thread."""
    before = threading.active_count()
    for timeout_s in (0, 0.5, 1e9, float("inf")):
        lock.acquire(timeout_s=timeout_s)
        lock.release()

    assert before == threading.active_count()


def test_endless_limit_waits(lock, path) -> None:
    """A limit longer than the system can count is no error."""
    lock.acquire()
    other = FileLock(path)
    got: list[object] = []
    thread = threading.Thread(target=lambda: got.append(other.acquire(timeout_s=float("inf"))))
    thread.start()
    until(lambda: lock._gate.queue)
    lock.release()
    thread.join(10)

    assert [None] == got


@pytest.mark.parametrize("timeout_s", [-1, -0.001, float("nan")])
def test_limit_that_is_no_time_is_refused(lock, timeout_s) -> None:
    """A negative or undefined limit is the caller's mistake, also while the lock is free."""
    with pytest.raises(ValueError, match="timeout_s"):
        lock.acquire(timeout_s=timeout_s)

    assert not lock.locked


def test_single_try_is_not_refused_by_a_waiter_that_gave_up(lock, path) -> None:
    """The thread that still waits for one whose time was over does not make the lock look busy."""
    other = FileLock(path)
    for _ in range(30):
        lock.acquire()

        assert isinstance(in_thread(lambda: other.acquire(timeout_s=0.001)), LockTimeout)

        lock.release()
        other.acquire(timeout_s=0)
        other.release()


def test_last_waiter_that_gave_up_leaves_the_lock_free(lock, path) -> None:
    """In forty holds, each with a waiter that gives up, the lock is never lost or stuck."""
    other = FileLock(path)
    for _ in range(40):
        with lock:
            assert isinstance(in_thread(lambda: other.acquire(timeout_s=0.0005)), LockTimeout)
            assert not is_free(path)


@pytest.mark.parametrize("timeout_s", [None, 30])
def test_newcomer_does_not_overtake_even_if_the_lock_is_free(lock, timeout_s) -> None:
    """Between a release and the next grant the lock is free, but not for newcomers."""
    gate = lock._gate
    first = ThreadWaiter(shared=False, timed=True)
    gate.queue.append(first)
    with pytest.raises(LockTimeout):
        lock.acquire(timeout_s=0)
    thread = threading.Thread(target=lambda: lock.acquire(timeout_s=timeout_s), daemon=True)
    thread.start()
    until(lambda: first.description is not None or lock.locked)

    assert not lock.locked

    gate._withdraw(first)
    thread.join(10)

    assert lock.locked


# ---------------------------------------------------------------- owners


def test_waiting_for_oneself_is_an_error(lock) -> None:
    """A thread that would wait for itself is told, and still holds the lock."""
    with lock:
        with pytest.raises(RuntimeError, match=r"wait for itself.*reentrant=True"):
            lock.acquire()

        assert lock.locked


def test_waiting_for_oneself_through_another_object_is_an_error(lock, path) -> None:
    """Two objects in one thread do not hang."""
    other = FileLock(path)
    with lock, pytest.raises(RuntimeError, match="wait for itself"):
        other.acquire()
    with lock.shared(), pytest.raises(RuntimeError, match="wait for itself"):
        other.acquire()


def test_waiting_for_oneself_with_a_limit_times_out(lock) -> None:
    """With a limit somebody else may release in time; if nobody does, it is a timeout."""
    with lock, pytest.raises(LockTimeout):
        lock.acquire(timeout_s=0.01)
    with lock, pytest.raises(LockTimeout):
        lock.acquire(timeout_s=0)


@pytest.mark.parametrize("timeout_s", [None, 0, 1])
def test_shared_twice_is_an_error(lock, timeout_s) -> None:
    """Two shared grants of one owner could not be told apart: only a reentrant lock counts them."""
    with lock.shared(), pytest.raises(RuntimeError, match="reentrant=True"):
        lock.acquire(shared=True, timeout_s=timeout_s)


def test_reentrant_lock_counts(path) -> None:
    """Each release undoes one acquire; a shared one inside an exclusive one counts too."""
    lock = FileLock(path, reentrant=True)
    lock.acquire()
    lock.acquire(timeout_s=0)
    lock.acquire(shared=True)
    for _ in range(2):
        lock.release()

        assert lock.locked
        assert not is_free(path)

    lock.release()

    assert not lock.locked
    assert is_free(path)


def test_reentrant_lock_is_still_exclusive(path) -> None:
    """Another thread has to wait for the last release."""
    lock = FileLock(path, reentrant=True)
    with lock, lock:
        assert isinstance(in_thread(lambda: lock.acquire(timeout_s=0.01)), LockTimeout)


def test_shared_lock_cannot_become_exclusive(path) -> None:
    """An upgrade is refused, because the system would drop the shared lock on the way."""
    lock = FileLock(path, reentrant=True)
    with lock.shared(), lock.shared():
        with pytest.raises(RuntimeError, match="cannot become exclusive"):
            lock.acquire()

        assert lock.locked
        assert not is_free(path)

    assert is_free(path)


def test_release_in_another_thread(lock, path) -> None:
    """What one thread took, another may give back when there is no doubt which grant is meant."""
    lock.acquire()

    assert in_thread(lock.release) is None
    assert is_free(path)


def test_release_by_a_stranger_among_several_is_an_error(lock) -> None:
    """Among several shared grants, a thread without one has nothing to give back."""
    lock.acquire(shared=True)
    in_thread(lambda: lock.acquire(shared=True))
    error = in_thread(lock.release)

    assert isinstance(error, RuntimeError)
    assert "2 others hold it shared" in str(error)

    lock.release()

    assert lock.locked
    assert in_thread(lock.release) is None
    assert not lock.locked


def test_release_of_what_is_not_held_is_an_error(lock) -> None:
    """Nothing is released that was not acquired."""
    with pytest.raises(RuntimeError, match="nothing to release"):
        lock.release()
    with lock:
        pass
    with pytest.raises(RuntimeError, match="nothing to release"):
        lock.release()


class InterruptedHere(BaseException):
    """Stands for what a signal handler raises."""


class PoolThatStrikes(list):
    """A pool in which an interrupt strikes as soon as something was put into it."""

    def append(self, item) -> None:
        super().append(item)
        raise InterruptedHere


@pytest.mark.parametrize("use", ["release", "try"])
def test_interrupt_after_the_descriptor_was_pooled_leaves_it_to_the_next(lock, path, use) -> None:
    """What is in the pool may be somebody else's by now: it is neither unlocked nor closed."""
    other = FileLock(path)
    gate = lock._gate
    (lock if use == "release" else other).acquire()
    gate.idle = PoolThatStrikes()
    with pytest.raises(InterruptedHere):
        lock.release() if use == "release" else lock.acquire(timeout_s=0)
    gate.idle = list(gate.idle)
    if use == "try":
        other.release()

    assert not lock.locked
    for _ in range(2):
        with lock, pytest.raises(LockTimeout):
            other.acquire(timeout_s=0)

    other.close()


# ---------------------------------------------------------------- telling, closing


def test_holder(lock, path) -> None:
    """This process is found while it holds the lock, and nobody otherwise."""
    assert lock.holder() is None
    assert not path.exists()

    with lock:
        holder = lock.holder()

        assert holder is not None
        assert (os.getpid(), os.uname().nodename) == (holder.pid, holder.host)
        assert "python" in holder.program

    assert lock.holder() is None


def test_state_is_told(lock, path) -> None:
    """A lock says which file it stands for and how it is."""
    assert f"<FileLock {str(path)!r}, not held>" == repr(lock)

    lock.acquire()

    assert "held>" in repr(lock)
    assert "not held" not in repr(lock)

    lock.close()

    assert "closed" in repr(lock)


def test_close_gives_back_and_closes(lock, path) -> None:
    """After close nothing is held and nothing is open; a second close does nothing."""
    with lock:
        lock.close()

        assert not lock.locked
        assert is_free(path)
    lock.close()

    with pytest.raises(Closed):
        lock.acquire()
    with pytest.raises(RuntimeError):
        lock.release()


def test_close_while_another_thread_waits(lock, path) -> None:
    """A waiter on an object that is closed meanwhile gets no lock."""
    holder = FileLock(path)
    holder.acquire()
    got: list[object] = []
    thread = threading.Thread(target=lambda: got.append(in_thread(lock.acquire)))
    thread.start()
    gate = lock._gate
    until(lambda: gate.queue)
    lock.close()
    holder.release()
    thread.join(10)

    assert [Closed] == [type(error) for error in got]
    assert is_free(path)


def test_dropped_lock_is_given_back(path) -> None:
    """An object that is forgotten while it is held holds nothing any more."""
    lock = FileLock(path)
    lock.acquire()
    del lock
    gc.collect()

    assert is_free(path)


def test_threads_end_when_the_last_object_is_closed(lock, path) -> None:
    """The thread that waits on behalf of others does not linger after close."""
    lock.acquire()
    other = FileLock(path)
    in_thread(lambda: other.acquire(timeout_s=0.001))
    gate = lock._gate
    other.close()
    lock.release()
    lock.close()
    start_s = time.monotonic()
    until(lambda: gate.thread is None)

    assert time.monotonic() - start_s < 0.15


def test_name_that_would_be_swept_is_refused(tmp_path) -> None:
    """A lock file that a sweeper would take for a leftover would not exclude for long."""
    path = tmp_path / ".a.0123456789abcdef.holdfast-tmp"
    with pytest.raises(ValueError, match="temporary file"):
        FileLock(path)

    assert not path.exists()
