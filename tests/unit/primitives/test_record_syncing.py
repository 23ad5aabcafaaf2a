"""One sync for many threads, and its failure for good."""

from __future__ import annotations

import threading

import pytest

from holdfast.errors import HandlePoisoned
from holdfast.primitives.record_syncing import SharedSync


def test_sync_covers_all_that_was_noted_before_it() -> None:
    """Who waits for less than that needs none of his own."""
    calls: list[int] = []
    shared = SharedSync("/r.rec", lambda: calls.append(1))
    first, second = shared.note(), shared.note()
    assert not shared.is_settled
    shared.wait(second)
    shared.wait(first)
    assert ([1], True) == (calls, shared.is_settled)
    shared.wait(shared.note())
    assert [1, 1] == calls


def test_write_during_a_sync_waits_for_the_next() -> None:
    """What the running one does not cover is not taken for durable."""
    calls: list[int] = []
    shared: SharedSync

    def sync() -> None:
        calls.append(shared.note() if not calls else 0)

    shared = SharedSync("/r.rec", sync)
    shared.wait(shared.note())
    assert not shared.is_settled
    shared.wait(calls[0])
    assert 2 == len(calls)


def test_failure_sticks_for_all_who_wait() -> None:
    """The first error is told to everybody, and nothing is synced again."""
    error, calls = OSError(5, "broken"), []

    def sync() -> None:
        calls.append(1)
        raise error

    shared = SharedSync("/r.rec", sync)
    with pytest.raises(OSError, match="broken"):
        shared.wait(shared.note())
    for do in (shared.check, lambda: shared.wait(shared.note())):
        with pytest.raises(HandlePoisoned, match="Open it anew") as caught:
            do()
        assert error is caught.value.first
    assert ([1], True) == (calls, shared.failed)


def test_interrupted_sync_is_taken_for_a_failed_one() -> None:
    """Its error may have been told to nobody."""

    def sync() -> None:
        raise KeyboardInterrupt

    shared = SharedSync("/r.rec", sync)
    with pytest.raises(KeyboardInterrupt):
        shared.wait(shared.note())
    assert shared.is_in_doubt
    with pytest.raises(HandlePoisoned, match="interrupted"):
        shared.wait(shared.note())


def test_threads_share_syncs() -> None:
    """Those who wait while one is under way are covered by the next one together."""
    began, go_on, calls = threading.Event(), threading.Event(), []

    def sync() -> None:
        calls.append(1)
        began.set()
        assert go_on.wait(10)

    shared = SharedSync("/r.rec", sync)
    tickets = [shared.note()]
    threads = [threading.Thread(target=shared.wait, args=(tickets[0],))]
    threads[0].start()
    assert began.wait(10)
    threads += [threading.Thread(target=shared.wait, args=(shared.note(),)) for _ in range(8)]
    for thread in threads[1:]:
        thread.start()
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert [1, 1] == calls
    shared.renew()
    assert shared.is_settled
