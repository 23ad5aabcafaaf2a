"""Byte-range locks of a file in memory: merging, waiting, being sent away."""

from __future__ import annotations

import errno
import threading

import pytest

from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.memory_ranges import RangeLock
from holdfast.vfs.spans import Span

PATIENCE_S = 20.0


def spans(lock: RangeLock, holder: str) -> list[tuple[int, int, bool]]:
    """What a holder has."""
    return [(span[0], span[1], span[2]) for span in lock.holders.get(holder, ())]


def test_neighbours_of_one_kind_merge() -> None:
    """Adjacent ranges are one entry, those of two kinds are not."""
    lock = RangeLock(threading.RLock())
    for start, shared in ((4, False), (0, False), (2, False), (6, True)):
        assert lock.take("a", Span(start, start + 2, shared), block=False)

    assert [(0, 6, False), (6, 8, True)] == spans(lock, "a")
    lock.drop("a", Span(0, 8, shared=True))
    assert {} == lock.holders


def test_held_ranges_are_leftovers() -> None:
    """A disk names the ranges that were not given back."""
    disk = MemoryVFS()
    folder = disk.folder("/")
    file = folder.open("a", "new")
    file.lock_range(3, 2)

    assert ["/a [3, 5)"] == disk.held_locks
    file.close()
    assert [] == disk.held_locks
    folder.close()


def test_stepping_down_lets_waiters_share() -> None:
    """A range that becomes shared is given to those who wait to share it."""
    folder = MemoryVFS().folder("/")
    one, two = folder.open("a", "new"), folder.open("a", "write")
    one.lock_range(0, 4)
    results: list[bool] = []
    thread = threading.Thread(target=lambda: results.append(two.lock_range(1, 1, shared=True)))
    thread.start()
    while not (ranges := two.description.inode.ranges) or not ranges.waiting:
        threading.Event().wait(0.001)
    one.lock_range(0, 4, shared=True)
    thread.join(PATIENCE_S)

    assert [True] == results
    for file in (one, two):
        file.close()
    folder.close()


def test_closing_sends_the_waiter_away() -> None:
    """Who waits through a descriptor that is closed gets EBADF, and holds nothing."""
    disk = MemoryVFS()
    folder = disk.folder("/")
    one, two = folder.open("a", "new"), folder.open("a", "write")
    one.lock_range(0, 4)
    errors: list[int | None] = []

    def wait() -> None:
        try:
            two.lock_range(1, 1)
        except OSError as error:
            errors.append(error.errno)

    thread = threading.Thread(target=wait)
    thread.start()
    while not (ranges := one.description.inode.ranges) or not ranges.waiting:
        threading.Event().wait(0.001)
    two.close()
    thread.join(PATIENCE_S)
    one.close()
    folder.close()

    assert [errno.EBADF] == errors
    assert [] == disk.leftovers()


def test_crash_leaves_no_range_locked() -> None:
    """Locks die with the machine."""
    disk = MemoryVFS()
    disk.write_tree({"a": b""})
    folder = disk.folder("/")
    file = folder.open("a", "write")
    file.lock_range(0, 1)
    after = disk.crash()

    with pytest.raises(OSError, match="nvalid"):
        file.lock_range(0, 0)
    other = after.folder("/").open("a", "write")
    assert other.lock_range(0, 1, block=False)
    file.close()
    folder.close()
    other.close()
