"""A block holds everybody else up, sees the newest state, and writes one entry or nothing."""

from __future__ import annotations

import errno
import threading

import pytest

from holdfast.errors import Closed
from holdfast.primitives.log_hint import DURABLE
from holdfast.state.hold import Hold
from holdfast.vfs.fault import Fault, Faulty, Stopped
from holdfast.vfs.memory import MemoryVFS
from tests.support.interrupts import interrupted
from tests.support.machines import LOG, add, machine_on, put, words_of

pytestmark = pytest.mark.timeout(60)


def test_entry_of_a_block_is_applied_to_what_it_saw() -> None:
    """Durable when the block has ended, not before; others wait for that."""
    disk = MemoryVFS()
    machine, other = machine_on(disk), machine_on(disk)
    add(other, b"a")
    words = words_of(disk)
    with Hold(machine) as hold:
        assert [b"a"] == hold.state
        waiting = threading.Thread(target=add, args=[other, b"c"])
        waiting.start()
        assert 2 == hold.commit(b"b")
        assert [b"a", b"b"] == hold.state == machine.refresh()
        assert 1 == words[DURABLE]
    assert 2 <= words[DURABLE]
    waiting.join(20)
    assert [b"a", b"b", b"c"] == machine.refresh() == other.refresh()
    assert [] == disk.held_locks


def test_block_without_commit_writes_nothing() -> None:
    """Ended well or by an exception; another block begins as if it had not been."""
    disk = MemoryVFS()
    machine = machine_on(disk)
    add(machine, b"a")
    before = disk.tree()
    hold = Hold(machine)
    with hold:
        pass
    with pytest.raises(ZeroDivisionError), hold:
        hold.state.copy().append(b"%d" % (1 // 0))
    assert {k: v for k, v in before.items() if "lock" not in k} == {
        k: v for k, v in disk.tree().items() if "lock" not in k
    }
    assert [] == disk.held_locks
    with hold:
        assert 2 == hold.commit(b"b")


@pytest.mark.parametrize("error", [None, LookupError("not enough")])
def test_block_without_commit_waits_until_what_it_saw_is_durable(error) -> None:
    """The writer was killed before its sync."""
    disk = MemoryVFS()
    machine = machine_on(disk)
    add(machine, b"a")
    with pytest.raises(Stopped):
        add(machine_on(Faulty(disk, Fault("sync_data", 1, effect="stop", on="*.segment"))), b"b")
    hold = Hold(machine)
    with hold:
        assert [b"a", b"b"] == hold.state
        assert 1 == words_of(disk)[DURABLE]
    assert 2 == words_of(disk)[DURABLE]
    if error is not None:
        with pytest.raises(LookupError), hold:
            raise error


def test_block_commits_once() -> None:
    """And not after its end."""
    machine = machine_on(MemoryVFS())
    hold = Hold(machine)
    with pytest.raises(RuntimeError, match="commits once"):
        hold.commit(b"a")
    with hold:
        hold.commit(b"a")
        with pytest.raises(RuntimeError, match="commits once"):
            hold.commit(b"b")
    with pytest.raises(RuntimeError, match="commits once"):
        hold.commit(b"c")
    assert [b"a"] == machine.refresh()


def test_block_has_no_state_before_it_begins_and_after_its_end() -> None:
    """Else it would show one that others change meanwhile."""
    machine = machine_on(MemoryVFS())
    hold = Hold(machine)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="has not begun, or is over"):
            assert hold.state
        with hold:
            assert hold.is_held
            assert [] == hold.state
        assert not hold.is_held


def test_failed_commit_of_a_block_is_in_no_state() -> None:
    """The block goes on with the state as it is, and may commit then."""
    disk = MemoryVFS()
    machine = machine_on(disk)
    add(machine, b"a")
    fault = Fault("write", 1, effect="ENOSPC", on="*.segment*")
    failing = machine_on(Faulty(disk, fault))
    with Hold(failing) as hold:
        with pytest.raises(OSError, match="No space left") as caught:
            hold.commit(b"lost")
        assert errno.ENOSPC == caught.value.errno
        assert [b"a"] == hold.state
        with pytest.raises(ValueError, match="cannot be applied"):
            hold.commit(b"refused")
        with pytest.raises(TypeError):
            hold.commit("text")  # type: ignore[arg-type]
        assert [b"a"] == hold.state
        assert 2 == hold.commit(b"b")
    assert [b"a", b"b"] == machine.refresh() == failing.refresh() == machine_on(disk).refresh()


def test_who_only_waits_for_the_lock_says_nothing_about_who_has_it() -> None:
    """An interrupt while waiting leaves the mark of the one that holds it."""
    disk = MemoryVFS()
    machine = machine_on(disk)
    add(machine, b"a")
    with Hold(machine) as hold:
        generator = machine.holding(1)
        waiting = threading.Thread(target=lambda: [generator.close for _ in generator])
        waiting.start()
        machine.holding(2).close()
        with pytest.raises(RuntimeError, match="already"):
            add(machine, b"inner")
        hold.commit(b"b")
    waiting.join(20)
    assert 3 == add(machine, b"c")


def test_collected_block_holds_nothing() -> None:
    """Its end was never reached: the thread may commit again, and everybody else."""
    disk = MemoryVFS()
    machine = machine_on(disk)
    hold = Hold(machine)
    hold.__enter__()
    del hold
    assert [] == disk.held_locks
    assert 1 == add(machine, b"a")


def test_other_threads_read_while_a_block_is_held() -> None:
    """They see the state without what is not written."""
    machine = machine_on(MemoryVFS())
    add(machine, b"a")
    seen: list[list[bytes]] = []
    with Hold(machine) as hold:
        reader = threading.Thread(target=lambda: seen.append(list(machine.refresh())))
        reader.start()
        reader.join(20)
        hold.commit(b"b")
    assert [[b"a"]] == seen


def test_owner_is_who_may_not_commit_by_another_way() -> None:
    """Not the thread that took the lock, where another one is named."""
    machine = machine_on(MemoryVFS())
    with Hold(machine, owner=-1) as hold:
        machine.refuse_nested()
        hold.commit(b"a")
    with Hold(machine), pytest.raises(RuntimeError, match="already"):
        machine.refuse_nested()


def test_block_of_a_machine_that_is_closed_meanwhile() -> None:
    """By another thread: the block writes, or says that it is closed."""
    for sync in ("never", "always"):
        disk = MemoryVFS()
        machine = machine_on(disk, sync=sync)
        add(machine, b"a")
        closing = threading.Thread(target=machine.close)
        told: list[int] = []
        try:
            with Hold(machine) as hold:
                closing.start()
                for _ in range(1000):
                    machine.is_fresh()
                told.append(hold.commit(b"b"))
        except Closed:
            told.append(0)
        closing.join(20)
        assert not closing.is_alive()
        assert ([], [], []) == (disk.open_files, disk.open_folders, disk.held_locks)
        expected = [b"a", b"b"] if told[0] else [b"a"]
        assert expected == machine_on(disk).refresh()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_interrupt_anywhere_in_a_block_leaves_no_lock_and_a_right_state() -> None:
    """The entry is there for everybody, or for nobody; at the latest with the next commit."""
    nth = 0
    for nth in range(1, 3000):
        disk = MemoryVFS()
        machine, other = machine_on(disk), machine_on(disk)
        add(other, b"a")

        def block(machine=machine) -> None:
            with Hold(machine) as hold:
                hold.commit(b"b")

        is_over = not interrupted(block, nth=nth, places=("holdfast/state", "holdfast/primitives"))
        assert [] == disk.held_locks, f"event {nth}"
        seen = list(machine.refresh())
        assert seen in ([b"a"], [b"a", b"b"]), f"event {nth}"
        assert seen == other.refresh(), f"event {nth}"
        last = add(machine, b"c")
        assert other.refresh() == machine.refresh(), f"event {nth}"
        assert other.refresh() in ([*seen, b"c"], [b"a", b"b", b"c"]), f"event {nth}"
        assert last == len(other.refresh())
        if is_over:
            break
    assert 50 < nth < 2999


def test_lock_of_a_block_is_that_of_the_log() -> None:
    """Who appends to the log itself waits, too."""
    disk = MemoryVFS()
    machine = machine_on(disk)
    machine.commit(put(b"a"))
    with Hold(machine):
        assert [f"{LOG}/lock"] == disk.held_locks
