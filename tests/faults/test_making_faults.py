"""What is acknowledged after a making that failed, or whose maker died, is durable."""

from __future__ import annotations

from contextlib import suppress

import pytest

from holdfast.errors import HandlePoisoned
from holdfast.vfs.fault import Fault, Faulty, Stopped, each_fault
from holdfast.vfs.memory import MemoryVFS
from tests.support.machines import add, machine_on


def acknowledged_after(disk: MemoryVFS, machine) -> bool:
    """Whether a commit is acknowledged now; if so, it survives a power cut."""
    try:
        last = add(machine, b"after")
    except HandlePoisoned:
        return False
    for seed in (None, 1, 2, 3):
        state = machine_on(disk.crash(seed=seed)).refresh()
        assert (b"after", last) == (state[-1], len(state))
    return True


@pytest.mark.parametrize("effect", ["EIO", "ENOSPC"])
@pytest.mark.parametrize("is_same", [True, False])
def test_commit_after_a_failed_making_is_durable(effect: str, is_same: bool) -> None:
    """Whatever call failed; with the same object, unless it is poisoned, or another one."""
    outcomes = set()
    for fault in each_fault(effect):
        disk = MemoryVFS()
        faulty = Faulty(disk, fault)
        machine = machine_on(faulty, "/state.jrn")
        with suppress(OSError, HandlePoisoned):
            add(machine, b"before")
        faulty.faults = ()
        outcomes.add(acknowledged_after(disk, machine if is_same else machine_on(disk)))
    assert outcomes == ({True, False} if is_same else {True})


@pytest.mark.parametrize("reads", [False, True])
def test_commit_after_a_dead_maker_is_durable(reads: bool) -> None:
    """Also where somebody has read before: reading makes the log of a journal that has none."""
    for fault in each_fault("stop"):
        disk = MemoryVFS()
        with suppress(Stopped):
            add(machine_on(Faulty(disk, fault)), b"before")
        machine = machine_on(disk)
        if reads:
            machine.refresh()
        assert acknowledged_after(disk, machine), str(fault)


def test_reader_of_a_half_made_journal_makes_it_durable() -> None:
    """Before it makes the log, by which others take it for durable."""
    disk = MemoryVFS()
    for maker in range(2):
        with suppress(Stopped):  # one made the folder, the other the identity; both were killed
            fault = Fault("sync_folder", 1 if maker else 2, effect="stop")
            machine_on(Faulty(disk, fault)).make()
    assert ["journal"] == disk.folder("/state.jrn").names()
    machine = machine_on(disk)
    assert [] == machine.refresh()
    assert acknowledged_after(disk, machine)
