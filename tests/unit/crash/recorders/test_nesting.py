"""Recorders notice each other; `test_door` shows it with real ones."""

from __future__ import annotations

import os

from holdfast.crash.recorders.nesting import ASKED_PATH, refuse_nesting, traced_by


def test_outside_of_a_recorder_nothing_is_refused():
    """The path that is asked for is nowhere."""
    assert not os.path.exists(ASKED_PATH)
    refuse_nesting()


def test_a_process_that_nobody_traces_says_so(tmp_path):
    """And one under strace knows by whom: `test_door`."""
    assert 0 == traced_by()
