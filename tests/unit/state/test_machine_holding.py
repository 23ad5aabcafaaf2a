"""A journal that is held: who holds it sees the newest state, and gives it back for sure."""

from __future__ import annotations

import threading

import pytest

from holdfast.errors import Closed
from holdfast.state.hold import Hold
from holdfast.vfs import SYSTEM
from holdfast.vfs.memory import MemoryVFS
from tests.support.machines import add, machine_on


def test_who_holds_sees_the_newest_state_and_is_marked_until_the_lock_is_back() -> None:
    """By its mark alone: it ends with the generator."""
    disk = MemoryVFS()
    machine, other = machine_on(disk), machine_on(disk)
    add(machine, b"a")
    add(other, b"b")
    me = threading.get_ident()
    holding = machine.holding(me)
    log = next(holding)
    assert [b"a", b"b"] == machine.state_held(log)
    assert machine.is_log(log)
    assert machine.marks.of(me) is not None
    assert machine.is_at_rest(me)
    assert disk.held_locks
    holding.close()
    assert [] == disk.held_locks
    assert machine.marks.of(me) is None
    assert not machine.is_at_rest(me)
    assert 3 == add(machine, b"c")


def test_log_of_somebody_else_is_refused() -> None:
    """A block that was begun before the journal was closed, or in the parent of this process."""
    machine = machine_on(MemoryVFS())
    add(machine, b"a")
    stranger = machine_on(MemoryVFS())
    add(stranger, b"a")
    holding = stranger.holding(threading.get_ident())
    log = next(holding)
    with pytest.raises(RuntimeError, match="another process"):
        machine.state_held(log)
    machine.close()
    with pytest.raises(Closed):
        machine.state_held(log)
    holding.close()


def test_reads_stay_with_the_journal_that_a_task_holds(tmp_path) -> None:
    """A backup is renamed in: to open it would wait for who waits for this read."""
    path, aside = tmp_path / "state.jrn", tmp_path / "aside"
    backup = machine_on(SYSTEM, str(tmp_path / "backup"))
    add(backup, b"backup")
    backup.close()
    machine = machine_on(SYSTEM, str(path))
    add(machine, b"a")
    with Hold(machine, owner=-1):
        path.rename(aside)
        (tmp_path / "backup").rename(path)
        log = machine._log
        assert log is not None
        log.trusted_until_s = 0.0
        assert [b"a"] == machine.read(list)
    log.trusted_until_s = 0.0
    assert [b"backup"] == machine.read(list)
    machine.close()
