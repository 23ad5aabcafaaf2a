"""The benchmark of the explorer runs."""

from __future__ import annotations

from benchmarks.exploring import check, measure, replace
from holdfast.crash.explorer import explore


def test_recorded_replace_is_what_it_says() -> None:
    """4 KiB of JSON, acknowledged, and many states without the syncs."""
    recording = replace()
    report = explore(recording, check, isolation="process", model="posix", block_bytes=512)

    assert 4096 == len(recording.after[3].data) == len(recording.before[2].data)
    assert 500 < report.tried
    assert not report.findings


def test_all_ways_are_timed() -> None:
    """No rate is nothing."""
    assert all(0 < rate for rate in measure(rounds=1, limit=64))
