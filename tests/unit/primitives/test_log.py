"""A log keeps what is appended, in one order, for all who look."""

from __future__ import annotations

import asyncio
import os
import threading
from contextlib import closing
from itertools import pairwise

import pytest

from holdfast.errors import Closed, Corruption, Truncated, UnknownFormat
from holdfast.formats.log_format import MAX_BODY_BYTES, Record, segment_name
from holdfast.primitives.log import Log
from holdfast.vfs.clock import ManualClock
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.memory import MemoryVFS

ABC = [Record(1, b"a"), Record(2, b"b"), Record(3, b"c")]


@pytest.fixture
def path(tmp_path) -> str:
    """Where the log will be."""
    return str(tmp_path / "new" / "events.log")


def filled(path: str, count: int, **options) -> Log:
    """A log with so many records, each its own sequence as text."""
    log = Log(path, segment_bytes=1024, **options)
    for number in range(1, count + 1):
        log.append(b"%d" % number)
    return log


def test_appended_records_are_read_in_order(path) -> None:
    """Sequences count from 1; folders on the way are made."""
    with Log(path) as log:
        assert [1, 2, 3] == [log.append(data) for data in (b"a", b"b", b"c")]
        assert list(log.read()) == ABC
        assert (1, 3, 3, 3) == (log.first, log.last, log.written, log.durable)


def test_missing_log_is_empty_and_stays_missing(path) -> None:
    """Reading, positions and a barrier make nothing."""
    with Log(path) as log:
        assert [] == list(log.read())
        assert (1, 0, 0, 0) == (log.first, log.last, log.written, log.durable)
        assert 0 == log.barrier()
        assert [] == list(log.follow(timeout_s=0))
    assert not os.path.exists(os.path.dirname(path))


def test_another_object_goes_on_where_one_ended(path) -> None:
    """Two objects interleave; what is closed is read by a new one."""
    with Log(path) as one, Log(path) as other:
        assert [1, 2, 3] == [one.append(b"a"), other.append(b"b"), one.append(b"c")]
    assert list(Log(path).read()) == ABC
    with Log(path) as log:
        assert 4 == log.append(b"d")
        assert log.recovered is None


def test_batch_lies_together_and_gives_its_last(path) -> None:
    """`append_many` numbers on; nothing at all gives the last of the log."""
    with Log(path) as log:
        assert 3 == log.append_many([b"a", bytearray(b"b"), memoryview(b"c")])
        assert 3 == log.append_many([])
        assert list(log.read()) == ABC


def test_empty_record_is_a_record(path) -> None:
    """No bytes are bytes."""
    with Log(path) as log:
        log.append_many([b"", b""])
        log.append(b"")
        assert [(1, b""), (2, b""), (3, b"")] == list(log.read())


def test_submitted_records_keep_their_order(path) -> None:
    """Futures get the sequences in the order of the calls; close waits for them."""
    with Log(path) as log:
        futures = [log.submit(b"%d" % number) for number in range(200)]
        assert list(range(1, 201)) == [future.result() for future in futures]
        late = log.submit(b"late")
    assert 201 == late.result(timeout=0)


@pytest.mark.parametrize("data", ["text", 7, None])
def test_what_is_not_bytes_is_refused(path, data) -> None:
    """Nothing is made for it."""
    with Log(path) as log:
        with pytest.raises(TypeError):
            log.append(data)
        with pytest.raises(TypeError):
            log.append_many([b"a", data])
    assert not os.path.exists(path)


def test_too_large_a_record_is_refused(path) -> None:
    """64 MiB are the most; nothing is made for more."""
    with Log(path) as log:
        with pytest.raises(ValueError, match="Nothing was appended"):
            log.append(bytes(MAX_BODY_BYTES + 1))
        with pytest.raises(ValueError, match="Nothing was appended"):
            log.append_many([bytes(MAX_BODY_BYTES - 4), b"x"])
    assert not os.path.exists(path)


@pytest.mark.parametrize(
    "options",
    [
        {"sync": "sometimes"},
        {"sync": 0},
        {"sync": True},
        {"sync": float("nan")},
        {"segment_bytes": 1023},
        {"segment_bytes": (1 << 30) + 1},
        {"max_unsynced_bytes": -1},
        {"keep_bytes": 0},
        {"keep_s": -1.0},
    ],
)
def test_options_out_of_range_are_refused(path, options) -> None:
    """Each with a ValueError that says what it must be."""
    with pytest.raises(ValueError, match="must be"):
        Log(path, **options)


def test_start_and_stop_bound_a_read(path) -> None:
    """From `start` on, up to before `stop`, also within a batch."""
    with Log(path) as log:
        log.append_many([b"%d" % number for number in range(1, 11)])
        assert [4, 5, 6] == [record.sequence for record in log.read(4, 7)]
        assert [b"10"] == [record.data for record in log.read(10)]
        assert [] == list(log.read(11))
        with pytest.raises(ValueError, match="count from 1"):
            log.read(0)


def test_log_rolls_into_segments_named_by_their_first_record(path) -> None:
    """Small segments: the names are the sequences, and reading crosses them."""
    with filled(path, 100) as log:
        names = sorted(name for name in os.listdir(path) if name != "lock")
        firsts = [int(name[:20]) for name in names]
        assert 1 == firsts[0]
        assert all(later > earlier for earlier, later in pairwise(firsts))
        assert len(firsts) > 3
        assert list(range(1, 101)) == [int(record.data) for record in log.read()]
        assert list(range(37, 101)) == [record.sequence for record in log.read(37)]


def test_record_larger_than_a_segment_has_one_of_its_own(path) -> None:
    """`segment_bytes` is no limit for a record."""
    with filled(path, 3) as log:
        log.append(b"x" * 5000)
        log.append(b"y")
        assert [1, 1, 1, 5000, 1] == [len(record.data) for record in log.read()]
        assert 4 == len(os.listdir(path))


def test_dropping_removes_whole_segments(path) -> None:
    """What lies before is gone as far as segments go; the rest is kept."""
    with filled(path, 100) as log:
        kept = log.drop_before(50)
        assert kept == log.first
        assert 1 < kept <= 50
        assert list(range(kept, 101)) == [record.sequence for record in log.read()]
        with pytest.raises(Truncated) as caught:
            list(log.read(kept - 1))
        assert (kept - 1, kept) == (caught.value.asked, caught.value.first)


def test_log_can_be_emptied_and_numbers_go_on(path) -> None:
    """`last + 1` drops all, also when the log is opened anew."""
    with filled(path, 5) as log:
        assert 6 == log.drop_before(6)
        assert [] == list(log.read())
        assert (6, 5) == (log.first, log.last)
    with Log(path) as log:
        assert (6, 5) == (log.first, log.last)
        assert 6 == log.append(b"next")
        assert [(6, b"next")] == list(log.read())


@pytest.mark.parametrize("sequence", [0, 7])
def test_dropping_what_is_not_there_is_refused(path, sequence) -> None:
    """Neither before the first nor beyond the next one."""
    with filled(path, 5) as log:
        with pytest.raises(ValueError, match=str(sequence)):
            log.drop_before(sequence)
        assert 5 == len(list(log.read()))


def test_size_bounds_what_is_kept(path) -> None:
    """Each new segment drops the oldest beyond `keep_bytes`; the newest stays."""
    with filled(path, 500, keep_bytes=4096) as log:
        sizes = [os.stat(f"{path}/{name}").st_size for name in os.listdir(path) if name != "lock"]
        assert sum(sizes) <= 4096 + 1024
        assert log.first > 300
        assert list(range(log.first, 501)) == [record.sequence for record in log.read()]


def test_segments_fit_what_is_kept() -> None:
    """With `keep_bytes` alone, a segment has an eighth of it, so that something can go."""
    disk = MemoryVFS()
    with Log("/events.log", keep_bytes=1 << 20, vfs=disk) as log:
        for _ in range(40):
            log.append(b"x" * 50_000)
        sizes = [len(bytes(data)) for data in files_of(disk)]
    assert sum(sizes) <= (1 << 20) + (1 << 17) + 4096


def files_of(disk: MemoryVFS) -> list[bytes]:
    """The contents of the files of the log."""
    folder = disk.folder("/events.log")
    return [folder.open(name, "read").read(1 << 30, offset=0) for name in folder.names()]


@pytest.mark.parametrize("records", [b"ab", "ab", bytearray(b"ab")])
def test_one_record_in_place_of_many_is_refused(path, records) -> None:
    """It would be taken apart."""
    with Log(path) as log, pytest.raises(TypeError, match="use `append`"):
        log.append_many(records)


def test_age_drops_to_empty_and_a_step_of_the_wall_clock_drops_nothing(path) -> None:
    """Only time that passes while the program runs counts."""
    clock = ManualClock()
    vfs = MemoryVFS(clock=clock)
    with Log("/events.log", segment_bytes=1024, keep_s=60, vfs=vfs, clock=clock) as log:
        for number in range(1, 101):
            log.append(b"%d" % number)
        assert 1 == log.apply_retention()
        clock.advance(30)
        assert 1 == log.apply_retention()
        clock.advance(60)
        assert 101 == log.apply_retention()
        assert [] == list(log.read())


def test_failed_retention_is_told_and_the_append_stands(path) -> None:
    """Dropping is no part of the append: its failure is a warning, and the next segment tries."""
    disk = MemoryVFS()
    faulty = Faulty(disk, Fault("unlink", 1, effect="EACCES", on="*.segment"))
    with Log("/events.log", segment_bytes=1024, keep_bytes=1024, vfs=faulty) as log:
        with pytest.warns(RuntimeWarning, match="could not be dropped"):
            numbers = [log.append(b"x" * 100) for _ in range(14)]
        assert list(range(1, 15)) == numbers
        for _ in range(14):
            log.append(b"y" * 100)
        assert log.first > 1


def test_closed_log_refuses_and_says_so(path) -> None:
    """Closing twice is fine; appending is `Closed`, reading goes on."""
    log = Log(path)
    log.append(b"a")
    log.close()
    log.close()
    for refused in (lambda: log.append(b"b"), log.barrier, lambda: log.drop_before(1)):
        with pytest.raises(Closed):
            refused()
    assert [(1, b"a")] == list(log.read())


def test_follower_sees_what_comes_across_segments(path) -> None:
    """A follower that waits gets each record once, in order."""
    got: list[int] = []
    with Log(path, segment_bytes=1024) as log:

        def follow() -> None:
            for record in log.follow(1, timeout_s=30):
                got.append(record.sequence)
                if record.sequence == 200:
                    return

        follower = threading.Thread(target=follow)
        follower.start()
        for number in range(200):
            log.append(b"%d" % number)
        follower.join(30)
    assert list(range(1, 201)) == got


def test_follower_ends_when_the_log_is_closed(path) -> None:
    """It does not wait for ever."""
    log = Log(path)
    log.append(b"a")
    follower = log.follow()
    assert (1, b"a") == next(follower)
    log.close()
    assert [] == list(follower)


def test_tasks_append_and_follow(path) -> None:
    """The twins share syncs and never block the loop."""

    async def main() -> list[int]:
        async with Log(path) as log:
            numbers = await asyncio.gather(*(log.aappend(b"%d" % n) for n in range(50)))
            assert list(range(1, 51)) == sorted(numbers)
            assert 52 == await log.aappend_many([b"x", b"y"])
            assert 52 == await log.abarrier()
            return [record.sequence async for record in log.afollow(40, timeout_s=0)]

    assert list(range(40, 53)) == asyncio.run(main())


def test_cancelled_task_leaves_the_log_in_order(path) -> None:
    """The outcome is waited for; others are served."""

    async def main() -> None:
        with closing(Log(path)) as log:
            tasks = [asyncio.ensure_future(log.aappend(b"%d" % n)) for n in range(20)]
            await asyncio.sleep(0)
            for task in tasks[::2]:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            kept = {task.result() for task in tasks[1::2]}
            assert kept <= {record.sequence for record in log.read()}

    asyncio.run(main())


def test_threads_share_one_order(path) -> None:
    """Sixteen threads: no record lost, doubled or out of its writer's order."""
    with Log(path) as log:

        def work(name: int) -> None:
            for number in range(20):
                log.append(b"%d:%d" % (name, number))

        threads = [threading.Thread(target=work, args=(name,)) for name in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        records = [record.data.split(b":") for record in log.read()]
    assert 320 == len(records)
    for name in range(16):
        own = [int(number) for who, number in records if int(who) == name]
        assert list(range(20)) == own


def test_unsynced_log_is_durable_after_a_barrier(path) -> None:
    """`never` shows what is written at once; a barrier moves the durable mark."""
    with Log(path, sync="never") as log:
        log.append(b"a")
        log.append(b"b")
        assert (2, 0) == (log.written, log.durable)
        assert [] == list(Log(path).read()), "one that shows only what is durable"
        assert 2 == log.barrier()
        assert (2, 2) == (log.last, Log(path).last)


def test_periodic_sync_runs_without_another_append(path) -> None:
    """The bound holds also when nobody appends again."""
    with Log(path, sync=0.01) as log:
        log.append(b"a")
        assert (1, b"a") == next(Log(path).follow(timeout_s=30))


def test_bound_of_unsynced_bytes_holds(path) -> None:
    """An append that goes beyond it returns when all is durable."""
    with Log(path, sync=3600, max_unsynced_bytes=1000) as log:
        log.append(b"x" * 500)
        assert 0 == log.durable
        log.append(b"x" * 500)
        assert 2 == log.durable


def test_periodic_log_is_durable_when_closed(path) -> None:
    """Closing syncs."""
    log = Log(path, sync=3600)
    log.append(b"a")
    log.close()
    assert 1 == Log(path).durable


def test_folder_with_other_things_is_no_log(tmp_path) -> None:
    """It is refused and untouched."""
    (tmp_path / "letter.txt").write_text("dear")
    with Log(tmp_path) as log, pytest.raises(UnknownFormat, match="is no log"):
        log.append(b"a")
    assert ["letter.txt"] == os.listdir(tmp_path)


def test_file_in_place_of_the_folder_is_told(tmp_path) -> None:
    """It is the system's own error."""
    (tmp_path / "events.log").write_text("lines")
    with Log(tmp_path / "events.log") as log:
        with pytest.raises(NotADirectoryError):
            log.append(b"a")
        with pytest.raises(NotADirectoryError):
            list(log.read())


def test_missing_segment_in_the_middle_is_corruption(path) -> None:
    """Reading stops before the gap, and nobody appends."""
    filled(path, 100).close()
    names = sorted(name for name in os.listdir(path) if name != "lock")
    os.unlink(f"{path}/{names[1]}")
    os.unlink(f"{path}/lock")
    with Log(path) as log:
        records = log.read()
        assert (1, b"1") == next(records)
        with pytest.raises(Corruption, match="missing"):
            list(records)
        with pytest.raises(Corruption, match="missing"):
            log.append(b"x")


def test_lost_last_segment_is_noticed_while_the_machine_runs(path) -> None:
    """The shared tail still speaks of it: a shorter log is not taken for the whole."""
    filled(path, 100).close()
    last = max(int(name[:20]) for name in os.listdir(path) if name != "lock")
    os.unlink(f"{path}/{segment_name(last)}")
    with Log(path) as log:
        with pytest.raises(Corruption, match="gone"):
            list(log.read())
        with pytest.raises(Corruption, match="gone"):
            log.append(b"x")


def test_representation_names_the_path(path) -> None:
    """For a debugger."""
    log = Log(path)
    assert f"<holdfast.Log {path!r}>" == repr(log)
    log.close()
    assert f"<holdfast.Log {path!r} closed>" == repr(log)
