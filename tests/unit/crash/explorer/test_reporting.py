"""From an exploration to a report: notes, kept states, replays."""

from __future__ import annotations

import os
import tempfile

from holdfast.crash.explorer.exploring import Exploration, Options
from holdfast.crash.explorer.folders import FolderBench
from holdfast.crash.explorer.reporting import replay_report, report_of
from tests.support import recordings


def exploration_of(recording, check=recordings.check_state) -> tuple[Exploration, FolderBench]:
    bench = FolderBench(check, isolation="process", timeout_s=5)
    return Exploration(recording, bench, Options("linux", {}, 10.0, 0)), bench


def test_notes_of_recording_and_bench_are_told_once() -> None:
    """The recorder's words, and what the check did to the folder."""
    recording = recordings.replace()._replace(notes=("one thread", "one thread"))

    def check(folder, acked) -> None:
        with open(f"{folder}/cache", "wb"):
            pass

    exploration, bench = exploration_of(recording, check)
    report = report_of(exploration)
    bench.close()

    assert 1 == report.notes.count("one thread")
    assert any("cache" in note for note in report.notes)


def test_replay_without_a_folder_leaves_one(tmp_path, monkeypatch) -> None:
    """A new one among the temporary files, which the report names."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    exploration, bench = exploration_of(recordings.replace(folder_sync=False))
    (finding,) = report_of(exploration).findings
    again, _ = exploration_of(recordings.replace(folder_sync=False))
    report = replay_report(again, finding.id)
    bench.close()
    again.bench.close()
    kept = report.replayed or ""
    with open(f"{kept}/state", "rb") as file:
        data = file.read()

    assert str(tmp_path) == os.path.dirname(os.path.dirname(kept))
    assert recordings.OLD == data
    assert kept == report.findings[0].kept
    assert f"state {finding.id} is in {kept}" in report.text(width=500)
