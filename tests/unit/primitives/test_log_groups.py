"""Commits of many callers are gathered; each learns its own outcome."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from holdfast.primitives.log_groups import GROUP_BYTES, GroupCommit


class Device:
    """Commits records when it is let; remembers each group."""

    def __init__(self) -> None:
        self.groups: list[list[bytes]] = []
        self.busy = threading.Lock()
        self.open = threading.Event()
        self.open.set()
        self.entered = threading.Event()
        self.error: Exception | None = None
        self.overlaps = 0

    def commit(self, records: Sequence[bytes]) -> range:
        """One commit at a time, or it is counted."""
        if not self.busy.acquire(blocking=False):
            self.overlaps += 1
        try:
            self.entered.set()
            self.open.wait(30)
            if self.error is not None:
                raise self.error
            self.groups.append(list(records))
            last = sum(map(len, self.groups))
            return range(last - len(records) + 1, last + 1)
        finally:
            self.busy.release()


@pytest.fixture
def device() -> Device:
    """What commits."""
    return Device()


@pytest.fixture
def groups(device) -> GroupCommit[bytes, int]:
    """The gatherer before it."""
    return GroupCommit(device.commit, name="groups-of-a-test")


def in_threads(
    groups: GroupCommit[bytes, int], device: Device, count: int
) -> tuple[list[tuple[int, bytes]], list[OSError]]:
    """Hold one commit up, have `count` callers gather, then let go; their outcomes."""
    outcomes: list[tuple[int, bytes]] = []
    errors: list[OSError] = []
    device.open.clear()
    device.entered.clear()

    def call(number: int) -> None:
        try:
            outcomes.append((groups.commit([b"%d" % number], 1), b"%d" % number))
        except OSError as error:
            errors.append(error)

    first = threading.Thread(target=call, args=(0,))
    first.start()
    assert device.entered.wait(30)
    others = [threading.Thread(target=call, args=(number,)) for number in range(1, count + 1)]
    for thread in others:
        thread.start()
    while sum(len(group.items) for group in list(groups._groups)) < count:
        threading.Event().wait(0.001)
    device.open.set()
    for thread in (first, *others):
        thread.join(30)
    return outcomes, errors


def test_lonely_caller_commits_by_itself(groups, device) -> None:
    """No thread is started for it."""
    before = threading.active_count()
    assert [1, 2] == [groups.commit([b"a"], 1), groups.commit([b"b"], 1)]
    assert before == threading.active_count()
    assert [[b"a"], [b"b"]] == device.groups


def test_what_comes_meanwhile_is_one_group(groups, device) -> None:
    """One commit at a time; each caller gets the sequence of its own record."""
    outcomes, _ = in_threads(groups, device, 5)
    assert 2 == len(device.groups)
    assert 0 == device.overlaps
    placed = [record for group in device.groups for record in group]
    assert sorted(outcomes) == sorted((at, record) for at, record in enumerate(placed, 1))


def test_failure_reaches_everybody_with_an_exception_of_its_own(groups, device) -> None:
    """Nobody shares a traceback; the next commit is tried again."""
    device.error = OSError(28, "full")
    _, errors = in_threads(groups, device, 3)
    assert [28] * 4 == [error.errno for error in errors]
    assert 4 == len({id(error) for error in errors})
    device.error = None
    assert 1 == groups.commit([b"a"], 1)


def test_records_of_one_call_stay_together(groups, device) -> None:
    """A group that is full enough is left to itself."""
    futures = []
    device.open.clear()
    futures.append(groups.submit([b"first"], 5))
    assert device.entered.wait(30)
    futures.extend(groups.submit([b"a", b"b"], GROUP_BYTES // 2) for _ in range(4))
    device.open.set()
    assert [1, 3, 5, 7, 9] == [future.result(30) for future in futures]
    assert [1, 4, 4] == [len(group) for group in device.groups]


def test_interrupted_caller_hands_over(groups, device) -> None:
    """Whatever ends a commit, the next caller is served."""
    device.error = KeyboardInterrupt()  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt):
        groups.commit([b"a"], 1)
    device.error = None
    assert 1 == groups.commit([b"b"], 1)


def test_tasks_are_told_on_their_loop(groups, device) -> None:
    """Results and errors reach tasks; a closed loop harms nobody."""

    async def main() -> list[int]:
        return await asyncio.gather(*(groups.acommit([b"%d" % n], 1) for n in range(10)))

    assert list(range(1, 11)) == sorted(asyncio.run(main()))

    device.open.clear()

    async def leave() -> None:
        groups._queue(
            [b"left"], 1, (asyncio.get_running_loop().create_future(), asyncio.get_running_loop())
        )

    asyncio.run(leave())
    device.open.set()
    assert groups.submit([b"z"], 1).result(30) == 12


def test_drain_waits_for_what_was_queued(groups, device) -> None:
    """Nothing queued: it returns at once; otherwise when the last group is done."""
    groups.drain()
    future = groups.submit([b"a"], 1)
    groups.drain()
    assert future.done()


def test_forgotten_groups_begin_anew(groups, device) -> None:
    """As in a forked child: what the parent had under way is not ours."""
    device.open.clear()
    stuck = threading.Thread(target=groups.commit, args=([b"a"], 1))
    stuck.start()
    assert device.entered.wait(30)
    groups.forget()
    device.open.set()
    stuck.join(30)
    assert 2 == groups.commit([b"b"], 1)


def test_turn_is_taken_in_the_thread_that_asks() -> None:
    """What others bring meanwhile is served afterwards; in a callback the turn is there already."""
    order: list[str] = []
    groups: GroupCommit[str, str] = GroupCommit(
        lambda items: [order.append(item) or item for item in items], name="groups-of-a-test"
    )

    def act() -> int:
        futures.append(groups.submit(["queued"], 1))
        order.append("act")
        return threading.get_ident()

    futures: list = []
    assert threading.get_ident() == groups.in_turn(act)
    assert "queued" == futures[0].result(30)
    assert ["act", "queued"] == order
    inner: list[str] = []
    done = threading.Event()

    def follow_up(_: object) -> None:
        inner.append(groups.in_turn(lambda: "in the callback"))
        done.set()

    groups.submit(["more"], 1).add_done_callback(follow_up)
    assert done.wait(30)
    assert ["in the callback"] == inner


def test_turn_is_given_back_after_an_error(groups) -> None:
    """The next commit is served."""
    with pytest.raises(ZeroDivisionError):
        groups.in_turn(lambda: 1 // 0)
    assert 1 == groups.commit([b"a"], 1)


def test_commit_of_the_thread_is_handed_to_who_asked_for_it(device) -> None:
    """That of a lonely caller is not: it knows by itself."""
    served: list[str] = []

    def serving(commit):
        served.append(threading.current_thread().name)
        return commit()

    groups: GroupCommit[bytes, int] = GroupCommit(device.commit, name="served", serving=serving)
    assert 1 == groups.commit([b"a"], 1)
    assert [] == served
    assert 2 == groups.submit([b"b"], 1).result(20)
    assert ["served"] == served
