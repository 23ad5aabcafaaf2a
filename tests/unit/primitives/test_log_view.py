"""How far a log may be read is asked of the shared tail, and not always believed."""

from __future__ import annotations

import pytest

from holdfast.errors import Corruption
from holdfast.formats.log_format import segment_name
from holdfast.primitives.log import Log
from holdfast.primitives.log_hint import (
    BOOT,
    BUSY,
    CHECK,
    DURABLE,
    END,
    LAST,
    POISON,
    WANTED,
    WORDS,
    begin_epoch,
)
from holdfast.primitives.log_view import View
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace

PATH = "/events.log"
SEGMENT = f"{PATH}/{segment_name(1)}"


@pytest.fixture
def disk() -> MemoryVFS:
    """A log of three records, of which two are durable."""
    disk = MemoryVFS()
    log = Log(PATH, sync="never", vfs=disk)
    log.append_many([b"a", b"b"])
    log.barrier()
    log.append(b"c")
    log.close()
    return disk


def view_of(vfs, *, durable: bool = True) -> View:
    """A look at it."""
    return View(PATH, durable=durable, vfs=vfs)


def words_of(disk: MemoryVFS):
    """The shared tail."""
    return disk.folder(PATH).open("lock", "write").words(WORDS)


def test_missing_log_has_no_limit() -> None:
    """And is not made."""
    view = view_of(disk := MemoryVFS())
    assert (None, None) == (view.open(), view.limit())
    assert {} == disk.tree()


def test_log_that_is_made_later_is_seen() -> None:
    """By the view that saw nothing before."""
    view = view_of(disk := MemoryVFS())
    view.limit()
    Log(PATH, vfs=disk).append(b"a")
    assert 1 == view.limit()


def test_limit_is_what_is_durable_or_what_is_written(disk) -> None:
    """As the log is read."""
    assert 2 == view_of(disk).limit()
    assert 3 == view_of(disk, durable=False).limit()


def test_both_positions_can_be_asked_for(disk) -> None:
    """Whatever the limit is."""
    for durable in (True, False):
        view = view_of(disk, durable=durable)
        assert (2, 3) == (view.durable, view.written)


def test_limit_moves_with_the_log(disk) -> None:
    """The same view shows what others append."""
    view = view_of(disk)
    view.limit()
    with Log(PATH, vfs=disk) as log:
        log.append(b"d")
    assert 4 == view.limit()


def test_look_takes_no_lock_and_changes_nothing(disk) -> None:
    """Neither the first one nor the next."""
    traced = Trace(disk)
    view = view_of(traced)
    view.limit()
    view.limit()
    changing = {"lock", "unlock", "write", "sync", "sync_data", "truncate", "unlink", "rename"}
    assert set() == changing & set(traced.operations)


def test_after_a_failed_sync_only_what_is_durable_is_shown(disk) -> None:
    """The page cache may show what the disk has not got."""
    words_of(disk)[POISON] = 5
    assert 2 == view_of(disk, durable=False).limit()


def test_after_a_crash_nobody_tells(disk) -> None:
    """The words are of another boot."""
    assert view_of(disk.crash()).limit() is None


def test_words_that_speak_of_another_file_are_not_believed(disk) -> None:
    """The segment was put back from a copy."""
    data = disk.tree()[SEGMENT.removeprefix("/")]
    disk.folder(PATH).unlink(segment_name(1))
    disk.write_tree({SEGMENT: data})
    assert view_of(disk).limit() is None


def test_limit_beyond_what_was_written_is_not_believed(disk) -> None:
    """Somebody wrote into the lock file."""
    words_of(disk)[DURABLE] = 4
    assert view_of(disk).limit() is None


def test_lock_file_that_is_too_short_tells_nothing(disk) -> None:
    """Its maker was killed, or somebody cut it."""
    view = view_of(disk)
    assert 2 == view.limit()
    disk.folder(PATH).open("lock", "write").truncate(4095)
    assert view.limit() is None
    assert view_of(disk).limit() is None


def test_missing_lock_file_tells_nothing(disk) -> None:
    """The log is complete without it."""
    view = view_of(disk)
    assert 2 == view.limit()
    disk.folder(PATH).unlink("lock")
    assert view.limit() is None
    assert view_of(disk).limit() is None


def test_lock_file_in_the_place_of_another_is_looked_at(disk) -> None:
    """A view that lives on believes the words of the one that has the name now."""
    view = view_of(disk)
    assert 2 == view.limit()
    disk.folder(PATH).unlink("lock")
    Log(PATH, vfs=disk).append(b"d")
    assert 4 == view.limit()


def test_lost_segment_is_corruption(disk) -> None:
    """A shorter log is not taken for the whole."""
    disk.folder(PATH).unlink(segment_name(1))
    with pytest.raises(Corruption, match="is gone"):
        view_of(disk).limit()


def test_words_that_are_behind_the_segment_are_not_believed(disk) -> None:
    """A copy of the lock file was put back: something stands where it says that nothing is."""
    words = words_of(disk)
    words[END] -= 48
    words[LAST] -= 1
    words[CHECK] ^= 1
    assert view_of(disk).limit() is None


def test_writer_at_work_hides_nothing(disk) -> None:
    """What was published before stands, whatever is behind it."""
    words = words_of(disk)
    disk.folder(PATH).open(segment_name(1), "write").write(b"half", offset=words[END])
    words[BUSY] = words[END]
    assert 2 == view_of(disk).limit()


def test_place_names_the_segment_that_is_written_to(disk) -> None:
    """Whoever reads sees that another one has begun."""
    view = view_of(disk)
    view.limit()
    assert view.place is not None
    assert (1, disk.stat(SEGMENT).st_ino) == (view.place.first, view.place.inode)


def test_closed_view_holds_nothing_and_opens_again(disk) -> None:
    """Closing twice is fine."""
    view = view_of(disk)
    view.limit()
    view.close()
    view.close()
    assert [] == disk.leftovers()
    assert 2 == view.limit()


def test_who_joins_no_sync_is_shown_what_nobody_waits_for(disk) -> None:
    """What a writer wants to be durable comes when it is; what lies behind it, not before."""
    view = View(PATH, durable=True, asked=True, vfs=disk)
    words = words_of(disk)
    assert (2, 3, 2) == (words[DURABLE], words[LAST], view_of(disk).limit())
    assert 3 == view.limit()
    words[WANTED] = 3
    assert 2 == view.limit()
    words[WANTED] = 9  # its writer died before the record was there
    assert 2 == view.limit()
    words[WANTED], words[POISON] = 0, 5
    assert 2 == view.limit()


def test_epoch_is_another_one_after_a_recovery_and_in_another_log(disk) -> None:
    """Nobody tells where there is no log, and on another boot."""
    assert view_of(MemoryVFS()).epoch() is None
    view = view_of(disk)
    first = view.epoch()
    assert first is not None
    assert first == view.epoch() == view_of(disk).epoch()
    begin_epoch(words_of(disk))
    second = view.epoch()
    disk.folder("/").rename("events.log", "aside")
    assert view.epoch() is None
    with Log(PATH, vfs=disk) as log:
        log.append(b"other")
        assert 3 == len({first, second, view.epoch()})
    words_of(disk)[BOOT] += 1
    assert view.epoch() is None
