"""A disk that is full, and a limit on the size of files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from holdfast.demo.full_disk import fill, full_disk


def test_room_enough_refuses_nothing(tmp_path: Path) -> None:
    """Where everything fits, nothing is refused and nothing is lost."""
    assert (5, 0, 0) == fill(tmp_path, limit=False, attempts=5)


def test_file_size_limit_refuses_and_loses_nothing(tmp_path: Path) -> None:
    """Some writes are beyond the limit: each is refused, and the contents before it stand."""
    row = next(iter(full_disk(tmp_path, lambda _: None, attempts=30)))

    assert (30, 0) == (row.tried, row.lost)
    assert 0 < int(row.note.split()[0]) < 30
    assert ["full.bin"] == os.listdir(tmp_path)


@pytest.mark.root
def test_small_disk_refuses_loses_nothing_and_is_unmounted(tmp_path: Path) -> None:
    """A tmpfs of 64 KiB is mounted, filled beyond its size, and gone afterwards."""
    _, row = full_disk(tmp_path, lambda _: None, attempts=30)

    assert (30, 0) == (row.tried, row.lost)
    assert 0 < int(row.note.split()[0]) < 30
    assert not (tmp_path / "tiny").is_mount()
