"""`RecordFile`: what it does for one process; crashes and faults are proven elsewhere."""

from __future__ import annotations

import os
import threading

import pytest

from holdfast.errors import (
    BadFrame,
    Closed,
    Corruption,
    HandlePoisoned,
    LockTimeout,
    UnknownFormat,
)
from holdfast.primitives.record_file import RecordFile, RecordRecovery
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace
from tests.support.record_bytes import FIELDS, RecordBytes, a_head, put_file, record, values

PATH = "/r.rec"


@pytest.fixture
def disk():
    """An empty disk."""
    return MemoryVFS()


def opened(disk, *numbers: int, **options):
    """A file with small chunks and these values."""
    records = RecordFile(PATH, FIELDS, vfs=disk, **{"chunk_bytes": 3072, **options})
    records.append_many([record(at, value) for at, value in enumerate(numbers)])
    return records


def test_records_are_numbered_from_0_and_read_as_written(disk) -> None:
    """Over several chunks, from both ends, one by one and all in turn."""
    with opened(disk, 5, 6, 7, 8) as records:
        assert 4 == records.append(record(4, 9))
        assert range(5, 7) == records.append_many([record(5, 1), record(6, 2)])
        assert 7 == len(records)
        assert (record(0, 5), record(6, 2), record(5, 1)) == (records[0], records[-1], records[-2])
        assert [5, 6, 7, 8, 9, 1, 2] == values([*records])
        assert FIELDS == records.layout


@pytest.mark.parametrize("number", [2, -3, 1 << 70])
def test_number_that_is_not_there_is_an_index_error(disk, number) -> None:
    """It is named, with how many there are."""
    with opened(disk, 5, 6) as records:
        for do in (records.read, lambda n: records.update(n, {}), records.lock):
            with pytest.raises(IndexError, match="it has 2"):
                do(number)


def test_update_takes_fields_or_a_function_and_returns_the_new_record(disk) -> None:
    """A function changes the record, or returns another one."""
    with opened(disk, 5, 6) as records:
        assert record(1, 6) | {"value": 7} == records.update(1, {"value": 7})
        assert 8 == records.update(-1, lambda one: one.update(value=8))["value"]
        assert record(1, 9) == records.update(1, lambda _: record(1, 9))
        records.write(0, record(0, 1))
        assert [1, 9] == values([*records])


def test_exception_in_a_function_writes_nothing(disk) -> None:
    """The record is as it was, and free."""
    with opened(disk, 5) as records:
        with pytest.raises(ZeroDivisionError):
            records.update(0, lambda one: one.update(value=1 // 0))
        assert 5 == records[0]["value"]
        assert 6 == records.update(0, {"value": 6})["value"]


@pytest.mark.parametrize(
    ("bad", "kind"),
    [({"value": 2**63}, ValueError), ({"value": "x"}, TypeError), ({"x": 1}, ValueError)],
)
def test_value_that_does_not_fit_writes_nothing(disk, bad, kind) -> None:
    """It is named, and no record is appended or changed."""
    with opened(disk, 5) as records:
        for do in (
            lambda: records.update(0, bad),
            lambda: records.write(0, record(0) | bad),
            lambda: records.append_many([record(1), record(2) | bad]),
        ):
            with pytest.raises(kind, match=next(iter(bad))):
                do()
        assert [5] == values([*records])


def test_change_costs_one_sync_and_an_append_too(disk) -> None:
    """From the second one of a handle on; the first covers the name of the file as well."""
    traced = Trace(disk)
    with opened(traced, 5, 6) as records:
        for do in (lambda: records.update(0, {"value": 1}), lambda: records.append(record(2))):
            traced.clear()
            do()
            assert ["sync_data"] == [one for one in traced.operations if "sync" in one]


def test_without_syncs_only_a_barrier_or_the_close_syncs(disk) -> None:
    """And what is over the last own change takes no sync either."""
    traced = Trace(disk)
    with opened(traced, 5, 6, sync="never") as records:
        traced.clear()
        for value in range(3):
            records.update(0, {"value": value})
        assert not [one for one in traced.operations if "sync" in one]
        records.barrier()
        assert ["sync_data"] == [one for one in traced.operations if "sync" in one][:1]
        assert 2 == records[0]["value"]


def test_seconds_sync_by_themselves(tmp_path, no_thread_left) -> None:
    """Nobody does anything any more, and what was written becomes durable."""
    with RecordFile(tmp_path / "r.rec", FIELDS, sync=0.001) as records:
        records.append(record(0))
        handle = records._writing
        assert handle is not None
        for _ in range(1000):
            if handle._sync.is_settled:
                break
            threading.Event().wait(0.01)
        assert handle._sync.is_settled


@pytest.mark.parametrize("sync", ["sometimes", 0, -1, True, None, float("inf")])
def test_sync_that_is_none_is_refused(disk, sync) -> None:
    """Before anything is made."""
    with pytest.raises(ValueError, match="sync="):
        RecordFile(PATH, FIELDS, sync=sync, vfs=disk)
    assert {} == disk.tree()


def test_layout_is_that_of_the_file(disk) -> None:
    """It may be left out; another one is refused with the field that differs."""
    opened(disk, 5).close()
    with RecordFile(PATH, vfs=disk) as records:
        assert [5] == values([*records])
    with pytest.raises(UnknownFormat, match="'value' is q in it and i in yours"):
        RecordFile(PATH, FIELDS | {"value": "i"}, vfs=disk)
    with pytest.raises(UnknownFormat, match="'more' is missing in it and I in yours"):
        RecordFile(PATH, FIELDS | {"more": "I"}, vfs=disk)
    with pytest.raises(UnknownFormat, match="order"):
        RecordFile(PATH, dict(reversed(FIELDS.items())), vfs=disk)


def test_missing_file_needs_a_layout_and_leave_to_write(disk) -> None:
    """Otherwise nothing is made."""
    with pytest.raises(FileNotFoundError):
        RecordFile(PATH, vfs=disk)
    with pytest.raises(FileNotFoundError):
        RecordFile(PATH, FIELDS, read_only=True, vfs=disk)
    assert {} == disk.tree()


@pytest.mark.parametrize("data", [b"", b"{}", b"\x89HFREC\r\n", b"\x89HFREC\r\n" + bytes(5000)])
def test_other_file_is_refused_and_untouched(disk, data) -> None:
    """Whatever it holds."""
    put_file(disk, data)
    with pytest.raises(Corruption, match=r"r\.rec"):
        RecordFile(PATH, FIELDS, vfs=disk)
    assert {"r.rec": data} == disk.tree()


def test_read_only_changes_nothing_and_makes_nothing(disk) -> None:
    """No sidecar either; changing is refused."""
    put_file(disk, RecordBytes(5, 6).whole)
    before = disk.tree()
    with RecordFile(PATH, vfs=disk, read_only=True) as records:
        assert [5, 6] == values([*records])
        assert records.check().ok
        with pytest.raises(PermissionError):
            records.append(record(2))
    assert before == disk.tree()


def test_others_see_appends_and_changes_at_once(disk) -> None:
    """A handle that was open before, over the edge of chunks."""
    with opened(disk) as records, RecordFile(PATH, vfs=disk, read_only=True) as reader:
        for number in range(8):
            records.append(record(number))
            assert number + 1 == len(reader)
            records.update(number, {"value": 7})
            assert 7 == reader[number]["value"]


def test_lock_keeps_others_out_and_lets_its_holder_in(disk) -> None:
    """Of several records; appending goes on, reading too."""
    with opened(disk, 5, 6, 7) as records, RecordFile(PATH, vfs=disk) as other:
        with records.lock(2, 0):
            records.update(0, {"value": 1})
            records.update(-1, {"value": 2})
            assert 3 == records.append(record(3))
            assert 1 == other[0]["value"]
            other.update(1, {"value": 9})
            with pytest.raises(LockTimeout), other.lock(0, timeout_s=0):
                pass
            with pytest.raises(RuntimeError, match="all at once"):
                records.update(1, {})
        with other.lock(0, timeout_s=0):
            other.update(0, {"value": 3})
        assert [3, 9, 2, 0] == values([*records])


def test_threads_lose_no_update(tmp_path) -> None:
    """Of one record and of two handles."""
    with (
        RecordFile(tmp_path / "r.rec", FIELDS, sync="never") as one,
        RecordFile(tmp_path / "r.rec", FIELDS, sync="never") as two,
    ):
        one.append(record(0))

        def work(records: RecordFile) -> None:
            for _ in range(50):
                records.update(0, lambda got: got.update(value=int(str(got["value"])) + 1))

        threads = [threading.Thread(target=work, args=(r,)) for r in (one, two, one, two)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert 200 == one[0]["value"] == two[0]["value"]


def test_failed_sync_takes_the_change_back_and_poisons_the_handle(disk) -> None:
    """Readers see what was durable; opened anew, all goes on."""
    opened(disk, 5, 6).close()
    fault = Fault("sync", 1, effect="EIO")
    with RecordFile(PATH, vfs=Faulty(disk, fault)) as records:
        with pytest.raises(OSError, match="Input/output") as caught:
            records.update(0, {"value": 9})
        assert "as it last was durably" in caught.value.__notes__[0]
        assert 5 == records[0]["value"]
        for do in (lambda: records.update(1, {}), lambda: records.append(record(2))):
            with pytest.raises(HandlePoisoned) as refused:
                do()
            assert caught.value is refused.value.first
    with RecordFile(PATH, vfs=disk) as records:
        assert 6 == records.update(0, {"value": 6})["value"]


def test_failed_sync_takes_an_append_back(disk) -> None:
    """There are as many records as before."""
    opened(disk, 5).close()
    with RecordFile(PATH, vfs=Faulty(disk, Fault("sync", 1, effect="EIO"))) as records:
        with pytest.raises(OSError, match="Input/output") as caught:
            records.append_many([record(1), record(2)])
        assert "has 1 records" in caught.value.__notes__[0]
        assert 1 == len(records)
    with RecordFile(PATH, vfs=disk) as records:
        assert 1 == records.append(record(1))


def test_failed_sync_is_told_to_other_handles(disk) -> None:
    """What they write next is not taken for durable."""
    opened(disk, 5, 6).close()
    with RecordFile(PATH, vfs=disk) as other:
        with (
            RecordFile(PATH, vfs=Faulty(disk, Fault("sync", 1, effect="EIO"))) as records,
            pytest.raises(OSError, match="Input/output"),
        ):
            records.update(0, {"value": 9})
        with pytest.raises(OSError, match="another handle"):
            other.update(1, {"value": 9})
        assert 6 == other[1]["value"]


def test_full_disk_appends_nothing(disk) -> None:
    """The file has the records that it had, and takes more when there is room."""
    opened(disk, 5, 6, 7).close()
    with RecordFile(PATH, vfs=Faulty(disk, Fault("write", 1, effect="ENOSPC"))) as records:
        with pytest.raises(OSError, match="No space"):
            records.append(record(3))
        assert 3 == len(records)
        assert 3 == records.append(record(3))


def test_opening_tells_what_a_crash_has_left(disk) -> None:
    """It is gone then; a clean file has nothing to tell."""
    made = RecordBytes(5, 0, 9)
    made.over(1, 0, bytes(512)).over(1, 1, bytes(512))
    put_file(disk, made.whole)
    with RecordFile(PATH, vfs=disk) as records:
        found = records.recovered
        assert isinstance(found, RecordRecovery)
        assert found.zeroed_bytes > 20
        assert (1, 1) == (len(records), records.append(record(1)))
    with RecordFile(PATH, vfs=disk) as records:
        assert records.recovered is None


def test_heal_gives_every_record_two_copies(disk) -> None:
    """The values stay; a check that told of damage has nothing to tell."""
    made = RecordBytes(5, 6, 7).over(0, 0, b"x").over(2, 1, b"y")
    put_file(disk, made.whole)
    with RecordFile(PATH, vfs=disk) as records:
        assert ["damage", "damage"] == [one.kind for one in records.check().findings]
        assert 2 == records.heal()
        assert () == records.check().findings
        assert [5, 6, 7] == values([*records])
        assert 0 == records.heal()


def test_both_copies_damaged_is_corruption(disk) -> None:
    """Of that record alone, also for who would change it; it stays as it is."""
    put_file(disk, RecordBytes(5, 6, 7).over(1, 0, b"x").over(1, 1, b"y").append(8).whole)
    before = disk.tree()["r.rec"]
    with RecordFile(PATH, vfs=disk) as records:
        for do in (records.read, lambda n: records.update(n, {}), lambda n: [*records]):
            with pytest.raises(BadFrame, match="record 1 are damaged"):
                do(1)
        assert 7 == records[2]["value"]
    assert before == disk.tree()["r.rec"]


def test_files_beyond_4_gib_work(tmp_path) -> None:
    """Sparse: the last chunk of two million."""
    head = a_head()
    path = tmp_path / "r.rec"
    path.write_bytes(RecordBytes(head=head).whole)
    chunk = (5 << 30) // head.chunk_bytes
    os.truncate(path, head.chunk_start(chunk))
    with RecordFile(path) as records:
        first = (chunk - 1) * head.chunk_records
        assert range(first, first + 4) == records.append_many([record(n) for n in range(4)])
        assert 9 == records.update(-1, {"value": 9})["value"]
        assert path.stat().st_size > 5 << 30
    with RecordFile(path) as records:
        assert (first + 4, 9) == (len(records), records[first + 3]["value"])


def test_closed_file_refuses(disk) -> None:
    """Closing may be repeated."""
    records = opened(disk, 5)
    records.close()
    records.close()
    assert records.closed
    for do in (lambda: records[0], lambda: records.append(record(1)), lambda: records.lock(0)):
        with pytest.raises(Closed):
            do()


def test_symlink_is_followed_and_the_sidecar_is_beside_the_file(tmp_path) -> None:
    """All who use the file meet at one lock, however they reach it."""
    (tmp_path / "real").mkdir()
    RecordFile(tmp_path / "real" / "r.rec", FIELDS).close()
    (tmp_path / "link.rec").symlink_to("real/r.rec")
    with RecordFile(tmp_path / "link.rec") as records:
        records.append(record(0))
    assert ["r.rec", "r.rec.lock"] == sorted(p.name for p in (tmp_path / "real").iterdir())
    assert ["link.rec", "real"] == sorted(p.name for p in tmp_path.iterdir())


def test_names_it_by_what_it_has(disk) -> None:
    """For people who print it."""
    with opened(disk, 5) as records:
        assert "<holdfast.RecordFile '/r.rec', 1 records>" == repr(records)
    assert "<holdfast.RecordFile '/r.rec', closed>" == repr(records)
