"""What a block has changed, and the lock, which goes with it."""

from __future__ import annotations

import os
from threading import RLock, Semaphore, Thread
from typing import Any

import pytest

from holdfast.state.store import Store
from holdfast.state.transaction_changes import Changes
from holdfast.vfs.memory import MemoryVFS
from tests.support.interrupts import interrupted

PATH = "/a.jrn"


def changes_of(store: Store[Any]) -> Changes[Any]:
    return Changes(store._machine, store._values)


def test_lock_goes_with_the_changes() -> None:
    """Nobody needs to say that they are over (I1)."""
    disk = MemoryVFS()
    store = Store[Any](PATH, vfs=disk)
    store["a"] = 1
    changes = changes_of(store)
    assert 1 == changes.find("a")
    assert [f"{PATH}/log/lock"] == disk.held_locks
    del changes
    assert [] == disk.held_locks
    store["a"] = 2


def test_interrupted_first_read_leaves_no_lock_behind_its_end() -> None:
    """Wherever it strikes; the next read of the block takes the lock anew."""
    nth = 0
    for nth in range(1, 2000):
        disk = MemoryVFS()
        store = Store[Any](PATH, vfs=disk)
        store["a"] = 1
        changes = changes_of(store)
        is_over = not interrupted(changes.begin, nth=nth, places=("holdfast/state",))
        assert 1 == changes.find("a")
        assert [f"{PATH}/log/lock"] == disk.held_locks, f"event {nth}"
        changes.put_all({"a": 2})
        changes.finish()
        assert [] == disk.held_locks, f"event {nth}"
        assert {"a": 2} == dict(store)
        if is_over:
            break
    assert 5 < nth < 1999


class Announced:
    """A lock that tells who comes to it."""

    def __init__(self) -> None:
        self.come = Semaphore(0)
        self.lock = RLock()

    def __enter__(self) -> None:
        self.come.release()
        self.lock.acquire()

    def __exit__(self, *_: object) -> None:
        self.lock.release()


def test_threads_that_read_through_one_transaction_see_one_state() -> None:
    """The second waits until the first has the lock, for which another writer is ahead (I2)."""
    disk = MemoryVFS()
    store, other = Store[Any](PATH, vfs=disk), Store[Any](PATH, vfs=disk)
    store["a"] = 1
    assert {"a": 1} == dict(store)
    seen: list[int] = []
    with other.transaction() as ahead:
        ahead["a"] += 1
        changes = changes_of(store)
        lock: Any = Announced()
        changes._taking = lock
        readers = [Thread(target=lambda: seen.append(changes.find("a"))) for _ in range(2)]
        for reader in readers:
            reader.start()
        assert all(lock.come.acquire(timeout=20) for _ in readers)
        assert [] == seen
    for reader in readers:
        reader.join(20)
    assert [2, 2] == seen
    changes.put_all({"a": 3})
    changes.finish()
    assert {"a": 3} == dict(other)


def test_failed_end_gives_back_the_lock_once() -> None:
    """Abandoning afterwards is no error."""
    disk = MemoryVFS()
    store = Store[Any](PATH, codec="bytes", vfs=disk)
    store["a"] = b"1"
    changes = changes_of(store)
    assert b"1" == changes.find("a")
    large = bytes(31 << 20)
    changes.put_all({"b": large, "c": large})
    with pytest.raises(ValueError, match=r"2 changes have \d+ bytes together.*import_lines"):
        changes.finish()
    assert [] == disk.held_locks
    changes.abandon()
    assert "over" == repr(changes)
    assert ["a"] == list(store)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_block_of_the_parent_is_not_committed_by_a_forked_child(tmp_path) -> None:
    """Else what is only written would be committed twice."""
    with Store[Any](tmp_path / "a.jrn") as store:
        store["a"] = 1
        changes = changes_of(store)
        changes.put_all({"a": 2})
        pid = os.fork()
        if pid == 0:
            try:
                with pytest.raises(RuntimeError, match="begun in another process"):
                    changes.finish()
                os._exit(0)
            finally:
                os._exit(1)
        assert 0 == os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        changes.finish()
        assert (2, {"a": 2}) == (store.sequence, dict(store))
