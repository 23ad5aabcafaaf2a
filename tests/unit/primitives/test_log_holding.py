"""The append lock is held for one act, or for a while, and never left behind."""

from __future__ import annotations

import threading

import pytest

from holdfast.errors import Closed, HandlePoisoned
from holdfast.primitives.log import Log
from holdfast.primitives.log_appender import Appender
from holdfast.primitives.log_hint import EPOCH, POISON, WORDS, begin_epoch
from holdfast.primitives.log_recovery import Settings
from holdfast.vfs import CLOCK, VFS
from holdfast.vfs.memory import MemoryVFS
from tests.support.interrupts import interrupted

PATH = "/events.log"


def appender_on(vfs: VFS, **more) -> Appender:
    """The writing end of the log of these tests."""
    return Appender(Settings(PATH, 4096, 0o666, vfs, CLOCK), **more)


def words_of(disk: MemoryVFS):
    """The shared tail."""
    return disk.folder(PATH).open("lock", "write").words(WORDS)


def test_act_is_done_with_the_lock_and_it_is_given_back() -> None:
    """Also when the act raises."""
    disk = MemoryVFS()
    appender = appender_on(disk)
    assert [f"{PATH}/lock"] == appender.locked(lambda _: disk.held_locks)
    with pytest.raises(ZeroDivisionError):
        appender.locked(lambda _: 1 // 0)
    assert [] == disk.held_locks


def test_lock_is_held_until_the_generator_is_closed() -> None:
    """It gives the log once; others wait meanwhile."""
    disk = MemoryVFS()
    appender = appender_on(disk)
    holding = appender.holding()
    log = next(holding)
    appender.write(log, [b"one"])
    waiting = threading.Thread(target=lambda: appender_on(disk).append([b"two"]))
    waiting.start()
    assert [f"{PATH}/lock"] == disk.held_locks
    appender.write(log, [b"one more"])
    holding.close()
    waiting.join(20)
    found = [record.data for record in Log(PATH, sync="never", vfs=disk).read()]
    assert [b"one", b"one more", b"two"] == found
    assert [] == list(holding)


def test_collected_generator_gives_the_lock_back() -> None:
    """Nobody has to close it."""
    disk = MemoryVFS()
    holding = appender_on(disk).holding()
    next(holding)
    del holding
    assert [] == disk.held_locks


def test_interrupt_anywhere_leaves_no_lock() -> None:
    """Neither of an act nor of who holds it for a while."""

    def act() -> None:
        appender.locked(lambda log: appender.write(log, [b"x"]))

    def hold() -> None:
        for log in appender.holding():
            appender.write(log, [b"x"])

    for body in (act, hold):
        nth = 0
        for nth in range(1, 2000):
            disk = MemoryVFS()
            appender = appender_on(disk)
            appender.append([b"warm"])
            is_over = not interrupted(body, nth=nth, places=("holdfast/primitives",))
            assert [] == disk.held_locks, f"event {nth}"
            assert appender.append([b"on"]).last > 1
            if is_over:
                break
        assert 10 < nth < 1999


def test_log_that_was_replaced_is_opened_anew_when_that_is_allowed() -> None:
    """What is called before may refuse; then nothing is made."""
    disk = MemoryVFS()
    seen: list[str] = []
    allowed = [True, False, True]

    def before() -> None:
        seen.append("asked")
        if not allowed.pop(0):
            raise FileNotFoundError("not now")

    appender = appender_on(disk, before_opening=before)
    appender.append([b"a"])
    appender.append([b"b"])
    disk.folder("/").rename("events.log", "aside")
    for _ in range(100_000):  # for a millisecond the folder is not asked
        if not appender.is_current():
            break
    with pytest.raises(FileNotFoundError, match="not now"):
        appender.append([b"c"])
    assert "events.log" not in disk.tree()
    assert 1 == appender.append([b"d"]).last
    assert ["asked"] * 3 == seen


def test_handle_of_another_epoch_is_refused() -> None:
    """So is one of a log that is poisoned; nobody else is."""
    disk = MemoryVFS()
    appender = appender_on(disk)
    log = appender.locked(lambda log: log)
    appender.append([b"a"])
    words = words_of(disk)
    appender.refuse_poisoned(log)
    words[POISON] = 5
    with pytest.raises(HandlePoisoned):
        appender.refuse_poisoned(log)
    words[POISON] = 0
    appender.refuse_poisoned(log)
    begin_epoch(words)
    assert 1 == words[EPOCH]
    with pytest.raises(HandlePoisoned):
        appender.refuse_poisoned(log)


def test_closed_appender_says_so() -> None:
    """By every door."""
    appender = appender_on(MemoryVFS())
    appender.append([b"a"])
    assert (True, True) == (appender.is_open, appender.is_current())
    appender.close()
    assert (False, False) == (appender.is_open, appender.is_current())
    with pytest.raises(Closed):
        appender.locked(lambda log: log)
    with pytest.raises(Closed):
        next(appender.holding())


def test_who_does_not_wait_is_told_nothing_while_another_has_the_lock() -> None:
    """And holds it at once when it is free."""
    disk = MemoryVFS()
    one, other = appender_on(disk), appender_on(disk)
    holding = one.holding()
    next(holding)
    assert [] == list(other.holding(block=False))
    assert 1 == len(disk.held_locks)
    holding.close()
    for log in other.holding(block=False):
        assert log is other._log
        assert 1 == len(disk.held_locks)
    assert [] == disk.held_locks


def test_close_waits_for_nobody_who_has_the_lock() -> None:
    """The mark that it would leave is a courtesy."""
    disk = MemoryVFS()
    one, other = appender_on(disk), appender_on(disk)
    other.sync(other.append([b"a"]))
    holding = one.holding()
    next(holding)
    other.close()
    holding.close()
    one.append([b"b"])
    one.close()
    assert [] == disk.held_locks
