"""The bench of folders: scratch space that goes away, recoveries under a recorder."""

from __future__ import annotations

import os

import pytest

from holdfast.crash.explorer.cases import HOLDS, Case, RecoveryFailed
from holdfast.crash.explorer.folders import FolderBench
from holdfast.crash.explorer.trees import paths_of
from holdfast.vfs.states import crash_states
from tests.support import recordings


def first_case() -> Case:
    """The state before the first call."""
    state = next(iter(crash_states(recordings.STATE, (), model="prefix")))
    return Case("prefix", state, paths_of(state.tree), ())


def test_close_removes_everything() -> None:
    """Also what a check left beside the folder."""
    seen = []
    bench = FolderBench(lambda folder, _: seen.append(folder), isolation="process", timeout_s=5)
    assert [HOLDS] == [outcome for _, outcome in bench.run([first_case()])]
    bench.close()

    assert not os.path.exists(os.path.dirname(os.path.dirname(seen[0])))


@pytest.mark.parametrize(
    ("check", "isolation"), [(["true"], "fork"), (["true"], "process"), (print, "exec")]
)
def test_check_that_does_not_fit_is_refused(check, isolation) -> None:
    """A command needs `exec`, and a function one of the others."""
    with pytest.raises(TypeError, match="does not fit"):
        FolderBench(check, isolation=isolation, timeout_s=1)


def test_recovery_is_recorded_in_a_folder_of_its_own() -> None:
    """The recorder gets the function and the folder with the state."""
    seen = []

    def record(function, root):
        function()
        seen.append(sorted(os.listdir(root)))
        return recordings.replace()

    bench = FolderBench(
        print, isolation="process", timeout_s=5, record=record,
        recover=lambda folder: os.unlink(f"{folder}/state"),
    )  # fmt: skip
    try:
        bench.record_recovery(first_case())
    finally:
        bench.close()

    assert [[]] == seen


def test_recovery_that_ends_badly_is_told() -> None:
    """Its exit code is a finding, not an error of the explorer."""
    bench = FolderBench(
        print, isolation="process", timeout_s=5, recover=print,
        record=lambda *_: recordings.replace()._replace(status=7),
    )  # fmt: skip
    try:
        with pytest.raises(RecoveryFailed, match="the recovery exited with 7"):
            bench.record_recovery(first_case())
    finally:
        bench.close()


@pytest.mark.slow
def test_recovery_of_folders_is_recorded_and_crashed_again() -> None:
    """With the real recorder: a recovery that is not safe itself is found."""
    from holdfast.crash.explorer import explore

    def recover(folder: str) -> None:
        if os.path.exists(f"{folder}/state.part"):
            with open(f"{folder}/state", "wb") as file:  # empties what was good
                file.write(recordings.OLD)
            os.unlink(f"{folder}/state.part")

    report = explore(
        recordings.replace(), recordings.check_state, isolation="process", recover=recover
    )

    if any("no recovery could be recorded" in note for note in report.notes):
        pytest.skip("; ".join(report.notes))
    first = report.findings[0]
    assert ("prefix", "truncate-then-write") == (first.model, first.advice[0].rule)
    assert first.recovery_of is not None
    assert "test_folders.py:" in first.advice[0].do
