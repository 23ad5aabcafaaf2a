"""The file of a `RecordFile`: found, made, read slot by slot."""

from __future__ import annotations

from contextlib import suppress

import pytest

from holdfast.errors import Closed, PromiseUnavailable, UnknownFormat
from holdfast.formats.record_layout import RecordLayout
from holdfast.primitives.record_place import NewFile, RecordPlace, newest_of
from holdfast.vfs.clock import ManualClock
from holdfast.vfs.memory import MemoryVFS
from tests.support.record_bytes import LAYOUT, RecordBytes, put_file

NEW = NewFile(permissions=0o640, sector_bytes=512, chunk_bytes=3072, clock=ManualClock())


@pytest.fixture
def disk():
    """An empty disk."""
    return MemoryVFS()


def test_new_file_has_its_head_and_its_mode(disk) -> None:
    """And a sidecar beside it, which is made first."""
    place = RecordPlace("/a/r.rec", LAYOUT, new=NEW, vfs=disk)
    assert ("/a/r.rec.lock", 3, 4096) == (
        place.lock_path,
        place.head.chunk_records,
        place.size_bytes,
    )
    assert 0o640 == place.file.stat().st_mode & 0o777
    place.close()
    assert {"a", "a/r.rec", "a/r.rec.lock"} == {*disk.tree()}


def test_file_of_another_maker_is_taken(disk) -> None:
    """Who comes second opens what is there, and writes nothing over it."""
    one = RecordPlace("/r.rec", LAYOUT, new=NEW, vfs=disk)
    other = RecordPlace("/r.rec", LAYOUT, new=NEW, vfs=disk)
    assert one.head == other.head


def test_slots_are_read_one_by_one_and_in_rows(disk) -> None:
    """Both ways say the same; a slot that is not there is None."""
    path = put_file(disk, RecordBytes(5, 6, 7, 8).put(1, 3, 9).over(2, 0, b"x").whole)
    place = RecordPlace(path, None, new=None, vfs=disk)
    found = {number: pair for chunk in (0, 1) for number, pair in place.scan(chunk)}

    assert found == {number: place.pair(number) for number in range(6)}
    assert [2, 3, 2, 2, None, None] == [
        slot and slot.generation for slot in map(newest_of, found.values())
    ]
    assert [1, 2] == [number for number, _ in place.scan(0, start=1)]
    assert (None, None) == place.pair(1 << 50)


def test_no_regular_file_is_refused(disk) -> None:
    """A folder of that name, or a path to nothing."""
    disk.write_tree({"r.rec": None})
    with pytest.raises(PromiseUnavailable, match="is a folder"):
        RecordPlace("/r.rec", LAYOUT, new=NEW, vfs=disk)
    with pytest.raises(FileNotFoundError, match=r"other\.rec"):
        RecordPlace("/other.rec", None, new=NEW, vfs=disk)


def test_file_that_was_replaced_is_not_opened_anew(disk) -> None:
    """A forked child goes on with the same file, or not at all."""
    path = put_file(disk, RecordBytes(5).whole)
    place = RecordPlace(path, LAYOUT, new=NEW, vfs=disk)
    place.reopen()
    assert newest_of(place.pair(0)) is not None
    disk.folder("/").rename("r.rec", "old")
    put_file(disk, RecordBytes(6).whole)
    with pytest.raises(OSError, match=r"[Ss]tale"):
        place.reopen()
    place.close()
    with pytest.raises(Closed):
        place.pair(0)


def test_layout_that_does_not_fit_leaves_nothing_open(tmp_path) -> None:
    """The file is closed again."""
    path = str(tmp_path / "r.rec")
    from holdfast.vfs import SYSTEM

    RecordPlace(path, LAYOUT, new=NEW, vfs=SYSTEM).close()
    with suppress(UnknownFormat):
        RecordPlace(path, RecordLayout({"x": "I"}), new=NEW, vfs=SYSTEM)
