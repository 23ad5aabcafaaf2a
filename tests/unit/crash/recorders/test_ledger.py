"""The book of a recording."""

from __future__ import annotations

import os

import pytest

from holdfast.crash.recorders.ledger import Ledger
from holdfast.vfs import operations as ops
from holdfast.vfs.operations import Node

FILE = Node("file", 0o644)


@pytest.fixture
def ledger():
    """A folder with the file `a`, and the folder `d`."""
    book = Ledger()
    inodes = [book.number((1, number)) for number in (100, 101, 102)]
    folder = Node("folder", 0o755)
    book.start({1: folder._replace(entries=(("a", 2), ("d", 3))), 2: FILE, 3: folder})
    book.begin("call", (1, 1), ())
    assert [1, 2, 3] == inodes
    return book


def test_names_follow_the_operations(ledger):
    """Paths are those of now."""
    ledger.emit(ops.Rename(1, "a", 3, "b"), ops.Link(1, "c", 2), ops.Unlink(3, "b"))
    assert {1: {"c": 2, "d": 3}, 3: {}} == ledger.names
    assert "c" == ledger.path_of(2)
    assert "d/x" == ledger.entry_path(3, "x")


def test_an_inode_without_names_is_forgotten(ledger):
    """The system may give its number again."""
    ledger.emit(ops.Unlink(1, "a"))
    assert None is ledger.find((1, 101))
    assert 4 == ledger.number((1, 101))


def test_an_inode_that_is_held_is_not_forgotten(ledger, tmp_path):
    """Until it is let go of."""
    ledger.hold(2, os.open(tmp_path, os.O_RDONLY))
    ledger.emit(ops.Unlink(1, "a"))
    ledger.release()
    assert 2 == ledger.find((1, 101))
    ledger.close()


def test_holding_what_keeps_a_name_is_pointless(ledger, tmp_path):
    """It is let go of at once."""
    descriptor = os.open(tmp_path, os.O_RDONLY)
    ledger.hold(2, descriptor)
    ledger.emit(ops.Link(1, "c", 2), ops.Unlink(1, "a"))
    ledger.release()
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(descriptor)


def test_exchange(ledger):
    """Two names swap what they stand for."""
    ledger.emit(ops.Exchange(1, "a", 1, "d"))
    assert {"a": 3, "d": 2} == ledger.names[1]


def test_a_folder_that_leaves_takes_its_names_along(ledger):
    """Nothing below it is known any more."""
    ledger.emit(ops.Rename(1, "a", 3, "a"), ops.RemoveFolder(1, "d"))
    assert {} == ledger.names[1]
    assert None is ledger.find((1, 101))


def test_calls_and_operations_belong_together(ledger):
    """Each operation knows its call; a call knows its error."""
    ledger.emit(ops.Unlink(1, "a"))
    ledger.begin("next", (7, 8), ())
    ledger.emit(ops.Mark("x"), ops.Mark("y"))
    ledger.fail("EIO")
    assert [0, 1, 1] == ledger.origins
    assert (2, "next", 7, 8, (), "EIO") == ledger.calls[1]


def test_set_id_modes_are_kept_in_view(ledger):
    """A write may take them away."""
    ledger.emit(ops.SetAttributes(2, 0o4755))
    assert {2: 0o4755} == ledger.special_modes
    ledger.emit(ops.SetAttributes(2, 0o755))
    assert {} == ledger.special_modes


def test_devices_are_those_of_the_recorded_inodes(ledger):
    """One as a rule; more where something is mounted below the folder."""
    one = ledger.devices()
    ledger.born((123456, 1))
    assert one | {123456} == ledger.devices()
