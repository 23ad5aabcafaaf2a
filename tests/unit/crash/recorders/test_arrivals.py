"""Files from outside that get a name in the recorded folder; `test_naming` records them."""

from __future__ import annotations

import os

from holdfast.crash.recorders.arrivals import note_change, note_sync
from holdfast.crash.recorders.scene import Scene
from holdfast.crash.recorders.syscalls import X86_64
from holdfast.crash.recorders.tree import identity


def test_synced_files_are_remembered_as_they_were(tmp_path):
    """Size and times at the sync tell whether a file was changed since."""
    scene = Scene(X86_64, str(tmp_path))
    with open(tmp_path / "f", "w+b", buffering=0) as file:
        note_sync(scene, file.fileno())
        found = os.fstat(file.fileno())
        stamp = (0, found.st_mtime_ns, found.st_ctime_ns)
        assert {identity(found): stamp} == scene.synced_outside


def test_changes_outside_are_remembered(tmp_path):
    """A file that is about to be written to is not synced any more, whatever its times say."""
    scene = Scene(X86_64, str(tmp_path))
    with open(tmp_path / "f", "w+b", buffering=0) as file:
        note_sync(scene, file.fileno())
        note_change(scene, file.fileno())
        assert {} == scene.synced_outside


def test_folders_are_not_remembered(tmp_path):
    """Only regular files can be moved in."""
    scene = Scene(X86_64, str(tmp_path))
    folder = os.open(tmp_path, os.O_RDONLY)
    note_sync(scene, folder)
    os.close(folder)
    assert {} == scene.synced_outside
