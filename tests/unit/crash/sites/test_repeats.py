"""Walks that are not made twice: this process is the one that is looked at."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator

import pytest

from holdfast.crash.recording import Site
from holdfast.crash.sites.memory import Memory, Unreadable
from holdfast.crash.sites.repeats import PLANS_MAX, RESULTS_MAX, Repeats

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc/PID/mem")


class Walked:
    """A chain of two numbers in our own memory, and how often it was walked."""

    def __init__(self) -> None:
        self.held = (ctypes.c_uint64 * 64)()
        self.start = ctypes.addressof(self.held)
        self.memory = Memory(os.getpid())
        self.repeats = Repeats(os.getpid(), self.memory, self.walk)
        self.walks = 0
        self.point(1, 100)

    def point(self, at: int, value: int) -> None:
        """Let the first number lead to another, which holds a value."""
        self.held[0] = self.start + 8 * at
        self.held[at] = value

    def walk(self, tid: int) -> tuple[Site, ...]:
        """Follow the chain."""
        self.walks += 1
        line = self.memory.number(self.memory.number(self.start))
        return (Site("a.py", line, str(tid)),)

    def lines(self, pointer: int = 7) -> list[int]:
        """What is answered."""
        return [site.line for site in self.repeats.sites(1, pointer)]


@pytest.fixture
def walked() -> Iterator[Walked]:
    """The memory is closed at the end."""
    it = Walked()
    yield it
    it.memory.close()


def test_what_did_not_change_is_not_walked_again(walked):
    """The first walk makes the plan, the second is remembered, the third is not made."""
    assert [[100]] * 5 == [walked.lines() for _ in range(5)]
    assert 2 == walked.walks


def test_a_change_is_never_answered_from_before(walked):
    """Of a value, of the way to it, and back again."""
    found = []
    for at, value in ((1, 100), (1, 101), (2, 101), (3, 102), (1, 100), (1, 101), (2, 5)):
        walked.point(at, value)
        found += walked.lines()
    assert [100, 101, 101, 102, 100, 101, 5] == found


def test_calls_from_other_addresses_have_plans_of_their_own(walked):
    """So that they do not drive each other out."""
    for _ in range(10):
        walked.point(1, 100)
        assert [100] == walked.lines(7)
        walked.point(2, 200)
        assert [200] == walked.lines(8)
    assert 4 == walked.walks


def test_what_is_kept_is_bounded(walked):
    """Of plans as of results; the answers stay right."""
    for pointer in range(PLANS_MAX + 5):
        assert [100] == walked.lines(pointer)
    for value in range(RESULTS_MAX + 5):
        walked.point(1, value)
        assert [value] == walked.lines(0)
    assert PLANS_MAX >= len(walked.repeats._plans)


def test_a_way_that_leads_nowhere_is_told(walked):
    """And forgotten once it leads somewhere."""
    assert [100] == walked.lines()
    walked.held[0] = 8
    for _ in range(2):
        with pytest.raises(Unreadable):
            walked.lines()
    walked.point(1, 7)
    assert [7] == walked.lines()


def test_memory_that_is_gone_is_not_read_behind_its_descriptor(walked):
    """After an exec there is another memory in the process, and the descriptor knows."""
    walked.lines()
    walked.lines()
    walked.memory.close()
    with pytest.raises(Unreadable):
        walked.lines()
