"""Whether programs can be recorded here at all."""

from __future__ import annotations

import sys
from functools import cache

import pytest


@cache
def _reason() -> str | None:
    if sys.platform != "linux":
        return "programs are recorded on Linux alone"
    import tempfile

    from holdfast.crash.recorders import RecorderUnavailable, record_call

    with tempfile.TemporaryDirectory() as folder:
        try:
            record_call(int, root=folder)
        except RecorderUnavailable as error:
            return str(error)
    return None


def needs_recorder() -> None:
    """Skip a test, with the reason, where the kernel or the container forbids recording."""
    if reason := _reason():
        pytest.skip(reason)
