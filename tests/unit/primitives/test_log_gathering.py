"""A slow sync waits a moment for the writers that were there when the last one ended."""

from __future__ import annotations

from typing import Any

from holdfast.primitives.log_gathering import Gathering
from holdfast.primitives.log_hint import FRAMES, FRAMES_DURABLE, WORDS, WRITERS


class Numbers(list[int]):
    """Words that nobody else shares."""

    def release(self) -> None:
        """Nothing is held."""


class Readings:
    """A clock that moves by a step each time that somebody looks."""

    def __init__(self, step_s: float) -> None:
        self.step_s = step_s
        self.now_s = 0.0
        self.looks = 0

    def monotonic(self) -> float:
        """The next reading."""
        self.looks += 1
        self.now_s += self.step_s
        return self.now_s

    def now_ns(self) -> int:
        """The same, as a file time."""
        return round(self.now_s * 1e9)


def after_sync_of(clock: Readings, seconds: float, *, writers: int) -> tuple[Gathering, Numbers]:
    """One that has seen a sync of so long, at whose end so many writers were there."""
    gathering, words = Gathering(clock), Numbers([0] * WORDS)
    words[FRAMES] = 1
    begun = gathering.begin(words)
    clock.now_s += seconds - clock.step_s
    words[FRAMES] = writers
    gathering.end(words, begun)
    return gathering, words


def test_end_tells_how_many_were_under_way() -> None:
    """Those that the sync covered, and those that came during it."""
    _, words = after_sync_of(Readings(1e-9), 0.01, writers=3)
    assert (3, 1) == (words[WRITERS], words[FRAMES_DURABLE])


def test_lonely_writer_never_waits() -> None:
    """Nobody else writes: not even the clock is looked at."""
    clock = Readings(1e-9)
    gathering, words = after_sync_of(clock, 0.01, writers=1)
    before = clock.looks
    gathering.wait(words)
    assert before == clock.looks


def test_quick_sync_is_not_waited_for() -> None:
    """A tenth of it would be too short to be worth a wait."""
    clock = Readings(1e-9)
    gathering, words = after_sync_of(clock, 0.0001, writers=4)
    before = clock.looks
    gathering.wait(words)
    assert before == clock.looks


def test_wait_is_over_when_as_many_are_there_again() -> None:
    """Four were under way; three more frames make four: the first look is the last."""
    clock = Readings(1e-9)
    gathering, words = after_sync_of(clock, 0.01, writers=4)
    words[FRAMES] = 5
    before = clock.looks
    gathering.wait(words)
    assert before + 1 == clock.looks


def test_wait_is_over_when_somebody_else_has_synced() -> None:
    """Then there is nothing to wait for."""
    clock = Readings(1e-9)
    gathering, words = after_sync_of(clock, 0.01, writers=4)

    class Moving(Numbers):
        """Words of which another process moves the mark after the first look."""

        def __getitem__(self, index: Any) -> Any:
            found = super().__getitem__(index)
            if index == FRAMES_DURABLE:
                self[FRAMES_DURABLE] = 4
            return found

    before = clock.looks
    gathering.wait(Moving(words))
    assert before + 1 == clock.looks


def test_wait_lasts_a_tenth_of_the_last_sync_at_most() -> None:
    """Nobody comes: it gives up, by the clock or after a number of looks."""
    clock = Readings(0.0004)
    gathering, words = after_sync_of(clock, 0.01, writers=4)
    before_s = clock.now_s
    gathering.wait(words)
    assert clock.now_s - before_s <= 0.001 + 3 * clock.step_s

    standing = Readings(0.0)
    gathering, words = after_sync_of(standing, 0.01, writers=4)
    gathering.wait(words)
    assert standing.looks < 40
