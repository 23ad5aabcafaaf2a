"""The bench of filesystems in memory: no folder, no process, and a recovery records itself."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from holdfast.crash.explorer.cases import RecoveryFailed, call, words_of
from holdfast.crash.explorer.deferred import refuse_deferred
from holdfast.crash.explorer.names import Names, describe
from holdfast.crash.recording import Call, Recording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from holdfast.crash.explorer.cases import Case, Outcome, Outcomes
    from holdfast.vfs.memory import MemoryVFS

    MemoryCheck = Callable[[MemoryVFS, list[str]], object]

__all__ = ["MemoryBench", "recording_of"]


def recording_of(disk: MemoryVFS) -> Recording:
    """Return what was done to this filesystem since it was settled, one call an operation."""
    names, calls = Names(disk.core.initial), list[Call]()
    with disk.core.guard:
        operations = tuple(disk.core.operations)
        after = disk.core.freeze()
    for at, operation in enumerate(operations):
        calls.append(Call(at + 1, describe(operation, names), os.getpid(), 0))
        names.apply(operation, at)
    origins = tuple(range(len(operations)))
    return Recording(disk.core.initial, operations, origins, tuple(calls), after, 0, "memory")


class MemoryBench:
    """Checks states as filesystems with the settings of `disk`."""

    def __init__(
        self,
        disk: MemoryVFS,
        check: MemoryCheck,
        *,
        recover: Callable[[MemoryVFS], object] | None = None,
    ) -> None:
        self._disk = disk
        self._check = check
        self._recover = recover
        self._before = disk

    @property
    def notes(self) -> list[str]:
        """Nothing is left out in memory."""
        return []

    def run(self, cases: Iterable[Case]) -> Outcomes:
        """Check each case on a filesystem of its own."""
        for case in cases:
            yield case, self._look(case)

    def _look(self, case: Case) -> Outcome:
        crashed = self._before.after(case.state)
        return call(lambda: self._check(crashed, [*case.acked]))

    def record_recovery(self, case: Case) -> Recording:
        """Recover on this state; its filesystem writes down what is done to it.

        What is checked from here on comes after this recovery, and draws other tokens than it did.

        Raises:
            RecoveryFailed: It raised.
        """
        crashed = self._disk.after(case.state)
        if self._recover is not None:
            try:
                refuse_deferred(self._recover(crashed))
            except Exception as error:
                raise RecoveryFailed(f"the recovery raised {words_of(error, '')}") from error
        self._before = crashed
        return recording_of(crashed)

    def close(self) -> None:
        """Nothing was made."""
