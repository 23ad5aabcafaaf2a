"""The clocks."""

from __future__ import annotations

import pytest

from holdfast.vfs.clock import CLOCK, ManualClock


def test_system_clock_never_runs_backwards() -> None:
    """Monotonic readings do not fall, and the wall clock counts from 1970."""
    first = CLOCK.monotonic()
    assert first <= CLOCK.monotonic()
    assert CLOCK.now_ns() > 1_700_000_000_000_000_000


def test_manual_clock_stands_still() -> None:
    """It shows the same until it is moved, and then exactly that much more."""
    clock = ManualClock(start_ns=5_000_000_000)
    assert (5.0, 5_000_000_000) == (clock.monotonic(), clock.now_ns())
    clock.advance(0.25)
    clock.advance(0)
    assert (5.25, 5_250_000_000) == (clock.monotonic(), clock.now_ns())


def test_manual_clock_refuses_to_go_back() -> None:
    """A negative step is refused, and the clock stays."""
    clock = ManualClock()
    before = clock.now_ns()
    with pytest.raises(ValueError, match="backwards by 1"):
        clock.advance(-1)
    assert before == clock.now_ns()


def test_system_clock_is_shown_without_an_address() -> None:
    """Signatures and help have it as a default."""
    assert "SystemClock()" == repr(CLOCK)
