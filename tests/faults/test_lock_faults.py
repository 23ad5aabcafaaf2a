"""Every error of the system at every call of a lock: nothing held, nothing open, nobody stuck."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from holdfast.errors import LockTimeout
from holdfast.primitives.lock import FileLock
from holdfast.vfs.fault import Fault, Faulty, each_fault
from holdfast.vfs.memory import MemoryVFS

pytestmark = pytest.mark.usefixtures("no_thread_left")

ERRNOS = ["EIO", "ENOLCK", "ENOSYS", "EACCES", "EROFS", "ENOENT", "EMFILE", "EINTR", "EDEADLK"]


def plain(lock: FileLock) -> None:
    with lock:
        pass
    with lock.shared():
        pass


def timed(lock: FileLock) -> None:
    lock.acquire(timeout_s=0)
    lock.release()
    lock.acquire(timeout_s=5)
    lock.release()


def nested(lock: FileLock) -> None:
    with lock, lock, lock.shared():
        pass


def asynchronous(lock: FileLock) -> None:
    async def main() -> None:
        async with lock:
            pass
        await lock.aacquire(timeout_s=5)
        lock.release()

    asyncio.run(main())


def contended(lock: FileLock, *, timeout_s: float | None) -> None:
    """Two threads, one after the other."""
    failures: list[Exception] = []

    def second() -> None:
        try:
            lock.acquire(timeout_s=timeout_s)
            lock.release()
        except Exception as error:
            failures.append(error)

    thread = threading.Thread(target=second)
    gate = lock._gate
    assert gate is not None
    with lock:
        thread.start()
        for _ in range(2000):
            if not thread.is_alive() or gate.busy or gate.queue:
                break
            time.sleep(0.0005)
    thread.join(20)
    assert not thread.is_alive()
    for failure in failures:
        raise failure


USES: dict[str, Callable[[FileLock], None]] = {
    "plain": plain,
    "timed": timed,
    "nested": nested,
    "asynchronous": asynchronous,
    "contended": lambda lock: contended(lock, timeout_s=None),
    "contended, timed": lambda lock: contended(lock, timeout_s=20),
}


def faults() -> Iterator[Fault]:
    return each_fault(*ERRNOS)


def is_settled(disk: MemoryVFS) -> bool:
    """Whether nothing is left, now or within five seconds (a thread may be about to end)."""
    for _ in range(5000):
        if not (disk.open_files or disk.open_folders or disk.held_locks):
            return True
        time.sleep(0.001)
    return False


@pytest.mark.parametrize("use", USES)
def test_every_errno_at_every_call_leaves_nothing(use) -> None:
    """Whatever call fails, the lock is usable by others at once, and nothing stays open."""
    struck = 0
    for fault in faults():
        disk = MemoryVFS()
        lock = FileLock("/a.lock", vfs=Faulty(disk, fault), reentrant=True)
        try:
            USES[use](lock)
        except OSError as error:
            timed_out = isinstance(error, LockTimeout)
        else:
            timed_out = False
        struck += fault.fired

        assert not timed_out, str(fault)
        assert not lock.locked, str(fault)

        other = FileLock("/a.lock", vfs=disk)
        other.acquire(timeout_s=5)
        other.release()
        other.close()
        lock.close()

        assert is_settled(disk), f"{fault}: {disk.leftovers()}"

    assert struck >= 6 * len(ERRNOS)


@pytest.mark.parametrize("effect", ["EIO", "ENOLCK", "ENOSYS"])
@pytest.mark.parametrize("use", ["plain", "timed", "asynchronous"])
def test_refused_lock_is_explained_and_never_softened(use, effect) -> None:
    """The errno and the path stay, a note says what holds, and no other kind of lock is tried."""
    disk = MemoryVFS()
    lock = FileLock("/a.lock", vfs=Faulty(disk, Fault("lock", 1, effect=effect, repeat=True)))
    with pytest.raises(OSError, match=r"a\.lock") as caught:
        USES[use](lock)
    lock.close()

    assert "Nothing is held" in caught.value.__notes__[0]
    assert 1 == len(caught.value.__notes__)
    assert {"a.lock": b""} == disk.tree()


def test_error_on_release_is_told_and_the_lock_is_free() -> None:
    """A failing unlock closes the file, which frees the lock as well."""
    disk = MemoryVFS()
    lock = FileLock("/a.lock", vfs=Faulty(disk, Fault("unlock", 1, effect="EIO")))
    lock.acquire()
    with pytest.raises(OSError, match=r"a\.lock"):
        lock.release()

    assert [] == disk.held_locks
    assert not lock.locked

    lock.close()
