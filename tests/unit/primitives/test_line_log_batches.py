"""Threads that append at the same time go together, and interrupted ones take nobody along."""

from __future__ import annotations

import threading

import pytest

from holdfast.primitives.line_log_batches import Batch, Batches, Interrupting, check_sync

PATIENCE_S = 20.0


class Bench:
    """Batches whose commits are told, and may be held up or fail."""

    def __init__(self) -> None:
        self.told = threading.Event()
        self.batches = Batches("/a", self.commit, backlog=self.told.set)
        self.committed: list[list[bytes]] = []
        self.go = threading.Event()
        self.go.set()
        self.begun = threading.Event()
        self.fail: list[BaseException] = []
        self.appended = 0

    def commit(self, batch: Batch) -> None:
        self.begun.set()
        assert self.go.wait(PATIENCE_S)
        if self.fail:
            batch.appended = self.appended
            raise self.fail.pop()
        batch.appended = len(batch.lines)
        self.committed.append(list(batch.lines))

    def held_up(self, *others: list[bytes]) -> list[object]:
        """Append `a`, and the others while that is being committed; what each of them raised."""
        self.go.clear()
        outcomes: list[object] = [None] * (1 + len(others))

        def work(number: int, lines: list[bytes]) -> None:
            try:
                self.batches.append(lines, "always")
            except BaseException as error:
                outcomes[number] = error

        threads = []
        for number, lines in enumerate(([b"a"], *others)):
            threads.append(threading.Thread(target=work, args=[number, lines]))
            threads[-1].start()
            assert self.begun.wait(PATIENCE_S)
            self.wait_until_queued(number)
        self.go.set()
        for thread in threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()
        return outcomes

    def wait_until_queued(self, count: int) -> None:
        pause = threading.Event()
        for _ in range(2000):
            waiting = self.batches._next
            if not count or (waiting is not None and len(waiting.lines) >= count):
                return
            pause.wait(0.005)
        raise AssertionError("nobody came")


def test_threads_that_come_meanwhile_go_together() -> None:
    """I1: the first alone, and all others in one batch, in the order in which they came."""
    bench = Bench()

    assert [None] * 4 == bench.held_up([b"b"], [b"c"], [b"d"])
    assert [[b"a"], [b"b", b"c", b"d"]] == bench.committed


def test_batch_asks_for_the_strictest_sync() -> None:
    """One that waits for a sync is enough; else the shortest time."""
    batch = Batch()
    assert 0 == batch.add([b"a"], "never")
    assert (False, None) == (batch.now, batch.within_s)
    assert 1 == batch.add([b"b", b"c"], 5.0)
    assert 3 == batch.add([b"d"], 1.0)
    assert (False, 1.0) == (batch.now, batch.within_s)
    batch.add([b"e"], "always")

    assert batch.now
    assert [b"a", b"b", b"c", b"d", b"e"] == batch.lines


def test_each_thread_gets_an_error_of_its_own() -> None:
    """One object would collect the traces of all; the notes are kept."""
    bench = Bench()
    error = OSError(5, "bad", "/a")
    error.add_note("a note")
    bench.go.clear()
    bench.fail = [error]
    outcomes = bench.held_up([b"b"])
    assert error is outcomes[0]
    assert outcomes[1] is None

    bench.begun.clear()
    bench.fail = [error, RuntimeError("of the first")]
    one, two, three = bench.held_up([b"b"], [b"c"])

    assert "of the first" == str(one)
    assert two is error
    assert isinstance(three, OSError)
    assert three is not error
    assert (5, ["a note"]) == (three.errno, three.__notes__)


def test_lines_that_stand_are_no_error() -> None:
    """A rotation failed between two files: who stands in the first is told that all is well."""
    bench = Bench()
    bench.fail, bench.appended = [OSError("full"), ValueError("first")], 2
    _, two, three, four = bench.held_up([b"b"], [b"c", b"d"], [b"e"])

    assert two is None
    assert ["the first 1 of 2 records stand in the log."] == [
        note.partition(": ")[2] for note in getattr(three, "__notes__", ())
    ]
    assert isinstance(four, OSError)
    assert not hasattr(four, "__notes__")


def test_interrupted_leader_takes_nobody_along() -> None:
    """I2: the others append their lines themselves, once."""
    bench = Bench()
    bench.fail, bench.appended = [KeyboardInterrupt(), ValueError("first")], 0
    outcomes = bench.held_up([b"b"], [b"c"])

    assert [ValueError, KeyboardInterrupt, type(None)] == [type(outcome) for outcome in outcomes]
    assert [[b"c"]] == bench.committed


def test_lines_of_others_that_stand_are_not_appended_twice() -> None:
    """I2: where only the sync was interrupted, they are told to make sure."""
    bench = Bench()

    def commit(batch: Batch) -> None:
        bench.begun.set()
        assert bench.go.wait(PATIENCE_S)
        if bench.fail:
            batch.appended, batch.unsure = len(batch.lines), True
            raise bench.fail.pop()

    bench.batches = Batches("/a", commit, backlog=bench.told.set)
    bench.fail = [KeyboardInterrupt(), ValueError("first")]
    outcomes = bench.held_up([b"b"], [b"c"])

    assert isinstance(outcomes[1], KeyboardInterrupt)
    assert isinstance(outcomes[2], InterruptedError)
    assert [] == bench.fail


def test_who_is_inside_is_refused_or_deferred() -> None:
    """I3: a line that was left to the call is appended after it."""
    bench = Bench()
    seen = []
    left = []

    def commit(batch: Batch) -> None:
        bench.committed.append(list(batch.lines))
        if len(bench.committed) == 1:
            seen.append(bench.batches.is_interrupting)
            with pytest.raises(Interrupting, match="interrupted a call"):
                bench.batches.append([b"inside"], "always")
            bench.batches.defer(b"later", "never")
            bench.batches.when_left(lambda: left.append(bench.batches.is_interrupting))

    bench.batches = Batches("/a", commit, backlog=bench.told.set)
    bench.batches.append([b"a"], "always")

    assert [[b"a"], [b"later"]] == bench.committed
    assert ([True], [False]) == (seen, left)
    assert not bench.batches.is_interrupting


def test_lines_that_come_faster_than_they_are_written_are_left_to_another_thread() -> None:
    """I3: a call does not go on for ever because signals do not end."""
    bench = Bench()

    def commit(batch: Batch) -> None:
        bench.committed.append(list(batch.lines))
        if len(bench.committed) < 3:
            bench.batches.defer(b"one", "never")
            bench.batches.defer(b"two", 5.0)

    bench.batches = Batches("/a", commit, backlog=bench.told.set)
    bench.batches.append([b"a"], "always")
    assert [[b"a"], [b"one", b"two"]] == bench.committed
    assert bench.told.is_set()
    bench.batches.drain()
    bench.batches.drain()

    assert [[b"a"], [b"one", b"two"], [b"one", b"two"]] == bench.committed


def test_deferred_line_that_fails_hurts_nobody() -> None:
    """The signal handler has gone, and the call was all right."""
    bench = Bench()

    def commit(batch: Batch) -> None:
        if batch.lines == [b"a"]:
            bench.batches.defer(b"later", "never")
        else:
            raise OSError("full")

    bench.batches = Batches("/a", commit, backlog=bench.told.set)
    bench.batches.append([b"a"], "always")


@pytest.mark.parametrize("sync", ["always", "never", 1, 0.5])
def test_ways_to_sync(sync) -> None:
    """Two words, and lengths of time."""
    check_sync(sync)


@pytest.mark.parametrize("sync", ["Always", 0, -1, True, None, float("inf"), float("nan"), [1]])
def test_other_ways_are_refused(sync) -> None:
    """With what is possible."""
    with pytest.raises(ValueError, match="number of seconds above 0"):
        check_sync(sync)
