"""Recordings of filesystems in memory, and checks on them."""

from __future__ import annotations

import pytest

from holdfast.crash.explorer.cases import Case, RecoveryFailed
from holdfast.crash.explorer.memory import MemoryBench, recording_of
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.states import crash_states


def disk_with_a_write() -> MemoryVFS:
    disk = MemoryVFS()
    disk.write_tree({"a": b"1"})
    folder = disk.folder(".")
    file = folder.open("b", "new")
    file.write(b"22")
    file.close()
    folder.close()
    return disk


def case_of(disk: MemoryVFS) -> Case:
    (state,) = crash_states(disk.core.initial, (), model="prefix")
    return Case("prefix", state, {}, ("told",))


def test_history_becomes_a_recording() -> None:
    """One call for each operation, in words."""
    recording = recording_of(disk_with_a_write())

    assert ["create(file)", "link('b')", "write('b', 0..1)"] == [c.text for c in recording.calls]
    assert len(recording.operations) == len(recording.origins)
    assert b"22" in {node.data for node in recording.after.values()}


def test_check_gets_a_disk_of_its_own() -> None:
    """What it does there is nowhere else."""
    disk, seen = disk_with_a_write(), []

    def check(crashed, acked) -> None:
        seen.append((crashed.tree(), acked))
        crashed.folder(".").unlink("a")

    bench = MemoryBench(disk, check)
    outcomes = [outcome.kind for _, outcome in bench.run([case_of(disk)] * 2)]

    assert ["holds", "holds"] == outcomes
    assert [({"a": b"1"}, ["told"])] * 2 == seen


def test_recovery_is_its_own_recording() -> None:
    """From the crashed disk, what was done to it."""
    disk = disk_with_a_write()

    def recover(crashed) -> None:
        folder = crashed.folder(".")
        folder.unlink("a")
        folder.close()

    recording = MemoryBench(disk, print, recover=recover).record_recovery(case_of(disk))

    assert ["unlink('a')"] == [call.text for call in recording.calls]


def test_recovery_that_runs_nothing_is_told() -> None:
    """A coroutine function would leave the disk as it was."""

    async def later(crashed) -> None:
        raise AssertionError

    disk = disk_with_a_write()
    with pytest.raises(RecoveryFailed, match="returned a coroutine, and nothing of it was run"):
        MemoryBench(disk, print, recover=later).record_recovery(case_of(disk))


def test_recovery_that_raises_is_told() -> None:
    """With its words."""
    disk = disk_with_a_write()
    bench = MemoryBench(disk, print, recover=lambda crashed: crashed.folder("gone"))

    with pytest.raises(RecoveryFailed, match="the recovery raised FileNotFoundError"):
        bench.record_recovery(case_of(disk))
