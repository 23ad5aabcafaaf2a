"""Stores into mapped files."""

from __future__ import annotations

import os

import pytest

from holdfast.crash.recorders.ledger import Ledger
from holdfast.crash.recorders.maps import SharedMaps, changed_pages
from holdfast.vfs.operations import Truncate, Write

PAGE = 4096


@pytest.fixture
def file(tmp_path):
    """Three and a half pages."""
    path = tmp_path / "f"
    path.write_bytes(bytes(3 * PAGE + 100))
    return path


@pytest.fixture
def maps(file):
    """The file, watched as inode 2."""
    watched = SharedMaps(Ledger())
    watched.add(2, os.open(file, os.O_RDONLY))
    yield watched
    watched.close()


def store(file, offset: int, data: bytes) -> None:
    """Change the file as a store would."""
    with open(file, "r+b") as opened:
        opened.seek(offset)
        opened.write(data)


def test_runs_of_changed_pages(file):
    """Neighbours are one run; the last page is as short as the file."""
    known = bytearray(file.read_bytes())
    store(file, 0, b"a")
    store(file, 3 * PAGE + 99, b"b")
    store(file, 2 * PAGE, b"c")
    with open(file, "rb") as opened:
        runs = list(changed_pages(opened.fileno(), known))
    assert [(0, PAGE), (2 * PAGE, PAGE + 100)] == [(at, len(data)) for at, data in runs]


def test_what_is_known_is_not_told_again(file, maps):
    """Each store is a change once."""
    store(file, 5, b"x")
    assert [Write(2, 0, bytes(5) + b"x" + bytes(PAGE - 6))] == maps.changes()
    assert [] == maps.changes()


def test_recorded_calls_are_no_stores(file, maps):
    """Writes and truncation by calls are taken over."""
    store(file, 3 * PAGE + 100, b"grown")
    maps.follow(Write(2, 3 * PAGE + 100, b"grown"))
    assert [] == maps.changes()
    os.truncate(file, 10)
    maps.follow(Truncate(2, 10))
    os.truncate(file, 20)
    maps.follow(Truncate(2, 20))
    assert [] == maps.changes()


def test_watching_twice_is_watching_once(file, maps):
    """The second descriptor is let go of."""
    again = os.open(file, os.O_RDONLY)
    maps.add(2, again)
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(again)
