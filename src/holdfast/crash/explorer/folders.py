"""The bench of real folders: scratch space, the checks in it, and recoveries under a recorder."""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import TYPE_CHECKING, Literal

from holdfast.crash.explorer.cases import RecoveryFailed
from holdfast.crash.explorer.children import Command, Forked
from holdfast.crash.explorer.in_process import run_here
from holdfast.crash.explorer.lanes import Lane, run_in_lanes
from holdfast.crash.explorer.place import Place
from holdfast.crash.explorer.recovering import Raised, recover_in_child
from holdfast.crash.explorer.scratch import Scratch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from holdfast.crash.explorer.cases import Case, Check, Outcomes
    from holdfast.crash.recording import Recording

    Recover = Callable[[str], object]
    Record = Callable[[Callable[[], object], str], Recording]

__all__ = ["FolderBench", "Isolation"]

Isolation = Literal["process", "fork", "exec"]
_LANES_MAX = 8
_WAITING_BYTES = 256 << 20
_CASE_BYTES = 64 << 10
"""At least so much is reckoned for a case that waits for its turn: 4096 of them at most."""


class FolderBench:
    """Makes states as folders and checks them with the isolation that was asked for.

    `process`: in this process; `fork`: a fork for each state; `exec`: `check` is a command line.
    """

    def __init__(
        self,
        check: Check | Sequence[str],
        *,
        isolation: Isolation,
        timeout_s: float,
        recover: Recover | None = None,
        record: Record | None = None,
        tree_bytes: int = 0,
        lanes: int | None = None,
    ) -> None:
        self._check = check
        self._isolation: Isolation = isolation
        self._timeout_s = timeout_s
        self._recover = recover
        self._record = record or self._record_call
        self._raised = Raised()
        self._places: list[Place] = []
        lanes = lanes or min(os.cpu_count() or 1, _LANES_MAX)
        self._ahead = _WAITING_BYTES // max(tree_bytes, _CASE_BYTES)
        self._scratch = Scratch(2 * tree_bytes * (lanes + 1))
        if callable(check) == (isolation == "exec"):
            self.close()
            raise TypeError(f"isolation={isolation!r} does not fit this check")
        self._lanes = [] if isolation == "process" else self._make_lanes(lanes)

    def _make_lanes(self, count: int) -> list[Lane]:
        check = self._check
        child = Forked(check) if callable(check) else Command(check)
        return [Lane(self._place(), child, timeout_s=self._timeout_s) for _ in range(count)]

    def _place(self) -> Place:
        above = f"{self._scratch.folder}/{len(self._places)}"
        os.mkdir(above, 0o700)
        place = Place(f"{above}/state")
        self._places.append(place)
        return place

    @property
    def notes(self) -> list[str]:
        """What could not be made, and what the checks changed."""
        return sorted({note for place in self._places for note in place.notes})

    def run(self, cases: Iterable[Case]) -> Outcomes:
        """Check each case; they come back in the order given."""
        check = self._check
        if callable(check) and self._isolation == "process":
            place = self._places[0] if self._places else self._place()
            yield from run_here(check, place, cases, timeout_s=self._timeout_s)
        else:
            yield from run_in_lanes(self._lanes, cases, ahead=self._ahead)

    def record_recovery(self, case: Case) -> Recording:
        """Recover from this state in a fork under the recorder.

        Raises:
            RecoveryFailed: The fork ended badly.
        """
        recover = self._recover
        if recover is None:
            raise RecoveryFailed("there is no recovery")
        above = tempfile.mkdtemp(dir=self._scratch.folder)
        told = f"{above}/raised"
        try:
            place = Place(f"{above}/state")
            place.put(case.paths)
            recording = self._record(
                lambda: recover_in_child(recover, place.folder, told=told), place.folder
            )
            if recording.status:
                raise RecoveryFailed(self._raised.words(told, recording.status))
        finally:
            shutil.rmtree(above, ignore_errors=True)
        return recording

    def _record_call(self, function: Callable[[], object], root: str) -> Recording:
        from holdfast.crash.recorders import ProgramTimedOut, record_call

        try:
            return record_call(function, root=root, timeout_s=self._timeout_s)
        except ProgramTimedOut as error:
            seconds = f"{self._timeout_s:g} s"
            raise RecoveryFailed(f"the recovery did not end within {seconds}") from error

    def close(self) -> None:
        """Remove all scratch folders."""
        self._scratch.close()
