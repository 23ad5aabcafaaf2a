"""The lock table and the inodes of the memory filesystem."""

from __future__ import annotations

import errno
import stat
import threading
import time

import pytest

from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.memory_core import failure
from holdfast.vfs.memory_file import MemoryFile

PATIENCE_S = 20.0


class Lock:
    """One lock file, and threads that wait for it in a known order."""

    def __init__(self) -> None:
        self.vfs = MemoryVFS()
        folder = self.vfs.folder("/")
        self.files = [folder.open("lock", "create") for _ in range(6)]
        folder.close()
        self.order: list[int] = []
        self.threads: list[threading.Thread] = []
        self.errors: list[OSError] = []

    @property
    def waiting(self) -> int:
        """How many threads wait."""
        flock = self.files[0].description.inode.flock
        return 0 if flock is None else len(flock.waiting)

    def queue(self, number: int, *, shared: bool = False, hold: bool = False) -> None:
        """Let a thread wait for the lock; returns when it does."""

        def take() -> None:
            try:
                self.files[number].lock(shared=shared)
            except OSError as error:
                self.errors.append(error)
                return
            self.order.append(number)
            if not hold:
                self.files[number].unlock()

        before = self.waiting
        self.threads.append(threading.Thread(target=take, daemon=True))
        self.threads[-1].start()
        deadline = time.monotonic() + PATIENCE_S
        while self.waiting == before:
            assert time.monotonic() < deadline
            time.sleep(0)

    def join(self) -> None:
        """Wait for all threads."""
        for thread in self.threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()

    def close(self) -> None:
        """Close everything."""
        for file in self.files:
            file.close()
        assert [] == self.vfs.leftovers()


def test_waiters_are_served_in_order() -> None:
    """Who came first is first, however often the lock changes hands."""
    lock = Lock()
    lock.files[0].lock()
    for number in (3, 1, 4, 2):
        lock.queue(number)
    lock.files[0].unlock()
    lock.join()
    assert [3, 1, 4, 2] == lock.order
    lock.close()


def test_shared_waiters_are_served_together() -> None:
    """Two that share get the lock at once, and the exclusive one behind them waits for both."""
    lock = Lock()
    lock.files[0].lock()
    lock.queue(1, shared=True, hold=True)
    lock.queue(2, shared=True, hold=True)
    lock.queue(3)
    lock.files[0].unlock()
    lock.threads[0].join(PATIENCE_S)
    lock.threads[1].join(PATIENCE_S)
    assert {1, 2} == set(lock.order)
    assert 1 == lock.waiting
    lock.files[1].unlock()
    assert 1 == lock.waiting
    lock.files[2].unlock()
    lock.join()
    assert 3 == lock.order[-1]
    lock.close()


def test_step_down_serves_those_who_share() -> None:
    """A holder that goes from exclusive to shared lets waiting sharers in."""
    lock = Lock()
    lock.files[0].lock()
    lock.queue(1, shared=True)
    lock.files[0].lock(shared=True)
    lock.join()
    assert [1] == lock.order
    lock.close()


def test_failed_upgrade_serves_waiters() -> None:
    """The shared lock that a failed upgrade gave back goes to who waits for it."""
    lock = Lock()
    lock.files[0].lock(shared=True)
    lock.queue(1)
    lock.files[2].lock(shared=True)
    assert not lock.files[0].lock(block=False)
    lock.files[2].unlock()
    lock.join()
    assert [1] == lock.order
    lock.close()


def test_closing_a_waiting_file_ends_the_wait() -> None:
    """A wait on a file that another thread closes is EBADF."""
    lock = Lock()
    lock.files[0].lock()
    lock.queue(1)
    lock.files[1].close()
    lock.join()
    assert [errno.EBADF] == [error.errno for error in lock.errors]
    assert 0 == lock.waiting
    lock.close()


def test_many_threads_exclude_each_other() -> None:
    """A counter that is read and written under the lock loses nothing."""
    vfs = MemoryVFS()
    vfs.write_tree({"count": b"0"})
    vfs.core.recording = False

    def count() -> None:
        folder = vfs.folder("/")
        for _ in range(50):
            lock, file = folder.open("lock", "create"), folder.open("count", "write")
            lock.lock()
            number = int(file.read(20, offset=0))
            file.write(str(number + 1).encode(), offset=0)
            lock.close()
            file.close()
        folder.close()

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert b"400" == vfs.tree()["count"]
    assert [] == vfs.leftovers()


@pytest.mark.parametrize(
    ("kind", "is_kind"),
    [
        ("file", stat.S_ISREG),
        ("folder", stat.S_ISDIR),
        ("symlink", stat.S_ISLNK),
        ("fifo", stat.S_ISFIFO),
        ("character", stat.S_ISCHR),
        ("block", stat.S_ISBLK),
    ],
)
def test_stat_knows_each_kind(kind, is_kind) -> None:
    """The type bits are those of the kind."""
    vfs = MemoryVFS()
    vfs.make_node("/a", kind)
    folder = vfs.folder("/")
    assert is_kind(folder.stat("a").st_mode)
    folder.close()


def test_folders_count_their_links() -> None:
    """A folder has its name, its own `.` and the `..` of each folder in it."""
    vfs = MemoryVFS()
    vfs.write_tree({"d/a": None, "d/b": None, "d/f": b""})
    folder = vfs.folder("/")
    assert 4 == folder.stat("d").st_nlink
    folder.close()


def test_room_is_given_back_when_the_last_use_ends() -> None:
    """A file without a name takes room until it is closed."""
    vfs = MemoryVFS()
    folder = vfs.folder("/")
    file: MemoryFile = folder.open("a", "new")
    file.write(b"12345")
    folder.unlink("a")
    assert 5 == vfs.core.used_bytes
    file.close()
    assert 0 == vfs.core.used_bytes
    folder.close()


def test_failure_carries_errno_and_names() -> None:
    """Errors are those of the kernel: class, errno, text and both names."""
    error = failure(errno.ENOENT, "a", "b")
    assert isinstance(error, FileNotFoundError)
    assert ("a", "b") == (error.filename, error.filename2)
    assert failure(errno.EBADF).filename is None
    assert "[Errno 2] No such file or directory: 'a'" == str(failure(errno.ENOENT, "a"))
