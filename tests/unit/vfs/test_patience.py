"""Patience is bounded, has jitter, and is spent on three errors alone."""

from __future__ import annotations

import pytest

from holdfast.vfs.patience import PATIENCE_S, is_busy, patiently, pauses
from tests.support.windows_kernel import win_error, win_number


def failing(*codes):
    """A call that raises each of these, then returns its count."""
    left = list(codes)

    def call():
        if left:
            raise win_error(left.pop(0))
        return len(codes)

    return call


@pytest.mark.parametrize("random", [lambda: 0.0, lambda: 0.5, lambda: 0.999])
def test_pauses_sum_up_to_the_bound(random) -> None:
    """Whatever chance says, the pauses grow, stay below 0.1 s and sum up to two seconds."""
    found = list(pauses(random))

    assert PATIENCE_S == pytest.approx(sum(found))
    assert found[0] <= 0.001
    assert max(found) <= 0.1
    assert found[:6] == sorted(found[:6])


def test_pauses_have_jitter() -> None:
    """Two waiters that failed together do not wake together."""
    assert next(pauses(lambda: 0.0)) != next(pauses(lambda: 0.9))


@pytest.mark.parametrize("code", [5, 32, 33])
def test_busy_is_tried_again(code) -> None:
    """The three errors of a file that is open elsewhere are worth another try."""
    slept: list[float] = []

    assert 3 == patiently(failing(code, code, code), sleep=slept.append)
    assert 3 == len(slept)


@pytest.mark.parametrize("code", [2, 3, 17, 87, 112, 183])
def test_other_errors_are_raised_at_once(code) -> None:
    """A missing file or a full disk is not busy."""
    slept: list[float] = []

    with pytest.raises(OSError) as caught:
        patiently(failing(code), sleep=slept.append)

    assert code == win_number(caught.value)
    assert [] == slept


def test_patience_ends() -> None:
    """What stays busy is raised after two seconds of sleep."""
    slept: list[float] = []

    with pytest.raises(OSError) as caught:
        patiently(failing(*[32] * 10_000), sleep=slept.append)

    assert 32 == win_number(caught.value)
    assert PATIENCE_S == pytest.approx(sum(slept))


def test_errors_of_other_systems_are_not_busy() -> None:
    """An error without a Win32 number is none of the three."""
    assert not is_busy(PermissionError(13, "no"))
