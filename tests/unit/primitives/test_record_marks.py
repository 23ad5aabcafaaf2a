"""Marks in the sidecar: who has written last, and whether a sync has failed."""

from __future__ import annotations

from contextlib import closing

import pytest

from holdfast.primitives.record_marks import MARKS_AT, Marks, clear_all
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.memory import MemoryVFS

LOCK, ID = "/r.rec.lock", 0x1122


@pytest.fixture
def disk():
    """An empty disk."""
    return MemoryVFS()


def marks(disk, number: int = ID) -> Marks:
    """Those of one handle."""
    return Marks(LOCK, number, permissions=0o666, vfs=disk)


def test_new_sidecar_tells_nothing(disk) -> None:
    """Nobody knows what was before it."""
    assert [None, None] == [marks(disk).look(byte) for byte in (0, 1023)]


def test_sidecar_of_a_new_file_says_that_nothing_awaits_a_sync(disk) -> None:
    """Of that file alone; and not when somebody has cut it since."""
    clear_all(LOCK, ID, permissions=0o666, vfs=disk)
    assert marks(disk).look(7) is False
    assert marks(disk, 5).look(7) is None
    with closing(disk.folder("/").open("r.rec.lock", "write")) as file:
        file.truncate(0)
    assert marks(disk).look(7) is None


def test_mark_says_whose_it_is(disk) -> None:
    """The handle's own, nobody's, or somebody else's; each byte by itself."""
    mine, other = marks(disk), marks(disk)
    mine.set(3)
    assert (True, None) == (mine.look(3), other.look(3))
    assert mine.look(4) is None
    mine.clear(3)
    assert (False, False) == (mine.look(3), other.look(3))


def test_forked_child_is_somebody_else(disk) -> None:
    """What its parent has written may await its sync."""
    mine = marks(disk)
    mine.set(3)
    mine.renew()
    assert mine.look(3) is None


def test_alarm_reaches_who_was_there_and_asks_the_next_to_mend(disk) -> None:
    """Whoever comes later mends once, and then nobody has to."""
    before, failed = marks(disk), marks(disk)
    assert (False, True) == (before.is_alarmed, before.is_mended)
    failed.raise_alarm()
    later = marks(disk)
    assert (True, False, False) == (before.is_alarmed, later.is_alarmed, later.is_mended)
    later.mended()
    assert marks(disk).is_mended


def test_failing_sidecar_is_told_before_a_write_alone(disk) -> None:
    """A mark that cannot be set stops the write; one that cannot be cleared costs a sync."""

    def broken() -> Marks:
        return marks(Faulty(disk, Fault("write", 1, effect="EIO")))

    with pytest.raises(OSError, match="Input/output"):
        broken().set(1)
    broken().clear(1)
    broken().raise_alarm()
    broken().mended()
    assert marks(disk).look(1) is None


def test_marks_lie_behind_the_lock_bytes(disk) -> None:
    """Where some systems keep who holds no lock from reading."""
    marks(disk).set(0)
    assert not any(disk.tree()["r.rec.lock"][:MARKS_AT])
    marks(disk).close()
