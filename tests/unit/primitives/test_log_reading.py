"""The reading end gives positions and records, waits for more, and gives back what it opens."""

from __future__ import annotations

import asyncio
import os
import threading

import pytest

from holdfast.errors import Truncated
from holdfast.formats.log_format import segment_name
from holdfast.primitives.log import Log
from holdfast.primitives.log_reading import LogReading
from holdfast.vfs import VFS
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.memory import MemoryVFS
from tests.support.log_bytes import Segment, as_folder

PATH = "/log"


@pytest.fixture
def disk() -> MemoryVFS:
    """Nine records, in frames of three; two frames are durable."""
    disk = MemoryVFS()
    log = Log(PATH, sync="never", vfs=disk)
    for number in (1, 4, 7):
        log.append_many([b"%d" % n for n in range(number, number + 3)])
        if number == 4:
            log.barrier()
    log.close()
    return disk


def reading(vfs: VFS, *, only_durable: bool = True) -> LogReading:
    """The reading end."""
    return LogReading(PATH, only_durable=only_durable, vfs=vfs)


def sequences(records) -> list[int]:
    """The numbers of records."""
    return [record.sequence for record in records]


def test_path_is_absolute(tmp_path, monkeypatch) -> None:
    """A program may change its folder."""
    monkeypatch.chdir(tmp_path)
    assert f"{tmp_path}/l" == LogReading("l", only_durable=True, vfs=MemoryVFS()).path
    assert f"{tmp_path}/b" == LogReading(os.fsencode("b"), only_durable=True, vfs=MemoryVFS()).path  # type: ignore[arg-type]


@pytest.mark.parametrize(("only_durable", "last"), [(True, 6), (False, 9)])
def test_positions_are_told_by_the_shared_tail(disk, only_durable, last) -> None:
    """What is read depends on how; what is written and durable does not."""
    log = reading(disk, only_durable=only_durable)
    assert (1, last, 9, 6) == (log.first, log.last, log.written, log.durable)
    assert list(range(1, last + 1)) == sequences(log.read())


def test_positions_are_found_by_reading_where_nobody_tells() -> None:
    """A log that was copied here."""
    disk = MemoryVFS()
    disk.write_tree(as_folder([Segment(5).append(b"e", b"f")]))
    log = reading(disk)
    assert (5, 6, 6, 6) == (log.first, log.last, log.written, log.durable)


def test_empty_log_begins_behind_its_end() -> None:
    """All was dropped; or there never was anything."""
    disk = MemoryVFS()
    disk.write_tree(as_folder([Segment(7)]))
    assert (7, 6) == (reading(disk).first, reading(disk).last)
    assert (1, 0) == (reading(MemoryVFS()).first, reading(MemoryVFS()).last)


@pytest.mark.parametrize(
    ("start", "stop", "found"),
    [
        (None, None, [1, 2, 3, 4, 5, 6]),
        (2, 5, [2, 3, 4]),
        (4, 4, []),
        (5, 4, []),
        (None, 7, [1, 2, 3, 4, 5, 6]),
        (7, None, []),
    ],
)
def test_read_goes_from_start_to_before_stop(disk, start, stop, found) -> None:
    """Also in the middle of a frame."""
    assert found == sequences(reading(disk).read(start, stop))


@pytest.mark.parametrize("start", [0, -1])
def test_start_below_one_is_refused_by_the_call_itself(disk, start) -> None:
    """Not by the first record that is asked for."""
    for call in (reading(disk).read, reading(disk).follow):
        with pytest.raises(ValueError, match="count from 1"):
            call(start)


def test_iteration_that_is_given_up_leaves_nothing_open(disk) -> None:
    """Nor does one that comes to its end, or a look at the positions."""
    log = reading(disk)
    for records in (log.read(), log.follow(timeout_s=0)):
        next(records)
        records.close()  # type: ignore[attr-defined]
    assert 6 == len(list(log.read()))
    assert 15 == log.last + log.written
    assert [] == disk.leftovers()


def test_follower_that_waits_long_enough_ends(disk) -> None:
    """After all that is there."""
    assert [5, 6] == sequences(reading(disk).follow(5, timeout_s=0))


def test_follower_waits_for_a_record_to_come(disk) -> None:
    """It is shown once it is durable."""
    followed = reading(disk).follow(9, timeout_s=30)
    writer = threading.Thread(target=Log(PATH, vfs=disk).append, args=(b"10",))
    writer.start()
    assert [9, 10] == [next(followed).sequence, next(followed).sequence]
    writer.join()
    followed.close()  # type: ignore[attr-defined]


def test_timeout_that_cannot_be_is_refused(disk) -> None:
    """Less than nothing."""
    with pytest.raises(ValueError, match="timeout_s"):
        next(reading(disk).follow(timeout_s=-1))


def test_reader_of_what_was_dropped_is_told(disk) -> None:
    """With the first that is kept."""
    Log(PATH, vfs=disk).drop_before(10)
    with pytest.raises(Truncated, match="record 3 was dropped"):
        list(reading(disk).read(3))


def test_task_follows_without_blocking_its_loop(disk) -> None:
    """Another task of the same loop appends what it waits for."""

    async def main() -> list[int]:
        found: list[int] = []

        async def follow() -> None:
            async for record in reading(disk).afollow(6, timeout_s=30):
                found.append(record.sequence)
                if record.sequence == 10:
                    return

        follower = asyncio.ensure_future(follow())
        await Log(PATH, vfs=disk).aappend(b"10")
        await follower
        return found

    assert [6, 7, 8, 9, 10] == asyncio.run(main())


def test_check_reads_all_and_repair_copies_it(disk) -> None:
    """Whoever only reads may do both."""
    log = reading(disk)
    before = disk.tree()
    assert log.check().ok
    assert before == disk.tree()
    assert 9 == log.repair(to="/copy").records
    assert list(range(1, 10)) == sequences(LogReading("/copy", only_durable=True, vfs=disk).read())


def test_check_and_repair_have_twins(disk) -> None:
    """For asyncio."""
    log = reading(disk)
    assert asyncio.run(log.acheck()) == log.check()
    assert 9 == asyncio.run(log.arepair(to="/copy")).records
    assert f"copy/{segment_name(1)}" in disk.tree()


@pytest.mark.parametrize("nth", [1, 2])
def test_error_of_the_system_names_the_whole_path(disk, nth) -> None:
    """Else nobody knows of which log it is; a segment is opened to find its place, and to read."""
    faulty = Faulty(disk, Fault("open", nth, effect="EACCES", on="*.segment"))
    with pytest.raises(PermissionError) as caught:
        list(reading(faulty).read())
    assert f"{PATH}/{segment_name(1)}" == caught.value.filename


def test_error_of_making_the_folder_names_the_whole_path() -> None:
    """As that of a segment."""
    faulty = Faulty(MemoryVFS(), Fault("mkdir", 1, effect="EACCES"))
    with Log("/other", vfs=faulty) as log, pytest.raises(PermissionError) as caught:
        log.append(b"a")
    assert "/other" == caught.value.filename


def test_ended_reading_ends_who_follows(disk) -> None:
    """Those that wait, and those that begin later."""
    log = reading(disk)
    seen: list[int] = []
    begun = threading.Event()

    def follow() -> None:
        for record in log.follow():
            seen.append(record.sequence)
            if record.sequence == 6:
                begun.set()

    thread = threading.Thread(target=follow)
    thread.start()
    assert begun.wait(20)
    log.close()
    thread.join(20)
    assert not thread.is_alive()
    assert list(range(1, 7)) == seen == sequences(log.follow())


def test_forked_child_ends_its_reading_whoever_waited_in_the_parent(disk) -> None:
    """A thread of the parent may have had the lock of the event at that moment."""
    log, ended = reading(disk), reading(disk)
    ended.close()
    with log._closed._cond:  # type: ignore[attr-defined]
        child = os.fork()
        if not child:
            threading.Timer(20, os._exit, [1]).start()
            log.close()
            is_well = [*range(1, 7)] == sequences(log.follow()) == sequences(ended.follow())
            os._exit(0 if is_well else 2)
    assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    log.close()
