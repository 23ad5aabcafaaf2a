"""The workloads: each yields experiments, sets up before and tidies after each.

Nothing is deleted while rounds are timed: ext4 passes over recently freed inodes, which made later
creates up to ten times slower in trials.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from benchmarks.machine import Place
    from benchmarks.runner import Experiment

__all__ = ["Setting", "Workload"]


class Setting(NamedTuple):
    """Where to work and how long."""

    place: Place
    quick: bool

    def pick(self, quick: float, full: float) -> int:
        """Choose a count or a number of seconds by the mode."""
        return int(quick if self.quick else full)

    def folder(self, name: str) -> str:
        """Make a folder for one experiment."""
        path = os.path.join(self.place.folder, name)
        os.makedirs(path)
        return path


class Workload(NamedTuple):
    """What makes the experiments, and where else than in the first folder they make sense."""

    make: Callable[[Setting], Generator[Experiment, None, None]]
    on_disk: bool = True
    in_memory: bool = False
    on_slow_disk: bool = False
