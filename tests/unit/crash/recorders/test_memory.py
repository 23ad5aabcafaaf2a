"""Recording on the memory filesystem."""

from __future__ import annotations

import holdfast
from holdfast.crash.recorders.memory import record_memory
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.operations import Mark, Rename, SyncFile, SyncFolder


def test_operations_know_their_calls_and_lines():
    """The lines are those of the program, not of holdfast."""
    disk = MemoryVFS()
    recording = record_memory(disk, lambda vfs: holdfast.write_text("/f", "x", vfs=vfs))

    kinds = [type(operation) for operation in recording.operations]
    assert kinds.index(SyncFile) < kinds.index(Rename) < kinds.index(SyncFolder)
    assert len(recording.operations) == len(recording.origins)
    moved = recording.calls[recording.origins[kinds.index(Rename)]]
    assert moved.text.startswith("rename(")
    assert __file__ == moved.sites[0].path


def test_what_is_there_counts_as_durable():
    """Only what the action does is recorded."""
    disk = MemoryVFS()
    holdfast.write_text("/f", "old", vfs=disk)
    recording = record_memory(disk, lambda vfs: holdfast.write_text("/f", "new", vfs=vfs))

    assert b"old" in [node.data for node in recording.before.values()]
    assert b"new" in [node.data for node in recording.after.values()]


def test_acknowledgements_are_calls():
    """In their place among the operations."""
    disk = MemoryVFS()

    def action(vfs):
        holdfast.write_text("/f", "x", vfs=vfs)
        disk.mark("saved")

    recording = record_memory(disk, action)
    assert Mark("saved") == recording.operations[-1]
    assert "ack('saved')" == recording.calls[recording.origins[-1]].text


def test_exceptions_end_the_recording_well():
    """A fault may be followed by a crash: what was done until then is recorded."""
    disk = MemoryVFS()

    def action(vfs):
        holdfast.write_text("/f", "x", vfs=vfs)
        raise RuntimeError("mine")

    recording = record_memory(disk, action)
    assert 1 == recording.status
    assert ("the action raised RuntimeError: mine",) == recording.notes
    assert recording.operations


def test_failed_calls_are_listed():
    """With the name of their errno, and without operations."""
    disk = MemoryVFS()

    def action(vfs):
        try:
            vfs.folder("/").unlink("gone")
        except FileNotFoundError:
            return

    calls = record_memory(disk, action).calls
    assert ["ENOENT"] == [call.error for call in calls]
