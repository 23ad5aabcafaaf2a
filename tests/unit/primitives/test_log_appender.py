"""Frames go to one log from many handles; syncs are shared, and a failed one sticks."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from holdfast.errors import Corruption, HandlePoisoned
from holdfast.formats.log_format import encode_frame, seed_of, segment_name
from holdfast.primitives.log import Log
from holdfast.primitives.log_appender import Appender
from holdfast.primitives.log_hint import (
    BUSY,
    CHECK,
    DURABLE,
    EPOCH,
    POISON,
)
from holdfast.primitives.log_recovery import Settings
from holdfast.vfs import CLOCK
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace

if TYPE_CHECKING:
    from holdfast.vfs import VFS

PATH = "/events.log"
SEGMENT = f"{PATH}/{segment_name(1)}"


def appender_on(vfs: VFS, *, segment_bytes: int = 4096) -> Appender:
    """The writing end of the log of these tests."""
    return Appender(Settings(PATH, segment_bytes, 0o666, vfs, CLOCK))


def data_of(vfs: VFS) -> list[bytes]:
    """What a reader sees, written or durable."""
    return [record.data for record in Log(PATH, sync="never", vfs=vfs).read()]


def test_append_writes_once_under_the_append_lock_and_syncs_once() -> None:
    """The calls of a warm append: lock, write, unlock, lock, sync, unlock."""
    traced = Trace(MemoryVFS())
    with Log(PATH, vfs=traced) as log:
        log.append(b"warm")
        before = len(traced.calls)
        log.append(b"record")
        operations = [call.operation for call in traced.calls[before:]]
    assert ["lock", "write", "unlock", "lock", "sync_data", "unlock"] == [
        operation for operation in operations if not operation.startswith("stat")
    ]


def test_one_sync_serves_everybody_who_wrote_before() -> None:
    """The second handle finds its record durable already."""
    traced = Trace(MemoryVFS())
    one, other = appender_on(traced), appender_on(traced)
    first = one.append([b"a"])
    second = other.append([b"b"])
    one.sync(first)
    before = len(traced.calls)
    other.sync(second)
    assert "sync_data" not in [call.operation for call in traced.calls[before:]]


def test_segment_is_synced_before_the_next_one_is_named() -> None:
    """In the trace a sync of the old segment comes before the rename of the new one."""
    traced = Trace(MemoryVFS())
    appender = appender_on(traced, segment_bytes=1024)
    appender.append([b"x" * 200])
    before = len(traced.calls)
    appender.append([b"y" * 800])
    operations = [call.operation for call in traced.calls[before:]]
    assert operations.index("sync_data") < operations.index("rename")
    assert operations.index("rename") < operations.index("sync_folder")


def test_failed_sync_poisons_every_handle_until_the_log_is_opened_anew() -> None:
    """The first error is told, then refusals; a new handle serves what the disk has."""
    disk = MemoryVFS()
    other = Log(PATH, vfs=disk)
    other.append(b"kept")
    faulty = Faulty(disk, Fault("sync_data", 1, effect="EIO", on="*.segment"))
    log = Log(PATH, vfs=faulty)
    with pytest.raises(OSError, match="open the log anew") as caught:
        log.append(b"lost?")
    assert errno.EIO == caught.value.errno
    for handle in (log, other, log):
        with pytest.raises(HandlePoisoned) as refused:
            handle.append(b"x")
        assert 1 == refused.value.durable
    assert [b"kept"] == data_of(disk), "nothing is shown that the disk may not have"

    with Log(PATH, vfs=disk) as anew:
        assert anew.append(b"next") in {2, 3}
        assert anew.recovered is not None
        assert "sync" == anew.recovered.kind
        assert [b"kept", b"next"] == [d for d in data_of(disk) if d != b"lost?"]
    for handle in (log, other):
        with pytest.raises(HandlePoisoned):
            handle.append(b"x")


def test_handle_that_waits_for_a_sync_learns_that_another_one_failed() -> None:
    """What was written and not synced is not acknowledged, also after a rescue by others."""
    disk = MemoryVFS()
    waiting = appender_on(disk)
    written = waiting.append([b"waiting"])
    failing = appender_on(Faulty(disk, Fault("sync_data", 1, effect="EIO", on="*.segment")))
    with pytest.raises(OSError, match="sync failed"):
        failing.sync(failing.append([b"failing"]))
    with pytest.raises(HandlePoisoned):
        waiting.sync(written)
    with Log(PATH, vfs=disk) as anew:
        for _ in range(3):
            anew.append(b"anew")
    with pytest.raises(HandlePoisoned):
        waiting.sync(written)


def test_failed_sync_of_the_folder_of_a_new_segment_poisons() -> None:
    """Nothing is acknowledged in a segment whose name a power cut may take."""
    disk = MemoryVFS()
    Log(PATH, segment_bytes=1024, vfs=disk).append(b"kept")
    faulty = Faulty(disk, Fault("sync_folder", 1, effect="EIO"))
    log = Log(PATH, segment_bytes=1024, vfs=faulty)
    with pytest.raises(OSError, match="folder"):
        log.append(b"y" * 1000)
    with pytest.raises(HandlePoisoned):
        log.append(b"z")
    with Log(PATH, vfs=disk) as anew:
        anew.append(b"next")
    assert [b"kept", b"next"] == data_of(disk)


def test_writer_that_died_before_publishing_is_found_out() -> None:
    """`BUSY` leads to a scan: a whole frame behind the end is taken in."""
    disk = MemoryVFS()
    appender = appender_on(disk)
    appender.append([b"a"])
    folder = disk.folder(PATH)
    words = folder.open("lock", "write").words(17)
    segment = folder.open(segment_name(1), "write")
    salt = int.from_bytes(segment.read(8, offset=24), "little")
    end = words[6]
    orphan = encode_frame([b"orphan"], first=2, offset=end, synced=512, seed=seed_of(salt))
    segment.write(orphan, offset=end)
    words[BUSY] = end
    assert 3 == appender.append([b"c"]).last
    assert [b"a", b"orphan", b"c"] == data_of(disk)


def test_writer_that_died_in_the_middle_is_cut() -> None:
    """A torn frame is left where it is, a new segment begins, and the report says so."""
    disk = MemoryVFS()
    with Log(PATH, vfs=disk) as log:
        log.append(b"a")
    folder = disk.folder(PATH)
    words = folder.open("lock", "write").words(17)
    end = words[6]
    segment = folder.open(segment_name(1), "write")
    seed = seed_of(int.from_bytes(segment.read(8, offset=24), "little"))
    frame = encode_frame([b"x" * 2000], first=2, offset=end, synced=512, seed=seed)
    segment.write(frame[: 1024 - end], offset=end)
    words[BUSY] = end
    torn = disk.tree()[SEGMENT.removeprefix("/")]
    with Log(PATH, vfs=disk) as log:
        assert 2 == log.append(b"b")
        assert log.recovered is not None
        assert ("torn", end) == (log.recovered.kind, log.recovered.offset)
    assert torn == disk.tree()[SEGMENT.removeprefix("/")]
    assert [b"a", b"b"] == data_of(disk)


def test_other_boot_is_not_believed() -> None:
    """After a crash the words speak of another boot: the segment is scanned."""
    disk = MemoryVFS()
    with Log(PATH, vfs=disk) as log:
        log.append_many([b"a", b"b"])
    after = disk.crash(seed=7)
    assert disk.boot() != after.boot()
    with Log(PATH, vfs=after) as log:
        assert 3 == log.append(b"c")
    assert [b"a", b"b", b"c"] == data_of(after)


def test_wrong_words_are_not_believed() -> None:
    """A check that does not fit, or a tail that the segment contradicts, leads to a scan."""
    disk = MemoryVFS()
    appender = appender_on(disk)
    appender.append([b"a"])
    words = disk.folder(PATH).open("lock", "write").words(17)
    words[CHECK] ^= 1 << 7
    assert 2 == appender.append([b"b"]).last
    words[6] += 8
    words[CHECK] ^= 1 << 9
    assert 3 == appender_on(disk).append([b"c"]).last
    assert [b"a", b"b", b"c"] == data_of(disk)


def test_segment_cut_below_what_was_durable_is_corruption() -> None:
    """On the boot that made it durable, a shorter segment is no end."""
    disk = MemoryVFS()
    Log(PATH, vfs=disk).append(b"a")
    Log(PATH, vfs=disk).append(b"b")
    disk.folder(PATH).open(segment_name(1), "write").truncate(512)
    with pytest.raises(Corruption, match="were durable"):
        Log(PATH, vfs=disk).append(b"c")


def test_failed_write_appends_nothing_and_the_log_goes_on() -> None:
    """A short write and then no room: cut back, told, and appended to again."""
    disk = MemoryVFS()
    rules = [
        Fault("write", 4, effect="short 20", on="*.segment"),
        Fault("write", 5, effect="ENOSPC", on="*.segment"),
    ]
    faulty = Faulty(disk, *rules)
    Log(PATH, vfs=disk).append(b"a")
    with Log(PATH, vfs=faulty) as log:
        for _ in range(3):
            log.append(b"x" * 100)
        with pytest.raises(OSError, match="No space") as caught:
            log.append(b"x" * 100)
        assert any("Nothing was appended" in note for note in caught.value.__notes__)
        log.append(b"x" * 100)
        assert 6 == log.append(b"b")
    assert [b"a", *[b"x" * 100] * 4, b"b"] == data_of(disk)


def test_child_of_a_fork_has_files_of_its_own(tmp_path) -> None:
    """Parent and child append on; the child's end frees nothing of the parent's."""
    with Log(tmp_path / "l") as log:
        log.append(b"before")
        pid = os.fork()
        if pid == 0:
            log.append(b"child")
            os._exit(0)
        assert 0 == os.waitpid(pid, 0)[1]
        assert 3 == log.append(b"parent")
        assert [b"before", b"child", b"parent"] == [record.data for record in log.read()]


def test_words_are_moved_as_the_log_is() -> None:
    """Durable follows written, poison and epoch stay zero."""
    disk = MemoryVFS()
    with Log(PATH, vfs=disk) as log:
        log.append(b"a")
        words = disk.folder(PATH).open("lock", "read").words(17)
        assert (1, 0, 0, 0) == (words[DURABLE], words[POISON], words[EPOCH], words[BUSY])


def test_current_tip_is_that_of_whoever_wrote_last() -> None:
    """Believed without reading while nobody else has written."""
    traced = Trace(MemoryVFS())
    one, other = appender_on(traced), appender_on(traced)
    one.append([b"a"])
    other.append([b"b", b"c"])
    assert 3 == one.locked(one.current).last
    traced.clear()
    assert 3 == one.locked(one.current).last
    assert "read" not in traced.operations


def test_unsynced_bytes_of_a_closed_log_are_none() -> None:
    """As before it is opened."""
    appender = appender_on(MemoryVFS())
    assert 0 == appender.unsynced_bytes
    appender.append([b"a"])
    assert 0 < appender.unsynced_bytes
    appender.close()
    assert 0 == appender.unsynced_bytes


def test_drop_removes_what_killed_makers_have_left() -> None:
    """Even if no segment goes: a log that is hardly written to is cleared by its checkpoints."""
    disk = MemoryVFS()
    appender = appender_on(disk)
    appender.append([b"a"])
    left = f".{segment_name(2)}.0123456789abcdef.holdfast-tmp"
    disk.write_tree({f"{PATH}/{left}": b"x" * 100})
    appender.append([b"b"])
    assert left in disk.folder(PATH).names()
    assert 1 == appender.drop(lambda _folder, firsts, _last: firsts[0])
    assert left not in disk.folder(PATH).names()
    assert [b"a", b"b"] == data_of(disk)
    appender.close()
