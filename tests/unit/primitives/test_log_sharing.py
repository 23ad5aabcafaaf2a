"""Who reads a log that others write joins their syncs, and waits for no lock of theirs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from holdfast.errors import Closed, HandlePoisoned
from holdfast.primitives.log import Log
from holdfast.primitives.log_hint import (
    BUSY,
    CHECK,
    DURABLE,
    END,
    EPOCH,
    LAST,
    LAST_AT,
    POISON,
    WANTED,
    WORDS,
)
from holdfast.primitives.log_recovery import Settings
from holdfast.primitives.log_sharing import SharedAppender
from holdfast.vfs import CLOCK
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace

if TYPE_CHECKING:
    from holdfast.vfs import VFS

pytestmark = pytest.mark.timeout(60)
PATH = "/events.log"


def appender_on(vfs: VFS, *, segment_bytes: int = 4096) -> SharedAppender:
    """The writing end of the log of these tests."""
    return SharedAppender(Settings(PATH, segment_bytes, 0o666, vfs, CLOCK))


def words_of(vfs: VFS):
    """The shared tail."""
    return vfs.folder(PATH).open("lock", "write").words(WORDS)


def data_of(vfs: VFS) -> list[bytes]:
    """What a reader sees, written or durable."""
    return [record.data for record in Log(PATH, sync="never", vfs=vfs).read()]


def syncs(traced: Trace) -> int:
    """How often something was synced."""
    return sum(operation.startswith("sync") for operation in traced.operations)


def asking(appender: SharedAppender, records: list[bytes]) -> None:
    """Append what waits for its sync, and die before that."""
    appender.locked(lambda log: appender.write(log, records, asks=True))


def unsynced(vfs: VFS, *, asks: bool) -> SharedAppender:
    """A log of one record that is not durable."""
    appender = appender_on(vfs)
    appender.locked(lambda log: appender.write(log, [b"a"], asks=asks))
    return appender


def test_join_waits_only_for_what_asked_for_its_sync() -> None:
    """A record that asked is durable afterwards, and the next call costs nothing."""
    for asks in (False, True):
        traced = Trace(MemoryVFS())
        unsynced(traced, asks=asks)
        other = appender_on(traced)
        other.locked(other.current)
        words = words_of(traced)
        assert (int(asks), 0) == (words[WANTED], words[DURABLE])
        traced.clear()
        other.join(0)
        assert 0 == syncs(traced)
        other.join(1)
        assert (int(asks), int(asks)) == (syncs(traced), words[DURABLE])
        other.join(1)
        assert int(asks) == syncs(traced)


def test_join_of_what_lies_in_a_later_segment_finds_it() -> None:
    """The other handle has not seen that another one was begun, nor that its writer died there."""
    for busy in (False, True):
        disk = MemoryVFS()
        stale, writer = appender_on(disk, segment_bytes=1024), appender_on(disk, segment_bytes=1024)
        stale.append([b"a"])
        for number in range(9):
            data = [b"%d" % number * 300]
            asking(writer, data)
        words = words_of(disk)
        if busy:
            words[BUSY] = words[END]
        assert words[DURABLE] < 10 == words[WANTED] == words[LAST]
        stale.join(10)
        assert 10 == words[DURABLE]


def test_join_of_what_was_published_by_halves_does_not_wait_for_ever() -> None:
    """A writer died between the sequence and the check of its record."""
    disk = MemoryVFS()
    joining = appender_on(disk)
    joining.append([b"a"])
    writer = appender_on(disk)
    words = words_of(disk)
    writer.append([b"b"])
    before = words[CHECK]
    writer.locked(lambda log: writer.write(log, [b"c"], asks=True))
    words[CHECK], words[BUSY] = before, words[LAST_AT]
    joining.join(3)
    assert 3 == words[DURABLE]
    assert [b"a", b"b", b"c"] == data_of(disk)


def test_join_refuses_on_a_log_whose_sync_failed() -> None:
    """Also where all that is asked for was durable before."""
    disk = MemoryVFS()
    joining = appender_on(disk)
    joining.sync(joining.append([b"kept"]))
    failing = appender_on(Faulty(disk, Fault("sync_data", 1, effect="EIO", on="*.segment")))
    with pytest.raises(OSError, match="sync failed"):
        failing.sync(failing.append([b"lost"]))
    for appender in (joining, failing):
        with pytest.raises(HandlePoisoned):
            appender.join(1)


def test_reader_attaches_while_somebody_holds_the_append_lock() -> None:
    """Without a wait; so does who joins."""
    disk = MemoryVFS()
    writer = appender_on(disk)
    writer.sync(writer.append([b"a"]))
    holding = writer.holding()
    log = next(holding)
    writer.write(log, [b"b"], asks=True)
    traced = Trace(disk)
    reader = appender_on(traced)
    attached = reader.attach()
    assert attached is not None
    assert 2 == attached.words[LAST]
    reader.join(2)
    assert 2 == words_of(disk)[DURABLE]
    assert "lock" not in [call.operation for call in traced.calls if call.name.endswith("/lock")]
    holding.close()
    assert 3 == reader.append([b"c"]).last


def test_log_that_does_not_tell_cannot_be_attached() -> None:
    """Where there is none yet, on another boot, and after a failed sync."""
    disk = MemoryVFS()
    assert appender_on(disk).attach() is None
    writer = appender_on(disk)
    writer.append([b"a"])
    assert appender_on(disk).attach() is not None
    words_of(disk)[POISON] = 5
    assert appender_on(disk).attach() is None


def test_handle_that_attached_before_a_recovery_is_refused() -> None:
    """It may have shown what is gone; one that comes later is not."""
    disk = MemoryVFS()
    writer = appender_on(disk)
    writer.append([b"a"])
    reader = appender_on(disk)
    assert reader.attach() is not None
    words_of(disk)[EPOCH] += 1
    with pytest.raises(HandlePoisoned):
        reader.join(1)
    with pytest.raises(HandlePoisoned):
        reader.append([b"b"])
    assert appender_on(disk).attach() is not None


def test_join_of_a_closed_log_says_so() -> None:
    """Also when it is closed in the middle."""
    for _ in range(20):
        disk = MemoryVFS()
        writer = unsynced(disk, asks=True)
        reader = appender_on(disk)
        reader.attach()
        errors: list[BaseException] = []

        def join(reader=reader, errors=errors) -> None:
            try:
                for _ in range(1_000_000):
                    reader.join(1)
            except BaseException as caught:
                errors.append(caught)

        thread = threading.Thread(target=join)
        thread.start()
        reader.close()
        thread.join(20)
        assert [Closed] == [type(error) for error in errors], errors
        assert 1 == writer.position().last
