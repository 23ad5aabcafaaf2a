"""Numbered records, each alone among the threads of a process."""

from __future__ import annotations

import threading

import pytest

from holdfast.errors import Closed, LockTimeout
from holdfast.primitives.record_locks import BYTES, RecordLocks
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.memory import MemoryVFS
from tests.support.interrupts import interrupted

PATIENCE_S = 20.0


@pytest.fixture
def disk():
    return MemoryVFS()


@pytest.fixture
def locks(disk):
    made = RecordLocks("/a.lock", vfs=disk)
    yield made
    made.close()
    assert [] == disk.leftovers()


def is_free(disk, *numbers):
    """Whether another opening of the file gets all of these at once."""
    other = RecordLocks("/a.lock", vfs=disk)
    try:
        with other.hold(*numbers, timeout_s=0):
            return True
    except LockTimeout:
        return False
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


def try_at(locks, *numbers):
    """Whether this gets the records at once."""
    try:
        with locks.hold(*numbers, timeout_s=0):
            return True
    except LockTimeout:
        return False


def test_record_is_had_alone(locks, disk) -> None:
    """Other threads and other openings wait for it, and for nothing else; afterwards it is free."""
    with locks.hold(3):
        assert not in_thread(lambda: try_at(locks, 3))
        assert in_thread(lambda: try_at(locks, 4))
        assert not is_free(disk, 3)
        assert is_free(disk, 4)
    assert in_thread(lambda: try_at(locks, 3))
    assert is_free(disk, 3)


def test_records_of_one_byte_are_apart_in_a_process(locks, disk) -> None:
    """They exclude each other between processes alone; the byte goes with the last of them."""
    with locks.hold(3):
        go, end = threading.Event(), threading.Event()

        def other():
            with locks.hold(3 + BYTES):
                go.set()
                end.wait(PATIENCE_S)

        thread = threading.Thread(target=other)
        thread.start()
        assert go.wait(PATIENCE_S)
    assert not is_free(disk, 3)
    assert not is_free(disk, 3 + 2 * BYTES)
    end.set()
    thread.join(PATIENCE_S)
    assert is_free(disk, 3)


def test_several_are_taken_together(locks, disk) -> None:
    """In any order, and repeatedly; all are free afterwards."""
    with locks.hold(9, 3, 9, 3 + BYTES):
        assert [False, False, True] == [is_free(disk, number) for number in (3, 9, 5)]
    assert is_free(disk, 3, 9)


def test_more_than_a_thousand_are_held_at_once(locks, disk) -> None:
    """Every one of 5,000 records is had alone, and all are given back."""
    with locks.hold(*range(5000)):
        assert not in_thread(lambda: try_at(locks, 4999))
        assert ["/a.lock [1, 1025)"] == disk.held_locks
    assert [] == disk.held_locks


def test_thread_asks_again_for_what_it_has(locks, disk) -> None:
    """Blocks inside count, and the last of them gives back."""
    with locks.hold(3, 4):
        with locks.hold(4):
            with locks.hold(3, 4):
                pass
            assert not is_free(disk, 4)
        assert not is_free(disk, 4)
    assert is_free(disk, 3, 4)


def test_block_inside_may_end_last(locks, disk) -> None:
    """Whichever block ends last gives back."""
    outer, inner = locks.hold(3), locks.hold(3)
    outer.__enter__()
    inner.__enter__()
    outer.__exit__(None, None, None)
    assert not is_free(disk, 3)
    inner.__exit__(None, None, None)
    assert is_free(disk, 3)


def test_asking_for_more_is_refused(locks, disk) -> None:
    """It could wait in a circle; what the thread has it keeps until the end of its block."""
    with locks.hold(3):
        with pytest.raises(RuntimeError, match="holds 3 and asks for 4 as well"):
            locks.hold(3, 4).__enter__()
        assert not is_free(disk, 3)
        assert is_free(disk, 4)
    assert is_free(disk, 3)


def test_hold_is_entered_once(locks, disk) -> None:
    """A second block needs a hold of its own."""
    hold = locks.hold(3)
    with hold, pytest.raises(RuntimeError, match="entered before"):
        hold.__enter__()
    assert is_free(disk, 3)


def test_exception_in_the_block_gives_back(locks, disk) -> None:
    """It goes on as it is."""
    with pytest.raises(KeyError), locks.hold(3):
        raise KeyError
    assert is_free(disk, 3)


@pytest.mark.parametrize("timeout_s", [0, 0.02])
def test_time_out_holds_nothing(locks, disk, timeout_s) -> None:
    """Neither the record that was busy, here or elsewhere, nor those taken before it."""
    other = RecordLocks("/a.lock", vfs=disk)
    with other.hold(7):
        with pytest.raises(LockTimeout, match="not free within"):
            locks.hold(3, 7, timeout_s=timeout_s).__enter__()
        assert is_free(disk, 3)
    with locks.hold(7):
        outcome = in_thread(lambda: locks.hold(3, 7, timeout_s=timeout_s).__enter__())
        assert isinstance(outcome, LockTimeout)
        assert is_free(disk, 3)
    other.close()
    assert is_free(disk, 3, 7)


def test_wait_with_a_limit_gets_what_becomes_free(locks, disk) -> None:
    """Long before the limit, from another opening and from another thread."""
    for holder in (RecordLocks("/a.lock", vfs=disk), locks):
        hold = holder.hold(3)
        hold.__enter__()
        results: list[bool] = []

        def take(results=results):
            with locks.hold(3, timeout_s=PATIENCE_S):
                results.append(True)

        thread = threading.Thread(target=take)
        thread.start()
        assert not results
        hold.__exit__(None, None, None)
        thread.join(PATIENCE_S)
        assert [True] == results
        if holder is not locks:
            holder.close()


def test_threads_have_their_turn_in_the_order_of_asking(locks) -> None:
    """Each of ten waits its turn for the record, and none is overtaken."""
    order: list[int] = []
    threads = []

    def take(index):
        with locks.hold(3):
            order.append(index)

    with locks.hold(3):
        for index in range(10):
            threads.append(threading.Thread(target=take, args=(index,)))
            threads[-1].start()
            while locks.waiting < index + 1:
                threading.Event().wait(0.001)
    for thread in threads:
        thread.join(PATIENCE_S)

    assert list(range(10)) == order


def test_threads_exclude_each_other(locks) -> None:
    """Transfers among few records by several threads lose nothing, and come to an end."""
    accounts = [100] * 6

    def work(seed):
        for step in range(200):
            one, two = (seed + step) % 6, (seed * 3 + step * 5 + 1) % 6
            with locks.hold(one, two):
                left = accounts[one] - 1
                accounts[two] += 0 if one == two else 1
                accounts[one] = left if one != two else left + 1

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)

    assert 600 == sum(accounts)
    assert 0 == locks.waiting
    assert try_at(locks, *range(6))


def test_closing_refuses_what_comes_and_keeps_what_is_held(disk) -> None:
    """The file is closed with the last block; a thread that waits in the queue is refused."""
    locks = RecordLocks("/a.lock", vfs=disk)
    outcome: list[object] = []
    with locks.hold(3):
        thread = threading.Thread(
            target=lambda: outcome.append(in_thread(lambda: locks.hold(3).__enter__()))
        )
        thread.start()
        while not locks.waiting:
            threading.Event().wait(0.001)
        locks.close()
        thread.join(PATIENCE_S)
        assert isinstance(outcome[0], Closed)
        with pytest.raises(Closed):
            locks.hold(4).__enter__()
        assert not is_free(disk, 3)
    locks.close()

    assert locks.closed
    assert [] == disk.leftovers()


def test_another_file_under_the_name_is_noticed(tmp_path) -> None:
    """When nothing is held, and the last look is over a millisecond old, the new file is used."""
    path = tmp_path / "a.lock"
    locks, other = RecordLocks(str(path)), RecordLocks(str(path))
    with locks.hold(3):
        pass
    path.unlink()
    with other.hold(3):
        threading.Event().wait(0.005)
        assert not in_thread(lambda: try_at(locks, 3))
    locks.close()
    other.close()


@pytest.mark.parametrize("numbers", [(-1,), (3, -5)])
def test_negative_record_is_refused(locks, numbers) -> None:
    """Records are counted from 0."""
    with pytest.raises(ValueError, match="counted from 0"):
        locks.hold(*numbers)


@pytest.mark.parametrize("timeout_s", [-1, float("nan")])
def test_no_length_of_time_is_refused(locks, timeout_s) -> None:
    """Before anything is taken."""
    with pytest.raises(ValueError, match="timeout_s"):
        locks.hold(3, timeout_s=timeout_s)


def test_no_record_at_all(locks, disk) -> None:
    """A block without records holds nothing, and may take some inside."""
    with locks.hold():
        assert [] == disk.held_locks
        with locks.hold(3):
            assert not is_free(disk, 3)
    assert is_free(disk, 3)


def test_one_byte_locks_everything(disk) -> None:
    """With one byte elsewhere, another instance is a lock that may be taken inside a hold."""
    records, whole = (
        RecordLocks("/a.lock", vfs=disk),
        RecordLocks("/a.lock", vfs=disk, first_byte=0, byte_count=1),
    )
    with records.hold(0), whole.hold(0):
        assert ["/a.lock [1, 2)", "/a.lock [0, 1)"] == disk.held_locks
    records.close()
    whole.close()


@pytest.mark.parametrize("operation", ["open", "lock_range", "stat_file", "folder"])
def test_refused_lock_holds_nothing(operation) -> None:
    """The error of the system comes through, named and explained; the next hold goes well."""
    disk = MemoryVFS()
    locks = RecordLocks("/a.lock", vfs=Faulty(disk, Fault(operation, 1, effect="EIO")))
    with pytest.raises(OSError, match=r"a\.lock") as caught:
        locks.hold(3).__enter__()
    assert any("refused" in note for note in caught.value.__notes__)
    with locks.hold(3):
        assert not is_free(disk, 3)
    locks.close()
    assert [] == disk.leftovers()


def test_refused_unlock_frees_all_the_same() -> None:
    """When nothing else is held, the file is closed, which gives back; the error comes through."""
    disk = MemoryVFS()
    locks = RecordLocks("/a.lock", vfs=Faulty(disk, Fault("unlock_range", 1, effect="ENOLCK")))
    with pytest.raises(OSError, match=r"a\.lock"), locks.hold(3):
        pass
    assert is_free(disk, 3)
    with locks.hold(3):
        pass
    locks.close()
    assert [] == disk.leftovers()


def test_refused_unlock_beside_other_records_is_made_up_for() -> None:
    """What could not be given back is, at the latest when nothing is held any more."""
    disk = MemoryVFS()
    locks = RecordLocks("/a.lock", vfs=Faulty(disk, Fault("unlock_range", 1, effect="ENOLCK")))
    with locks.hold(9):
        outcome = in_thread(lambda: try_at(locks, 3))
        assert isinstance(outcome, OSError)
        assert in_thread(lambda: try_at(locks, 4))
        assert not is_free(disk, 3)
    assert is_free(disk, 3, 9)
    locks.close()


def test_file_that_cannot_be_written_is_explained(tmp_path) -> None:
    """A lock file that may only be read cannot carry these locks."""
    disk = MemoryVFS()
    disk.write_tree({"a.lock": b""})
    fault = Fault("open", 1, effect="EACCES", on="a.lock")
    locks = RecordLocks("/a.lock", vfs=Faulty(disk, fault))
    with pytest.raises(OSError, match=r"a\.lock") as caught:
        locks.hold(3).__enter__()
    assert any("for writing" in note for note in caught.value.__notes__)
    locks.close()
    assert [] == disk.leftovers()


def test_hold_of_a_process_that_died_is_silent() -> None:
    """After sudden death nothing is said, and the disk has no lock left."""
    disk = MemoryVFS()
    vfs = Faulty(disk, Fault("lock_range", 2, effect="stop"))
    locks = RecordLocks("/a.lock", vfs=vfs)
    hold = locks.hold(3)
    hold.__enter__()
    with pytest.raises(BaseException, match="lock_range"):
        in_thread_raising(lambda: locks.hold(4).__enter__())
    del hold
    assert [] == disk.held_locks


def in_thread_raising(act):
    """Run in another thread, and raise here what it raised."""
    errors = []

    def run():
        try:
            act()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(PATIENCE_S)
    raise errors[0]


def test_dropped_hold_gives_back(locks, disk) -> None:
    """A block that was begun and forgotten ends with its object."""
    hold = locks.hold(3)
    hold.__enter__()
    assert not is_free(disk, 3)
    del hold
    assert is_free(disk, 3)


@pytest.mark.parametrize("numbers", [(3,), (3, 9, 3 + BYTES)], ids=str)
def test_interrupt_anywhere_leaves_no_lock(disk, numbers) -> None:
    """At the first event, the second, and so on to the end: nothing is held, others get it."""
    locks = RecordLocks("/a.lock", vfs=disk)

    def use():
        with locks.hold(*numbers), locks.hold(numbers[0]):
            pass

    use()
    nth = 1
    while interrupted(use, nth=nth, places=("_locks.py",)):
        assert [] == disk.held_locks, nth
        assert is_free(disk, *numbers), nth
        assert in_thread(lambda: try_at(locks, *numbers)), nth
        nth += 1
    assert nth > 10
    locks.close()
    assert [] == disk.leftovers()
