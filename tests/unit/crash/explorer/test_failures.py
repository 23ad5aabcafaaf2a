"""Errors of the explorer: they say what they are, and survive a pickle."""

from __future__ import annotations

import pickle

import pytest

from holdfast.crash.explorer.failures import CheckFails, ExplorerError, TreeRefused, UnknownState


def test_check_fails_carries_what_was_said() -> None:
    """Kind and words are attributes, also on the other side of a process border."""
    error = CheckFails("the check fails", kind="hung", said="too long")

    copy = pickle.loads(pickle.dumps(error))

    assert ("the check fails", "hung", "too long") == (str(copy), copy.kind, copy.said)


@pytest.mark.parametrize("kind", [CheckFails, TreeRefused, UnknownState])
def test_all_are_usage_errors(kind) -> None:
    """The command line leaves with 2, not with the 1 of a finding."""
    assert issubclass(kind, ExplorerError)
    assert 2 == kind.exit_code
