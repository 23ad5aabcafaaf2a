"""How a check in this process ends."""

from __future__ import annotations

import sys

import pytest

from holdfast.crash.explorer.cases import Outcome, TimeIsUp, call, relative, words_of


def test_check_that_returns_holds() -> None:
    """Whatever it returns, but False."""
    assert "holds" == call(lambda: None).kind
    assert "holds" == call(lambda: 0).kind


def test_check_that_returns_false_is_violated() -> None:
    """Who wrote a predicate instead of an assertion means it."""
    assert Outcome("violated", "the check returned False") == call(lambda: False)


def test_exception_is_a_violation_in_its_own_words() -> None:
    """Type and text."""

    def check() -> None:
        raise KeyError("a")

    assert Outcome("violated", "KeyError: 'a'") == call(check)


def test_silent_assertion_says_where_it_stands() -> None:
    """The line of the check is what it has to say."""
    with pytest.raises(AssertionError) as it:
        exec(compile("assert 1 == 2", "the_check.py", "exec"))  # as it is without pytest
    said = words_of(it.value, "")

    assert said.startswith("AssertionError: ")
    assert "the_check.py:1" in said


def test_failure_of_a_test_framework_is_a_violation() -> None:
    """`pytest.fail` raises what is no `Exception`."""
    outcome = call(lambda: pytest.fail("not so"))

    assert "violated" == outcome.kind
    assert "not so" in outcome.said


def test_check_that_exits_is_told_apart() -> None:
    """It neither holds nor is it violated."""
    assert Outcome("exited", "the check called exit(0)") == call(lambda: sys.exit(0))


@pytest.mark.parametrize("error", [KeyboardInterrupt, TimeIsUp])
def test_interrupts_go_through(error) -> None:
    """They are nothing that the check said."""

    def check() -> None:
        raise error

    with pytest.raises(error):
        call(check)


def test_scratch_folder_is_taken_out_of_the_words() -> None:
    """The same state says the same wherever it is made."""
    assert "no a/b in ." == relative("no /s/1/a/b in /s/1", "/s/1")
    assert 9000 > len(relative("x" * 100_000, "/s/1"))


def test_number_of_the_lane_is_taken_out_of_the_words() -> None:
    """Also where the check names what is above and beside its folder."""
    said = {
        relative(f"{lane}-acked, {lane}/wal, {lane}, {top}/x, {lane}/state/a", f"{lane}/state")
        for top in ("/tmp/holdfast-states-a1b", "/dev/shm/holdfast-states-zz9")
        for lane in (f"{top}/0", f"{top}/7")
    }

    assert {"$HOLDFAST_CRASH_ACKED, ../wal, .., ../../x, a"} == said
