"""Pauses between looks grow, have a bound, and end with the time."""

from __future__ import annotations

import math

import pytest

from holdfast.primitives.log_pauses import Pauses


def test_pauses_grow_up_to_a_hundredth_of_a_second() -> None:
    """Short at first, so that what comes at once is seen at once; never long."""
    pauses = Pauses(None)
    found = [pauses.next() or 0 for _ in range(20)]
    assert found == sorted(found)
    assert 0 < found[0] < 0.001
    assert 0.01 == found[-1]


def test_something_that_came_makes_pauses_short_again() -> None:
    """After `begin` the first pause comes once more."""
    pauses = Pauses(None)
    first = pauses.next()
    for _ in range(5):
        pauses.next()
    pauses.begin()
    assert first == pauses.next()


def test_no_time_is_no_pause() -> None:
    """Who waits for nothing looks once."""
    assert Pauses(0).next() is None


def test_pause_is_no_longer_than_the_time_that_is_left() -> None:
    """The last look comes at the end of the time, not behind it."""
    assert (Pauses(1e-5).next() or 0) <= 1e-5


def test_time_that_is_left_is_waited() -> None:
    """An hour is not over at once."""
    assert Pauses(3600).next() is not None


@pytest.mark.parametrize("timeout_s", [-1, -0.001, math.nan])
def test_time_that_cannot_be_is_refused(timeout_s) -> None:
    """Negative, or no number."""
    with pytest.raises(ValueError, match="must be None, 0 or more"):
        Pauses(timeout_s)
