"""An interrupt anywhere leaves a journal that everybody can go on with, and the right state."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from holdfast.state.hold import Hold
from holdfast.state.machine import Machine
from holdfast.vfs.memory import MemoryVFS
from tests.support.interrupts import interrupted
from tests.support.machines import add, machine_on, put

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(100),
    pytest.mark.leaks_allowed,  # an interrupt between the opening of a file and its being noted
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
PLACES = ("holdfast/state/", "holdfast/primitives/")
"""Not the words in memory: to store one that is mapped is no call."""
BEFORE = [b"%d" % number * 200 for number in range(5)]


def commit(machine: Machine[list[bytes]]) -> None:
    add(machine, b"new")


def commit_nothing(machine: Machine[list[bytes]]) -> None:
    machine.commit(lambda _: None)


def commit_shared(machine: Machine[list[bytes]]) -> None:
    machine.commit_shared(put(b"new"))


def block(machine: Machine[list[bytes]]) -> None:
    with Hold(machine) as hold:
        assert len(hold.state) >= len(BEFORE)
        hold.commit(b"new")


def read(machine: Machine[list[bytes]]) -> None:
    assert BEFORE == machine.read(list)


def checkpoint(machine: Machine[list[bytes]]) -> None:
    machine.write_checkpoint()


def barrier(machine: Machine[list[bytes]]) -> None:
    machine.barrier()


def close(machine: Machine[list[bytes]]) -> None:
    machine.close()


ACTS: list[Callable[[Machine[list[bytes]]], None]] = [
    commit, commit_nothing, commit_shared, block, read, checkpoint, barrier, close,
]  # fmt: skip


@pytest.mark.parametrize("is_open", [True, False])
@pytest.mark.parametrize("sync", ["always", "never"])
@pytest.mark.parametrize("act", ACTS)
def test_after_an_interrupt_anywhere_everybody_goes_on(act, sync, is_open) -> None:
    """The same object and another one: one state, nothing told is lost, nobody waits for a lock."""
    step = 1 if is_open else 7
    nth = 0
    for nth in range(1, 20_000, step):
        disk = MemoryVFS()
        other = machine_on(disk, sync=sync, segment_bytes=1024)
        add(other, *BEFORE[:3])
        if act is checkpoint:
            other.write_checkpoint()
        machine = machine_on(disk, sync=sync, segment_bytes=1024)
        if is_open:
            machine.refresh()
        add(other, *BEFORE[3:])
        is_over = not interrupted(lambda m=machine: act(m), nth=nth, places=PLACES)
        assert [] == disk.held_locks, f"event {nth}"
        going_on = machine_on(disk, sync=sync, segment_bytes=1024) if act is close else machine
        seen = list(going_on.refresh())
        assert seen in (BEFORE, [*BEFORE, b"new"]), f"event {nth}"
        assert seen == other.refresh(), f"event {nth}"
        add(other, b"other")
        last = add(going_on, b"again")
        final = [entry for entry in other.refresh() if entry != b"new"]
        assert [*BEFORE, b"other", b"again"] == final, f"event {nth}"
        assert last == len(other.refresh()) <= 8
        assert other.refresh() == going_on.refresh(), f"event {nth}"
        if act in {checkpoint, close}:
            assert last == going_on.write_checkpoint()
        assert other.refresh() == machine_on(disk, read_only=True).refresh(), f"event {nth}"
        machine.close()
        if is_over:
            break
    assert 10 < nth < 19_900
