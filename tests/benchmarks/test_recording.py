"""The benchmark of the recorder runs."""

from __future__ import annotations

import sys

import pytest

from benchmarks.recording import measure
from holdfast.crash.recorders import RecorderUnavailable


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone has the recorder")
def test_both_ways_are_timed(tmp_path):
    """A recorded replace takes longer than a plain one."""
    try:
        cost = measure(str(tmp_path), rounds=1, replaces=3)
    except RecorderUnavailable as error:
        pytest.skip(str(error))
    assert 0 < cost.plain_s
    assert 0 < cost.recorded_s
    assert 0 < cost.ratio
