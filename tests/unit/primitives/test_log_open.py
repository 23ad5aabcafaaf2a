"""The lock file of a log has real blocks, is the one that the path names, and is given back."""

from __future__ import annotations

import errno
from contextlib import suppress

import pytest

from holdfast.errors import Corruption, UnknownFormat
from holdfast.formats.log_format import segment_name
from holdfast.primitives.log_hint import BUSY, DURABLE, MAP_BYTES, POISON, Place, place_of
from holdfast.primitives.log_open import LOCK, OpenLog
from holdfast.primitives.log_recovery import Settings
from holdfast.vfs.clock import ManualClock
from holdfast.vfs.fault import Fault, Faulty, Stopped, each_fault
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace

PATH = "/new/events.log"


def open_on(vfs, clock: ManualClock | None = None) -> OpenLog:
    """The log of these tests."""
    return OpenLog(Settings(PATH, 4096, 0o666, vfs, clock or ManualClock()))


def test_missing_log_is_made_with_a_lock_of_real_zeros() -> None:
    """4096 of them, synced: a store into a hole would need room on the disk."""
    traced = Trace(MemoryVFS())
    open_on(traced)
    assert bytes(MAP_BYTES) == traced.inner.tree()["new/events.log/lock"]  # type: ignore[attr-defined]
    steps = [call.operation for call in traced.calls if call.name.endswith(LOCK)]
    assert steps.index("write") < steps.index("sync") < steps.index("words")


def test_lock_that_was_half_made_is_completed() -> None:
    """Its maker was killed; what is there stays."""
    disk = MemoryVFS()
    disk.write_tree({f"{PATH}/lock": b"half"})
    open_on(disk)
    assert b"half" + bytes(MAP_BYTES - 4) == disk.tree()["new/events.log/lock"]


def test_words_are_shared_by_all_who_open_it() -> None:
    """What one stores, the other reads."""
    disk = MemoryVFS()
    one, other = open_on(disk), open_on(disk)
    one.words[BUSY] = 4711
    assert 4711 == other.words[BUSY]


def test_folder_with_other_things_is_refused_and_untouched() -> None:
    """It is no log, and does not become one."""
    disk = MemoryVFS()
    disk.write_tree({f"{PATH}/letter.txt": b"dear"})
    before = disk.tree()
    with pytest.raises(UnknownFormat, match=r"'letter\.txt'"):
        open_on(disk)
    assert before == disk.tree()
    assert [] == disk.leftovers()


@pytest.mark.parametrize("known", [LOCK, segment_name(1)])
def test_folder_of_a_log_may_hold_other_things(known) -> None:
    """What makes it one is the lock, or a segment."""
    disk = MemoryVFS()
    disk.write_tree({f"{PATH}/letter.txt": b"dear", f"{PATH}/{known}": b""})
    open_on(disk)


def test_what_a_killed_writer_left_is_no_stranger() -> None:
    """A temporary file alone is no other thing."""
    disk = MemoryVFS()
    disk.write_tree({f"{PATH}/.{segment_name(1)}.0123456789abcdef.holdfast-tmp": b""})
    open_on(disk)
    assert "new/events.log/lock" in disk.tree()


def test_lock_that_the_path_names_is_current() -> None:
    """Nothing has changed since."""
    assert open_on(MemoryVFS()).is_current()


@pytest.mark.parametrize("removed", [LOCK, "."])
def test_lock_that_was_removed_or_replaced_is_not_current(removed) -> None:
    """Somebody may have restored a backup."""
    disk = MemoryVFS()
    log = open_on(disk)
    disk.folder(PATH).unlink(LOCK)
    if removed == ".":
        disk.folder("/new").rmdir("events.log")
    assert not log.is_current()
    other = open_on(disk)
    assert not log.is_current()
    assert other.is_current()


def test_lock_that_was_cut_is_told() -> None:
    """A look at a word behind its end would end the process."""
    disk = MemoryVFS()
    log = open_on(disk)
    disk.folder(PATH).open(LOCK, "write").truncate(100)
    with pytest.raises(Corruption, match="somebody cut this file") as caught:
        log.is_current()
    assert (MAP_BYTES, 100) == (caught.value.expected, caught.value.found)


def test_look_at_the_path_is_trusted_for_a_millisecond() -> None:
    """It costs as much as a frame, and a restored backup is found soon enough."""
    clock = ManualClock()
    log = open_on(MemoryVFS(), clock)
    assert not log.is_trusted
    log.is_current()
    clock.advance(0.0009)
    assert log.is_trusted
    clock.advance(0.0002)
    assert not log.is_trusted


def test_segment_that_may_not_be_on_the_disk_poisons_the_log() -> None:
    """From its first record on nothing is durable."""
    log = open_on(MemoryVFS())
    log.poison_segment(77)
    assert Place(0, 0, 77, 0) == place_of(log.words, log.boot)
    assert (errno.EIO, 76) == (log.words[POISON], log.words[DURABLE])


def test_closed_log_holds_nothing() -> None:
    """Neither files nor words, and nothing was written for it."""
    traced = Trace(disk := MemoryVFS())
    log = open_on(traced)
    traced.clear()
    log.close()
    assert [] == disk.leftovers()
    assert {"close", "close_folder"} == set(traced.operations)
    with pytest.raises(ValueError, match="given back"):
        log.words[BUSY]


def test_failure_leaves_nothing_open() -> None:
    """Whatever call fails; and the next one opens it, also after a sudden end."""
    for fault in each_fault("EIO", "ENOSPC", "stop"):
        disk = MemoryVFS()
        with suppress(OSError, Stopped):
            open_on(Faulty(disk, fault)).close()
        assert [] == disk.held_locks, str(fault)
        assert [] == disk.open_files, str(fault)
        open_on(disk).close()
        assert MAP_BYTES == disk.stat(f"{PATH}/{LOCK}").st_size


def test_folder_that_was_made_just_now_is_durable_before_the_first_segment() -> None:
    """Whoever made it may have died before its sync; later openings trust what lies in it."""
    disk = MemoryVFS()
    disk.write_tree({f"{PATH}/lock": bytes(MAP_BYTES)})
    for number, expected in enumerate((["/new"], [])):
        if number:
            disk.write_tree({f"{PATH}/{segment_name(1)}": b"a segment"})
        traced = Trace(disk)
        open_on(traced).close()
        above = [call.name for call in traced.calls if call.operation == "sync_folder"]
        assert expected == [name for name in above if name == "/new"]


@pytest.mark.parametrize("dead", range(1, 8))
def test_folder_of_a_dead_maker_is_not_believed_after_a_failed_sync(dead) -> None:
    """The sync of the next opening fails, too; the one after that covers a name that is new."""
    for fault in each_fault("EIO", "EMFILE"):
        disk = MemoryVFS()
        disk.write_tree({"new": None})
        with suppress(Stopped):
            open_on(Faulty(disk, Fault("call", dead, effect="stop")))
        with suppress(OSError):
            open_on(Faulty(disk, fault)).close()
        open_on(disk).close()
        assert disk.crash().stat(PATH), str(fault)
        assert ["events.log"] == disk.folder("/new").names(), str(fault)


def test_lock_that_may_not_be_written_is_told_by_its_path() -> None:
    """Its name alone says nothing; and no file stays open."""
    disk = MemoryVFS()
    open_on(disk).close()
    with pytest.raises(PermissionError) as caught:
        open_on(Faulty(disk, Fault("open", 1, effect="EACCES", on="*lock")))
    assert f"{PATH}/{LOCK}" == caught.value.filename
    assert ([], []) == (disk.open_files, disk.open_folders)
