"""Files in memory that two processes share."""

from __future__ import annotations

import os

from holdfast.crash.disks.memory import map_file, read_all


def test_all_is_read_wherever_the_position_is(tmp_path) -> None:
    """The writer's position, which a shared descriptor shares, neither matters nor moves."""
    descriptor = os.open(tmp_path / "log", os.O_RDWR | os.O_CREAT)
    os.write(descriptor, b"first")
    found = [read_all(descriptor, 5)]
    os.write(descriptor, b", second")
    found += [read_all(descriptor, 13), read_all(descriptor, 7)]
    os.close(descriptor)

    assert [b"first", b"first, second", b"first, "] == found


def test_map_shows_the_file(tmp_path) -> None:
    """A slice of the map is the bytes there."""
    path = tmp_path / "base"
    path.write_bytes(b"0123456789")
    descriptor = os.open(path, os.O_RDONLY)
    with map_file(descriptor) as mapped:
        found = mapped[3:6]
    os.close(descriptor)

    assert b"345" == found
