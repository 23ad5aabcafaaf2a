"""How many records there are, and when that is damage."""

from __future__ import annotations

import pytest

from holdfast.errors import Corruption
from holdfast.primitives.record_place import RecordPlace
from holdfast.primitives.record_tally import Tally, missing
from holdfast.vfs.memory import MemoryVFS
from tests.support.record_bytes import RecordBytes, put_file


def place_of(made: RecordBytes, cut: int | None = None) -> RecordPlace:
    """An open file."""
    disk = MemoryVFS()
    return RecordPlace(put_file(disk, made.whole[:cut]), None, new=None, vfs=disk)


@pytest.mark.parametrize("count", range(8))
def test_records_are_counted(count) -> None:
    """All of them, at once and going on from what was seen."""
    place = place_of(RecordBytes(*range(count)))
    assert [count, count] == [Tally(place).survey(), Tally(place).advance()]


def test_record_with_one_copy_counts() -> None:
    """It is whole."""
    assert 3 == Tally(place_of(RecordBytes(1, 2, 3).over(2, 0, bytes(512)))).survey()


def test_empty_chunk_says_that_those_before_it_are_full() -> None:
    """Whoever made it has seen to that."""
    made = RecordBytes(1, 2, 3)
    made.data += bytes(made.head.chunk_bytes)
    assert 3 == Tally(place_of(made)).survey()
    made.over(2, 0, b"x").over(2, 1, b"y")
    assert 3 == Tally(place_of(made)).survey()


def test_record_missing_before_the_end_ends_the_file_unless_it_was_durable() -> None:
    """What is behind it never was acknowledged, or says otherwise."""
    hole = RecordBytes(1, 2, 3).over(1, 0, bytes(512)).over(1, 1, bytes(512))
    assert 1 == Tally(place_of(hole)).survey()
    for number in (0, 2):
        with pytest.raises(Corruption, match="record 1 are damaged, although 2 records"):
            Tally(place_of(hole.put(number, 4, 9, durable=2))).survey()
        hole.put(number, 4, 9)


def test_part_of_a_chunk_holds_no_records() -> None:
    """Or it was whole once."""
    made = RecordBytes(1, 2, 3, 4)
    start = made.head.chunk_start(1)
    assert 3 == Tally(place_of(made, start + 40)).survey()
    with pytest.raises(Corruption, match="was cut at byte"):
        Tally(place_of(made, start + 600)).survey()


def test_what_is_known_to_be_durable_is_kept_and_learnt() -> None:
    """From slots, and from whole chunks."""
    tally = Tally(place_of(RecordBytes(1, 2, 3, 4, durable=1)))
    tally.survey()
    assert 3 == tally.durable
    tally.durable = 5
    with pytest.raises(Corruption, match="although 5"):
        tally.survey()


def test_error_names_record_and_place() -> None:
    """For who has to find it."""
    place = place_of(RecordBytes(1))
    error = missing(place, 0)
    assert ("/r.rec", 4096) == (error.path, error.offset)
    assert "record 0" in str(error)
