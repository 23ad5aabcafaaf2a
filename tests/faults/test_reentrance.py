"""What interrupts a thread at work, as a signal handler does, and uses the same journal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType

import pytest

from holdfast.state.hold import Hold
from holdfast.state.machine import Machine
from holdfast.vfs.memory import MemoryVFS
from tests.support.interrupts import is_collecting
from tests.support.machines import add, machine_on, put

PLACES = ("holdfast/state/", "holdfast/primitives/")
BEFORE = [b"%d" % number * 200 for number in range(5)]

Act = Callable[[Machine[list[bytes]]], object]


class Handler:
    """Acts at the nth event in the files of a journal: where the system runs a signal handler."""

    def __init__(self, nth: int, act: Callable[[], None]) -> None:
        self.left = nth
        self.act = act

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        path = frame.f_code.co_filename
        if event not in {"call", "c_return"} or is_collecting(frame):
            return
        if not any(place in path for place in PLACES):
            return
        self.left -= 1
        if self.left == 0:
            sys.setprofile(None)
            self.act()


def interrupted(act: Callable[[], object], *, nth: int, by: Callable[[], None]) -> bool:
    """Act, with a call of `by` at the nth event; False if it came to its end before."""
    handler = Handler(nth, by)
    before = sys.getprofile()
    sys.setprofile(handler)
    try:
        act()
    finally:
        sys.setprofile(before)
    return handler.left <= 0


def block(machine: Machine[list[bytes]]) -> None:
    with Hold(machine) as hold:
        hold.commit(b"new")


ACTS: list[Act] = [
    lambda machine: machine.commit(put(b"new")),
    lambda machine: machine.commit_shared(put(b"new")),
    block,
    lambda machine: machine.read(list),
    lambda machine: machine.barrier(),
    lambda machine: machine.write_checkpoint(),
    lambda machine: machine.close(),
]


def attempt(act: Callable[[], object]) -> bool:
    """Whether it was done; else it was refused, since its thread was at work."""
    try:
        act()
    except RuntimeError as error:
        if "already" not in str(error):
            raise
        return False
    return True


@pytest.mark.timeout(100)
@pytest.mark.parametrize("is_open", [True, False])
@pytest.mark.parametrize("act", range(len(ACTS)))
def test_who_interrupts_a_thread_at_work_is_refused_or_served(act: int, is_open: bool) -> None:
    """Nobody waits for ever; what was told to be written is there, once, and nothing else."""
    step = 3 if is_open else 11
    refused = served = 0
    for nth in range(1 + act % step, 20_000, step):
        disk = MemoryVFS()
        other = machine_on(disk, segment_bytes=1024)
        add(other, *BEFORE[:3])
        machine = machine_on(disk, segment_bytes=1024)
        if is_open:
            machine.refresh()
        add(other, *BEFORE[3:])
        written: list[bytes] = []

        def handler(machine=machine, other=other, written=written) -> None:
            nonlocal refused, served
            for name, one in ((b"mine", machine), (b"other", other)):
                if one.is_closed:
                    continue
                if attempt(lambda one=one, name=name: one.commit_shared(put(name))):  # type: ignore[misc]
                    written.append(name)
                    served += 1
                else:
                    refused += 1
                seen: list[list[bytes]] = []
                if attempt(lambda one=one, seen=seen: seen.append(one.read(list))):  # type: ignore[misc]
                    assert BEFORE[:3] == seen[0][:3]
                attempt(one.barrier)
                attempt(one.write_checkpoint)

        is_over = not interrupted(lambda m=machine: ACTS[act](m), nth=nth, by=handler)  # type: ignore[misc]
        expected = sorted([*BEFORE, *written, *[b"new"] * (act < 3)])
        assert expected == sorted(other.refresh()), f"event {nth}"
        assert [] == disk.held_locks, f"event {nth}"
        add(other, b"after")
        other.close()
        machine.close()
        if is_over:
            break
    assert refused
    assert served
