"""`ack`: it does nothing but try to open a path that is not there."""

from __future__ import annotations

import os

import pytest

from holdfast.crash.acknowledge import ack


@pytest.mark.parametrize("text", ["saved", 7, "", "a/b", "\0", "\udcff", "x" * 10_000])
def test_nothing_happens_outside_of_a_recorder(text) -> None:
    """Whatever is acknowledged, the program goes on, and nothing is left open."""
    before = os.listdir("/proc/self/fd")
    ack(text)

    assert len(before) == len(os.listdir("/proc/self/fd"))
