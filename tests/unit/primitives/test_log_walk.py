"""A reader finds its way from segment to segment, whatever is appended and dropped meanwhile."""

from __future__ import annotations

import pytest

from holdfast.errors import Corruption, Truncated
from holdfast.formats.log_format import segment_name
from holdfast.primitives.log import Log
from holdfast.primitives.log_cursor import Cursor
from holdfast.primitives.log_hint import Place
from holdfast.primitives.log_view import View
from holdfast.vfs.memory import MemoryVFS

PATH = "/log"


def rolled(count: int = 60) -> tuple[MemoryVFS, list[int]]:
    """A log of several segments, a record each frame; and the first sequence of each segment."""
    disk = MemoryVFS()
    with Log(PATH, segment_bytes=1024, vfs=disk) as log:
        for number in range(1, count + 1):
            log.append(b"%d" % number)
    names = disk.folder(PATH).names()
    return disk, sorted(int(name[:20]) for name in names if name.endswith(".segment"))


def cursor_on(disk: MemoryVFS, start: int | None = None) -> Cursor:
    """A reader at a place."""
    return Cursor(View(PATH, durable=True, vfs=disk), start)


def pulled(cursor: Cursor) -> list[int]:
    """The sequences that come up to the end."""
    found: list[int] = []
    for _ in range(10_000):
        records = cursor.pull()
        if not records:
            return found
        found += [record.sequence for record in records]
    pytest.fail("it never ends")


def test_walk_crosses_every_segment() -> None:
    """None is left out, none comes twice."""
    disk, firsts = rolled()
    assert len(firsts) > 3
    assert list(range(1, 61)) == pulled(cursor_on(disk))


def test_walk_begins_in_the_segment_that_holds_the_start() -> None:
    """Also at the very first and the very last record of one."""
    disk, firsts = rolled()
    for start in (firsts[1] - 1, firsts[1], firsts[2] - 1, firsts[-1]):
        assert list(range(start, 61)) == pulled(cursor_on(disk, start))


def test_start_that_was_dropped_is_told_with_the_first_that_is_kept() -> None:
    """So that the caller can go on from there."""
    disk, firsts = rolled()
    Log(PATH, vfs=disk).drop_before(firsts[2])
    with pytest.raises(Truncated) as caught:
        pulled(cursor_on(disk, 1))
    assert (1, firsts[2]) == (caught.value.asked, caught.value.first)


def test_reader_is_overtaken_between_two_segments() -> None:
    """What it holds is read to the end; then it is told."""
    disk, firsts = rolled()
    cursor = cursor_on(disk)
    seen = [record.sequence for record in cursor.pull()]
    Log(PATH, vfs=disk).drop_before(firsts[-1])
    with pytest.raises(Truncated):
        for _ in range(100):
            seen += [record.sequence for record in cursor.pull()]
    assert list(range(1, firsts[1])) == seen


def test_segment_that_is_missing_in_the_middle_is_damage() -> None:
    """And not a shorter log."""
    disk, firsts = rolled()
    disk.folder(PATH).unlink(segment_name(firsts[1]))
    with pytest.raises(Corruption):
        pulled(cursor_on(disk))


def test_published_end_is_read_without_a_look_at_the_rest() -> None:
    """What was appended since comes in one piece, and the reader stands behind it."""
    disk = MemoryVFS()
    log = Log(PATH, vfs=disk)
    log.append(b"a")
    cursor = cursor_on(disk)
    assert [1] == pulled(cursor)
    log.append(b"b")
    log.append_many([b"c", b"d"])
    written = log._appender.position()
    found = cursor.pull_to(written.segment.place, end=written.end, last=written.last)
    assert (2, [b"b", b"c", b"d"]) == found
    log.append(b"e")
    assert [5] == pulled(cursor)


@pytest.mark.parametrize("off", ["end", "last", "place"])
def test_published_end_that_does_not_fit_is_not_believed(off) -> None:
    """The reader stays where it is, and finds its way by looking."""
    disk = MemoryVFS()
    log = Log(PATH, vfs=disk)
    log.append(b"a")
    cursor = cursor_on(disk)
    assert [1] == pulled(cursor)
    log.append(b"b")
    written = log._appender.position()
    place = Place(0, 0, 1, 0) if off == "place" else written.segment.place
    end, last = written.end + 8 * (off == "end"), written.last + (off == "last")
    assert cursor.pull_to(place, end=end, last=last) is None
    assert [2] == pulled(cursor)
