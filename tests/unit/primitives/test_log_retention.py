"""Old segments may go when the log is too large, or they are too old; the rest is kept."""

from __future__ import annotations

import math

import pytest

from holdfast.formats.log_format import SegmentHeader, encode_segment, segment_name
from holdfast.primitives.log_retention import Retention
from holdfast.vfs.clock import ManualClock
from holdfast.vfs.memory import MemoryVFS

FIRSTS = [1, 11, 21]
LAST = 25


class JumpingClock(ManualClock):
    """Its wall clock can be set; the monotonic one goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.jump_ns = 0

    def now_ns(self) -> int:
        """Nanoseconds since 1970, as somebody says."""
        return super().now_ns() + self.jump_ns


@pytest.fixture
def clock() -> JumpingClock:
    """Time, moved by hand."""
    return JumpingClock()


def log_of(clock: ManualClock, *, every_s: float = 0, size_bytes: int = 1000):
    """A folder of three segments, each made `every_s` after the one before; the time is the end."""
    disk = MemoryVFS(clock=clock)
    for first in FIRSTS:
        clock.advance(every_s)
        header = encode_segment(SegmentHeader(first, 5, clock.now_ns()))
        disk.write_tree({f"log/{segment_name(first)}": header + bytes(size_bytes - len(header))})
    return disk.folder("/log")


def test_without_bounds_all_is_kept(clock) -> None:
    """And nobody needs to look."""
    retention = Retention(None, None, clock)
    assert not retention.is_bounded
    assert 0 == retention.choose(log_of(clock), FIRSTS, LAST)


def test_each_bound_is_one(clock) -> None:
    """Size or age."""
    assert Retention(1, None, clock).is_bounded
    assert Retention(None, 1, clock).is_bounded


@pytest.mark.parametrize("value", [0, -1, math.nan])
def test_bound_that_keeps_nothing_is_refused(clock, value) -> None:
    """By name."""
    with pytest.raises(ValueError, match="keep_bytes is"):
        Retention(value, None, clock)
    with pytest.raises(ValueError, match="keep_s is"):
        Retention(None, value, clock)


@pytest.mark.parametrize(
    ("keep_bytes", "kept"), [(1, 21), (1999, 21), (2000, 11), (2999, 11), (3000, 1), (1 << 40, 1)]
)
def test_newest_segments_that_fit_are_kept(clock, keep_bytes, kept) -> None:
    """And the last one in any case, however large it is."""
    assert kept == Retention(keep_bytes, None, clock).choose(log_of(clock), FIRSTS, LAST)


@pytest.mark.parametrize(("keep_s", "kept"), [(5, LAST + 1), (15, 11), (25, 1), (1000, 1)])
def test_segment_is_as_old_as_its_youngest_record(clock, keep_s, kept) -> None:
    """That is, as the next one; of the last one, as its last change. All may be too old."""
    folder = log_of(clock, every_s=10)
    clock.advance(10)  # they were made 30, 20 and 10 s ago
    assert kept == Retention(None, keep_s, clock).choose(folder, FIRSTS, LAST)


def test_stricter_bound_decides(clock) -> None:
    """Both are kept to."""
    folder = log_of(clock, every_s=10)
    assert 21 == Retention(1000, 1000, clock).choose(folder, FIRSTS, LAST)
    assert 11 == Retention(1 << 30, 5, clock).choose(folder, FIRSTS, LAST)


def test_wall_clock_that_jumps_ahead_drops_nothing(clock) -> None:
    """An age is the time that passed while the program ran."""
    retention = Retention(None, 60, clock)
    folder = log_of(clock, every_s=10)
    clock.jump_ns = 10**18
    assert 1 == retention.choose(folder, FIRSTS, LAST)


def test_time_that_passes_while_the_program_runs_counts(clock) -> None:
    """The same log, an hour later."""
    retention = Retention(None, 60, clock)
    folder = log_of(clock, every_s=10)
    assert 1 == retention.choose(folder, FIRSTS, LAST)
    clock.advance(3600)
    assert LAST + 1 == retention.choose(folder, FIRSTS, LAST)
