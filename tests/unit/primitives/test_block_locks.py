"""Ranges of bytes, alone or shared among the threads of a process."""

from __future__ import annotations

import threading

import pytest

from holdfast.errors import Closed, LockTimeout
from holdfast.primitives.block_locks import BLOCK_BYTES, BlockLocks
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.memory import MemoryVFS
from tests.support.interrupts import interrupted

PATIENCE_S = 20.0
B = BLOCK_BYTES


@pytest.fixture
def disk():
    return MemoryVFS()


@pytest.fixture
def locks(disk):
    made = BlockLocks("/a.lock", vfs=disk)
    yield made
    made.close()
    assert [] == disk.leftovers()


def try_at(locks, *ranges, shared=False):
    """Whether this gets the ranges at once."""
    try:
        with locks.hold(ranges, shared=shared, timeout_s=0):
            return True
    except LockTimeout:
        return False


def is_free(disk, *ranges, shared=False):
    """Whether another opening of the file gets all of these at once."""
    other = BlockLocks("/a.lock", vfs=disk)
    try:
        return try_at(other, *ranges, shared=shared)
    finally:
        other.close()


def in_thread(act):
    """Run in another thread; return what it returned or raised."""
    results = []

    def run():
        try:
            results.append(act())
        except Exception as error:
            results.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(PATIENCE_S)
    return results[0]


class Elsewhere:
    """A thread that has ranges from the start of the block to its end."""

    def __init__(self, locks, *ranges, shared=False):
        self.hold = locks.hold(ranges, shared=shared)
        self.begun, self.over = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        with self.hold:
            self.begun.set()
            self.over.wait(PATIENCE_S)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join(PATIENCE_S)


@pytest.mark.parametrize(
    ("expected", "ranges"),
    [
        ([(1025, 1026)], [(0, 1)]),
        ([(1025, 1026)], [(B - 1, 1), (0, 1)]),
        ([(1025, 1027)], [(B - 1, 2)]),
        ([(1025, 1026), (1027, 1028)], [(2 * B, B), (0, B)]),
        ([(1025, 1029)], [(0, 4 * B), (B, 1)]),
        ([(1025, 1028)], [(0, B), (B, 2 * B)]),
        ([], [(5, 0)]),
        ([(1024 + 2**51, 1025 + 2**51)], [(2**63 - 1, 1)]),
    ],
)
def test_ranges_are_rounded_out_to_blocks(locks, disk, expected, ranges) -> None:
    """Each block that has a byte of them is one byte of the lock file, behind those of records."""
    with locks.hold(ranges):
        assert [f"/a.lock [{start}, {stop})" for start, stop in expected] == disk.held_locks
    assert [] == disk.held_locks


@pytest.mark.parametrize("range_", [(-1, 1), (0, -1), (2**63, 1)], ids=str)
def test_no_range_is_refused(locks, range_) -> None:
    """Before anything is taken."""
    with pytest.raises(ValueError, match="no offset and size"):
        locks.hold([(0, 1), range_])


def test_exclusive_range_is_had_alone(locks, disk) -> None:
    """Others wait for its blocks, here and elsewhere, and for no other."""
    with locks.hold([(B, 1)]):
        for shared in (False, True):
            assert not in_thread(lambda shared=shared: try_at(locks, (B, 1), shared=shared))
            assert not is_free(disk, (0, 2 * B), shared=shared)
        assert in_thread(lambda: try_at(locks, (0, B), (2 * B, 9)))
        assert is_free(disk, (0, B), (2 * B, 9))
    assert is_free(disk, (0, 9 * B))


def test_shared_ranges_overlap(locks, disk) -> None:
    """The kernel keeps the blocks that any thread here shares, and gets the others back at once."""
    with Elsewhere(locks, (B, 3 * B), shared=True) as other:
        assert other.begun.wait(PATIENCE_S)
        with locks.hold([(0, 2 * B)], shared=True):
            assert is_free(disk, (0, 4 * B), shared=True)
            assert not is_free(disk, (0, 1))
        assert is_free(disk, (0, B))
        assert not is_free(disk, (B, 1))
        assert not in_thread(lambda: try_at(locks, (B, 1)))
    assert is_free(disk, (0, 4 * B))


def test_thread_asks_again_for_what_it_has(locks, disk) -> None:
    """Parts of it, and shared inside what it has alone; blocks count."""
    with locks.hold([(0, 4 * B)]):
        with locks.hold([(B, 1), (3 * B, 1)]), locks.hold([(0, 4 * B)], shared=True):
            pass
        assert not is_free(disk, (2 * B, 1), shared=True)
    assert is_free(disk, (0, 4 * B))


@pytest.mark.parametrize(
    ("held_shared", "wanted", "shared"),
    [
        (False, (4 * B, 1), False),
        (False, (3 * B, 2 * B), True),
        (True, (0, 1), False),
    ],
)
def test_asking_for_more_is_refused(locks, disk, held_shared, wanted, shared) -> None:
    """Other blocks, or one alone that it shares, could be waited for in a circle."""
    with locks.hold([(0, 4 * B)], shared=held_shared):
        with pytest.raises(RuntimeError, match="Take all at once"):
            locks.hold([wanted], shared=shared).__enter__()
        assert not is_free(disk, (0, 1))
    assert is_free(disk, (0, 9 * B))


def test_readers_do_not_overtake_a_writer(locks) -> None:
    """A reader that comes while a writer waits for the same block has its turn after it."""
    order: list[str] = []

    def take(name, shared):
        with locks.hold([(0, 1)], shared=shared):
            order.append(name)

    threads = []
    with Elsewhere(locks, (0, 1), shared=True) as reader:
        assert reader.begun.wait(PATIENCE_S)
        for name, shared in (("writer", False), ("reader", True)):
            threads.append(threading.Thread(target=take, args=(name, shared)))
            threads[-1].start()
            while locks.waiting < len(threads):
                threading.Event().wait(0.001)
        assert in_thread(lambda: try_at(locks, (B, 1)))
    for thread in threads:
        thread.join(PATIENCE_S)

    assert ["writer", "reader"] == order


@pytest.mark.parametrize("timeout_s", [0, 0.02])
def test_time_out_holds_nothing(locks, disk, timeout_s) -> None:
    """Neither what was busy, here or elsewhere, nor what was taken before it."""
    other = BlockLocks("/a.lock", vfs=disk)
    with other.hold([(2 * B, 1)]):
        with pytest.raises(LockTimeout, match="not free within"):
            locks.hold([(0, 1), (2 * B, 1)], timeout_s=timeout_s).__enter__()
        assert is_free(disk, (0, 1))
    other.close()
    with locks.hold([(2 * B, 1)]):
        outcome = in_thread(lambda: locks.hold([(0, 3 * B)], timeout_s=timeout_s).__enter__())
        assert isinstance(outcome, LockTimeout)
        assert is_free(disk, (0, 1))
    assert is_free(disk, (0, 3 * B))


def test_waiting_in_the_kernel_for_another_opening(locks, disk) -> None:
    """Who waits gets the range when it is free; who overlaps with that waits here."""
    other = BlockLocks("/a.lock", vfs=disk)
    hold = other.hold([(0, 1)])
    hold.__enter__()
    with Elsewhere(locks, (0, 2 * B), shared=True) as first:
        while in_thread(lambda: try_at(locks, (B, 1), shared=True)):
            threading.Event().wait(0.001)  # it does not wait yet
        assert not first.begun.is_set()
        hold.__exit__(None, None, None)
        assert first.begun.wait(PATIENCE_S)
        assert in_thread(lambda: try_at(locks, (B, 1), shared=True))
    other.close()


def test_closing_refuses_what_comes_and_keeps_what_is_held(disk) -> None:
    """The file is closed with the last block."""
    locks = BlockLocks("/a.lock", vfs=disk)
    with locks.hold([(0, 1)]):
        locks.close()
        with pytest.raises(Closed):
            in_raising = locks.hold([(B, 1)])
            in_raising.__enter__()
        assert not is_free(disk, (0, 1))
    assert [] == disk.leftovers()


def test_refused_unlock_is_made_up_for() -> None:
    """The error comes through; what could not be given back is with the last block."""
    disk = MemoryVFS()
    locks = BlockLocks("/a.lock", vfs=Faulty(disk, Fault("unlock_range", 1, effect="ENOLCK")))
    with locks.hold([(9 * B, 1)]):
        outcome = in_thread(lambda: try_at(locks, (0, 1)))
        assert isinstance(outcome, OSError)
        assert not is_free(disk, (0, 1))
    assert is_free(disk, (0, 10 * B))
    locks.close()
    assert [] == disk.leftovers()


@pytest.mark.parametrize("shared", [False, True])
def test_interrupt_anywhere_leaves_no_lock(disk, shared) -> None:
    """At the first event, the second, and so on to the end: the next one gets everything."""
    locks = BlockLocks("/a.lock", vfs=disk)
    ranges = [(0, 1), (5 * B, 1)]

    def use():
        with locks.hold(ranges, shared=shared), locks.hold([(0, 1)], shared=shared):
            pass

    use()
    nth = 1
    while interrupted(use, nth=nth, places=("_locks.py",)):
        assert [] == disk.held_locks, nth
        assert is_free(disk, *ranges), nth
        assert in_thread(lambda: try_at(locks, *ranges)), nth
        nth += 1
    assert nth > 10
    locks.close()
    assert [] == disk.leftovers()


def test_readers_and_writers_keep_the_pages_whole(locks) -> None:
    """Writers alone change a pair of blocks; no reader sees them differ."""
    pages = [0, 0, 0]
    torn: list[tuple[int, ...]] = []

    def write(seed):
        for step in range(100):
            at = (seed + step) % 2
            with locks.hold([(at * B, 2 * B)]):
                pages[at] += 1
                pages[at + 1] = pages[at]

    def read():
        for _ in range(200):
            with locks.hold([(0, 2 * B)], shared=True):
                before = tuple(pages)
                if before != tuple(pages):
                    torn.append(before)

    threads = [threading.Thread(target=write, args=(seed,)) for seed in range(2)]
    threads += [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)

    assert not torn
    assert try_at(locks, (0, 3 * B))
