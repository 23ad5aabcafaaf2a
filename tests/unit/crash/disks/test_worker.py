"""Finding workloads by the place where they stand."""

from __future__ import annotations

import pytest

from holdfast.crash.disks.controls import CONTROLS
from holdfast.crash.disks.worker import find_workloads


def test_workloads_are_found_by_module_and_name() -> None:
    """`package.module:NAME`."""
    assert CONTROLS == find_workloads("holdfast.crash.disks.controls:CONTROLS")


@pytest.mark.parametrize("place", ["holdfast.nowhere:A", "holdfast.crash.disks.controls"])
def test_missing_workloads_are_an_error(place) -> None:
    """A misspelt place is not an empty list."""
    with pytest.raises((ImportError, AttributeError)):
        find_workloads(place)
