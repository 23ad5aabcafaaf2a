"""Records come once, in order, up to the limit; a place without a frame is the end or damage."""

from __future__ import annotations

import errno
from collections.abc import Sequence

import pytest

from holdfast.errors import BadFrame, Corruption, Truncated
from holdfast.formats.log_format import Record, segment_name
from holdfast.primitives.log import Log
from holdfast.primitives.log_appender import Appender
from holdfast.primitives.log_cursor import Cursor
from holdfast.primitives.log_recovery import Settings
from holdfast.primitives.log_view import View
from holdfast.vfs import CLOCK
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace
from tests.support.log_bytes import Segment, as_folder

PATH = "/log"


def disk_of(*segments: Segment) -> MemoryVFS:
    """A log of these segments, of which no hint tells anything."""
    disk = MemoryVFS()
    disk.write_tree(as_folder(segments))
    return disk


def live(*batches: Sequence[bytes], segment_bytes: int = 1024) -> MemoryVFS:
    """A log that was written on this boot, a frame for each batch."""
    disk = MemoryVFS()
    log = Log(PATH, segment_bytes=segment_bytes, vfs=disk)
    for batch in batches:
        log.append_many(batch)
    log.close()
    return disk


def cursor_on(vfs, start: int | None = None, *, durable: bool = True) -> Cursor:
    """A place in it."""
    return Cursor(View(PATH, durable=durable, vfs=vfs), start)


def pulled(cursor: Cursor) -> list[bytes]:
    """What comes up to the end."""
    found: list[bytes] = []
    for _ in range(10_000):
        records = cursor.pull()
        if not records:
            return found
        found += [record.data for record in records]
    pytest.fail("it never ends")


def rolled(count: int = 60) -> MemoryVFS:
    """A log of several segments, a record each frame."""
    return live(*([b"%d" % number] for number in range(1, count + 1)))


def test_small_frames_come_together_and_large_ones_alone() -> None:
    """Each record with its sequence; then none."""
    cursor = cursor_on(live([b"a", b"b"], [b"c" * 5000], [b"d"], segment_bytes=1 << 16))
    assert [Record(1, b"a"), Record(2, b"b"), Record(3, b"c" * 5000)] == cursor.pull()
    assert [Record(4, b"d")] == cursor.pull()
    assert [] == cursor.pull()


@pytest.mark.parametrize("start", [1, 2, 3, 4, 5])
def test_start_may_lie_within_a_frame(start) -> None:
    """What comes before it is left out."""
    disk = live([b"1", b"2", b"3"], [b"4", b"5"])
    assert [b"%d" % n for n in range(start, 6)] == pulled(cursor_on(disk, start))


def test_start_to_come_gives_nothing_before_it() -> None:
    """Records below it are passed over when they come."""
    disk = live([b"1"])
    cursor = cursor_on(disk, 3)
    assert [] == cursor.pull()
    Log(PATH, vfs=disk).append_many([b"2", b"3", b"4"])
    assert [b"3", b"4"] == pulled(cursor)


def test_end_is_no_end_for_ever() -> None:
    """What is appended later comes then, from other segments too."""
    disk = live([b"1"])
    cursor = cursor_on(disk)
    assert [b"1"] == pulled(cursor)
    log = Log(PATH, segment_bytes=1024, vfs=disk)
    for number in range(2, 60):
        log.append(b"%d" % number)
        assert [b"%d" % number] == pulled(cursor)
    assert len(disk.folder(PATH).names()) > 3


def test_log_that_is_made_later_is_read() -> None:
    """A missing one is empty."""
    cursor = cursor_on(disk := MemoryVFS())
    assert [] == cursor.pull()
    Log(PATH, vfs=disk).append(b"a")
    assert [b"a"] == pulled(cursor)


def test_segments_are_read_one_after_the_other() -> None:
    """From the first that is kept, or from within any of them."""
    disk = rolled()
    for start in (None, 1, 23, 24, 59, 60):
        assert [b"%d" % n for n in range(start or 1, 61)] == pulled(cursor_on(disk, start))


def test_unsynced_records_wait_for_their_sync() -> None:
    """A reader of what is durable gets them afterwards; one of what is written at once."""
    disk = MemoryVFS()
    log = Log(PATH, sync="never", vfs=disk)
    log.append(b"a")
    cursor = cursor_on(disk)
    assert [] == cursor.pull()
    assert [b"a"] == pulled(cursor_on(disk, durable=False))
    log.barrier()
    assert [b"a"] == pulled(cursor)


def test_reading_takes_no_lock_and_writes_nothing() -> None:
    """Where the shared tail tells how far it may go, not even a sync is needed."""
    traced = Trace(rolled())
    pulled(cursor_on(traced))
    changing = {"lock", "unlock", "write", "sync", "sync_data", "truncate", "unlink", "rename"}
    assert set() == changing & set(traced.operations)


def test_without_a_hint_records_are_synced_before_they_are_shown() -> None:
    """Nobody knows whether they are durable; the end is that of the frames."""
    data = Segment().append(b"a").append(b"b").fill(100)
    traced = Trace(disk_of(data))
    cursor = cursor_on(traced)
    assert [Record(1, b"a"), Record(2, b"b")] == cursor.pull()
    assert "sync_data" in traced.operations
    assert [] == pulled(cursor)


@pytest.mark.parametrize("error", ["EBADF", "EINVAL"])
def test_file_that_cannot_be_synced_is_read_all_the_same(error) -> None:
    """Some systems sync only what is open for writing, or not on this medium."""
    fault = Fault("sync_data", 1, effect=error, repeat=True)
    assert [b"a"] == pulled(cursor_on(Faulty(disk_of(Segment().append(b"a")), fault)))


@pytest.mark.parametrize("error", ["EIO", "EROFS"])
def test_sync_that_fails_shows_nothing(error) -> None:
    """What may be lost is not shown as if it were durable."""
    faulty = Faulty(disk_of(Segment().append(b"a")), Fault("sync_data", 1, effect=error))
    with pytest.raises(OSError) as caught:
        cursor_on(faulty).pull()
    assert getattr(errno, error) == caught.value.errno


def test_nothing_is_read_past_the_end_that_the_next_segment_states() -> None:
    """Whole frames that stand there were cut: they never were acknowledged."""
    one = Segment().append(b"a")
    two = Segment(2, after=one).append(b"b")
    one.append(b"cut")
    assert [b"a", b"b"] == pulled(cursor_on(disk_of(one, two)))


def test_segment_that_ends_before_the_stated_end_is_damaged() -> None:
    """What came before is good."""
    one = Segment().append(b"a").append(b"b")
    two = Segment(3, after=one).append(b"c")
    one.data[one.starts[1] + 41] ^= 1
    cursor = cursor_on(disk_of(one, two))
    assert [Record(1, b"a")] == cursor.pull()
    with pytest.raises(Corruption, match="the next segment says") as caught:
        cursor.pull()
    assert one.starts[1] == caught.value.offset


def test_acknowledged_record_that_is_no_frame_is_damage() -> None:
    """The limit says that something stands there."""
    disk = live([b"a"], [b"b"])
    disk.folder(PATH).open(segment_name(1), "write").write(b"\1", offset=560 + 41)
    cursor = cursor_on(disk)
    assert [Record(1, b"a")] == cursor.pull()
    with pytest.raises(Corruption, match="records up to 2 were acknowledged"):
        cursor.pull()


def test_torn_end_that_nobody_knows_of_is_the_end() -> None:
    """Nothing acknowledged can have stood there."""
    data = Segment().append(b"a")
    data.append(b"x" * 3000, synced=512)
    data.data[1024:] = bytes(len(data.data) - 1024)
    assert [b"a"] == pulled(cursor_on(disk_of(data)))


def test_damaged_end_is_told_without_a_hint_too() -> None:
    """A later frame proves what stood there."""
    data = Segment().append(b"a").append(b"b").append(b"c")
    data.data[data.starts[1] + 41] ^= 1
    cursor = cursor_on(disk_of(data))
    assert [Record(1, b"a")] == cursor.pull()
    with pytest.raises(Corruption, match="had been synced"):
        cursor.pull()


def test_missing_segment_is_told_after_what_comes_before_it() -> None:
    """What is whole is shown first."""
    one = Segment().append(b"a")
    two = Segment(2, after=one).append(b"b")
    cursor = cursor_on(disk_of(one, Segment(3, after=two).append(b"c")))
    assert [Record(1, b"a")] == cursor.pull()
    with pytest.raises(Corruption, match="missing"):
        cursor.pull()


def test_gap_that_a_repair_made_is_passed_over() -> None:
    """The next segment follows, and begins later."""
    one = Segment().append(b"a")
    cursor = cursor_on(disk_of(one, Segment(9, after=one).append(b"i")))
    assert [Record(1, b"a")] == cursor.pull()
    assert [Record(9, b"i")] == cursor.pull()


def test_segment_that_begins_too_early_is_refused() -> None:
    """A sequence cannot come twice."""
    one = Segment().append(b"a", b"b")
    cursor = cursor_on(disk_of(one, Segment(2, after=one).append(b"x")))
    cursor.pull()
    with pytest.raises(BadFrame, match="3 must come") as caught:
        cursor.pull()
    assert (3, 2) == (caught.value.expected, caught.value.found)


def test_record_that_was_dropped_is_told_with_the_first_that_is_kept() -> None:
    """At the start, and for a reader that was overtaken."""
    disk = rolled()
    slow = cursor_on(disk, 1)
    slow.pull()
    kept = Log(PATH, vfs=disk).drop_before(50)
    with pytest.raises(Truncated) as caught:
        cursor_on(disk, 3).pull()
    assert (3, kept) == (caught.value.asked, caught.value.first)
    with pytest.raises(Truncated) as caught:
        pulled(slow)
    assert kept == caught.value.first
    assert [b"%d" % n for n in range(kept, 61)] == pulled(cursor_on(disk))


def test_reader_goes_over_to_a_file_that_took_the_place() -> None:
    """An empty segment is replaced under its name by a recovery."""
    disk = disk_of(Segment())
    cursor = cursor_on(disk)
    assert [] == cursor.pull()
    disk.folder(PATH).unlink(segment_name(1))
    disk.write_tree({f"log/{segment_name(1)}": bytes(Segment(salt=9).append(b"new").data)})
    assert [b"new"] == pulled(cursor)


def test_last_sequence_is_found_by_reading() -> None:
    """For who has no hint; 0 where there is none."""
    one = Segment().append(b"a", b"b")
    last_of = Cursor.end_of
    assert 0 == last_of(View(PATH, durable=True, vfs=MemoryVFS()))
    assert 2 == last_of(View(PATH, durable=True, vfs=disk_of(one)))
    assert 5 == last_of(View(PATH, durable=True, vfs=disk_of(one, Segment(6, after=one))))


def test_position_is_the_record_that_comes_next() -> None:
    """As far as anything was read."""
    cursor = cursor_on(live([b"a", b"b"], [b"c" * 5000], [b"d"], segment_bytes=1 << 16), 2)
    assert 2 == cursor.position
    cursor.pull()
    assert 4 == cursor.position


def test_closed_cursor_holds_nothing() -> None:
    """Closing twice is fine; so is closing in the middle."""
    disk = rolled()
    before = disk.leftovers()
    view = View(PATH, durable=True, vfs=disk)
    cursor = Cursor(view, None)
    for _ in range(30):
        cursor.pull()
    cursor.close()
    cursor.close()
    view.close()
    assert before == disk.leftovers()


def test_skipped_records_are_not_read_back() -> None:
    """Who has appended goes on behind what it wrote, also in a segment that was begun for it."""
    disk = MemoryVFS()
    appender = Appender(Settings(PATH, 1024, 0o666, disk, CLOCK))
    traced = Trace(disk)
    cursor = cursor_on(traced, 1, durable=False)
    for number in range(1, 30):
        written = appender.append([b"%d" % number * 50])
        cursor.skip(written.segment, end=written.end, following=written.last + 1)
        assert number + 1 == cursor.position
    traced.clear()
    assert [] == cursor.pull()
    assert appender.rolled
    appender.append([b"next"])
    assert [Record(30, b"next")] == cursor.pull()


def test_skip_in_a_log_that_is_gone_leaves_the_place() -> None:
    """What was there before is read on, or missed, as without it."""
    disk = MemoryVFS()
    written = Appender(Settings(PATH, 1024, 0o666, disk, CLOCK)).append([b"a"])
    cursor = cursor_on(MemoryVFS(), 1, durable=False)
    with pytest.raises(FileNotFoundError, match="log is gone"):
        cursor.skip(written.segment, end=written.end, following=2)
    assert 1 == cursor.position
