"""Calls that return before their work is done."""

from __future__ import annotations

import functools
import warnings

import pytest

from holdfast.crash.explorer import CheckFails, explore
from holdfast.crash.explorer.deferred import deferred_answer, deferred_function
from tests.support import recordings


async def coroutine(folder="", acked=()) -> None:
    raise AssertionError


def generator(folder="", acked=()):
    yield


async def stream(folder="", acked=()):
    yield


class Waiting:
    """Something to be awaited."""

    def __await__(self):
        yield


class Later:
    """Something to be called, and awaited."""

    async def __call__(self, folder, acked) -> None:
        raise AssertionError


def plain(folder="", acked=()) -> bool:
    return True


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (coroutine, "a coroutine function"),
        (functools.partial(coroutine, acked=[]), "a coroutine function"),
        (Later(), "a coroutine function"),
        (generator, "a generator function"),
        (stream, "a generator function"),
        (plain, ""),
        (print, ""),
        (Waiting, ""),
        (None, ""),
    ],
)
def test_function_whose_body_a_call_does_not_run_is_known(function, expected) -> None:
    """By its kind, before it is called."""
    assert expected == deferred_function(function)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (coroutine, "a coroutine"),
        (generator, "a generator"),
        (stream, "a generator"),
        (lambda: map(print, "a"), "a generator"),
        (Waiting, "an awaitable"),
        (plain, ""),
        (list, ""),
    ],
)
def test_answer_that_is_work_to_be_done_is_known(make, expected) -> None:
    """By what came back; a coroutine is closed, so Python does not warn of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert expected == deferred_answer(make())


@pytest.mark.parametrize("check", [coroutine, generator, stream, Later()])
@pytest.mark.parametrize("isolation", ["process", "fork"])
def test_check_that_runs_nothing_is_no_clean_report(check, isolation) -> None:
    """Wherever it is called: what it asserts was not looked at."""
    with pytest.raises(CheckFails, match="and nothing of it was run"):
        explore(recordings.replace(), check, isolation=isolation)
