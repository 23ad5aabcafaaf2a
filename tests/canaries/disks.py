"""The canaries in Python as workloads for real filesystems: `NAME bad` and `NAME good`."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from holdfast.crash.disks.harness import Workload
from tests.canaries.corpus import NAMES, Canary


def _work(canary: Canary, side: str) -> Callable[[str, Callable[[str], None]], None]:
    def run(folder: str, mark: Callable[[str], None]) -> None:
        child = os.fork()  # it leaves files open, which would keep the filesystem mounted
        if child:
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, canary.name
            return
        try:
            os.chdir(folder)
            canary.module.ack = mark
            getattr(canary.module, side)()
        except BaseException:
            os._exit(1)
        os._exit(0)

    return run


def _workload(name: str, side: str) -> Workload:
    canary = Canary(name)
    return Workload(
        f"{name} {side}",
        lambda folder: canary.prepare(Path(folder)),
        _work(canary, side),
        canary.check(side),
        frozenset() if side == "good" else frozenset({"somewhere"}),
    )


def _is_fit(name: str) -> bool:
    """In Python, and without failures on order, which only a recorder can make."""
    canary = Canary(name)
    return canary.program is None and not hasattr(canary.module, "FAULTS")


WORKLOADS = tuple(
    _workload(name, side) for name in NAMES if _is_fit(name) for side in ("bad", "good")
)
