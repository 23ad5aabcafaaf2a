"""Volumes of Windows, by their kind."""

from __future__ import annotations

import pytest

from holdfast.vfs.volumes import promises_of

REMOTE, FIXED, RAM_DISK = 4, 3, 6


@pytest.mark.parametrize("drive", [FIXED, REMOTE, RAM_DISK])
def test_promises_admit_that_folders_are_not_synced(drive) -> None:
    """Whatever the drive, a new name may not survive a power cut, and a sentence says so."""
    promises = promises_of("NTFS", drive)

    assert not promises.folder_sync
    assert (drive != RAM_DISK) == promises.sync_is_durable
    assert any("folders cannot be synced" in sentence for sentence in promises.weaknesses)


@pytest.mark.parametrize(
    ("expected", "filesystem", "drive"),
    [
        (True, "NTFS", FIXED),
        (False, "NTFS", REMOTE),
        (False, "NTFS", RAM_DISK),
        (False, "ReFS", FIXED),
    ],
)
def test_filling_with_zeros_gains_on_a_disk_of_its_own(expected, filesystem, drive) -> None:
    """A server, memory, and a filesystem that copies on write gain nothing by it."""
    assert expected is promises_of(filesystem, drive).zero_filling
