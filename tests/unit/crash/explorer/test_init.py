"""`explore` from a recording to its report: the programs that everybody writes."""

from __future__ import annotations

import pytest

from holdfast.crash.explorer import CheckFails, TreeRefused, UnknownState, explore, explore_memory
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.operations import ROOT, Create, Link, Node, Rename, SyncFile, Write
from tests.support import recordings
from tests.support.recordings import check_log, check_state


def rules(report) -> list[str]:
    """The first advice of each finding."""
    return [finding.advice[0].rule for finding in report.findings]


def here(recording, check=check_state, **options):
    return explore(recording, check, isolation="process", **options)


@pytest.mark.parametrize("model", ["prefix", "linux", "posix"])
def test_correct_replace_is_clean(model) -> None:
    """Temporary file, sync, rename, sync of the folder, acknowledgement: nothing is found."""
    report = here(recordings.replace(), model=model)

    assert () == report.findings
    assert 0 == report.exit_code
    assert report.exhaustive
    assert report.tried >= 5


def test_replace_without_file_sync_is_one_bug() -> None:
    """Empty, cut and zeroed files have one cause, which is named with both lines."""
    (finding,) = (report := here(recordings.replace(file_sync=False), model="posix")).findings

    assert 1 == report.exit_code
    assert "linux" == finding.model
    assert "sync-before-rename" == finding.advice[0].rule
    assert 3 == finding.advice[0].call
    assert "app.py:14" in finding.advice[0].do
    assert "app.py:16" in finding.advice[0].do
    assert 1 == len(finding.state.dropped)
    assert finding.states > 1


def test_replace_without_folder_sync_loses_the_acknowledged() -> None:
    """The rename is what is lost, before the acknowledgement."""
    (finding,) = here(recordings.replace(folder_sync=False), model="posix").findings

    assert "sync-folder" == finding.advice[0].rule
    assert "'.'" in finding.advice[0].do
    assert ("saved",) == finding.acked
    assert "lost acknowledged update: have 0, acked 1" == finding.title


def test_write_in_place_is_found_by_a_kill_alone() -> None:
    """The empty file is shown by `prefix`, and that comes first."""
    report = here(recordings.in_place(sync=True), model="posix")

    assert "prefix" == report.findings[0].model
    assert "truncate-then-write" == rules(report)[0]
    assert () == report.findings[0].state.dropped
    assert ["truncate-then-write"] == rules(report)


def test_write_in_place_without_sync_loses_the_acknowledged_too() -> None:
    """A replace and a sync are two changes, so these are two bugs."""
    report = here(recordings.in_place(), model="posix")

    assert ["truncate-then-write", "sync-file"] == rules(report)
    assert ["prefix", "linux"] == [finding.model for finding in report.findings]


def test_what_only_posix_allows_is_labelled_so() -> None:
    """The sync of a new file makes its name durable on Linux; POSIX does not promise it."""
    before = {ROOT: Node("folder", 0o755)}
    recording = recordings.record(
        [
            ("open('state', O_CREAT)", 3, [Create(3, Node("file")), Link(ROOT, "state", 3)]),
            ("write('state')", 4, [Write(3, 0, recordings.NEW)]),
            ("fsync('state')", 5, [SyncFile(3)]),
            recordings.ack(),
        ],
        before,
    )

    def check(folder, acked) -> None:
        if acked:
            check_state(folder, acked)

    assert () == here(recording, check, model="linux").findings
    (finding,) = here(recording, check, model="posix").findings
    assert "posix" == finding.model
    assert "sync-folder" == finding.advice[0].rule


def test_log_with_syncs_is_clean() -> None:
    """A torn tail that was not acknowledged is no bug, if the check says so."""
    assert () == here(recordings.appended(), check_log, model="posix").findings


def test_log_without_syncs_is_one_bug_though_two_lines_are_lost() -> None:
    """The same line of the program ran twice: digits and repetitions do not make two bugs."""
    (finding,) = here(recordings.appended(sync=False), check_log, model="posix").findings

    assert "sync-file" == finding.advice[0].rule
    assert "lost line 1" == finding.title


def test_rename_across_folders_may_be_half_done() -> None:
    """A check that forbids both names at once fails; the advice is to stay in the folder."""

    def check(folder, acked) -> None:
        import os

        left = os.path.exists(f"{folder}/tmp/new")
        assert not (left and acked), "the temporary file is there, though all was done"

    (finding,) = here(recordings.across_folders(), check, model="posix").findings

    assert "rename-across-folders" == finding.advice[0].rule


def test_check_that_fails_without_a_crash_is_an_error_of_its_own() -> None:
    """Nothing is reported when the check does not hold for what the program left."""

    def check(folder, acked) -> None:
        raise AssertionError("never content")

    with pytest.raises(CheckFails, match="without any crash: AssertionError: never content") as it:
        here(recordings.replace(), check)
    assert "violated" == it.value.kind
    assert 2 == it.value.exit_code


def test_name_that_leads_out_of_the_folder_is_refused(tmp_path) -> None:
    """Nothing is made of such a recording, whoever wrote it."""
    recording = recordings.replace()
    rename = Rename(ROOT, "state.part", ROOT, "../escaped")
    operations = tuple(rename if isinstance(o, Rename) else o for o in recording.operations)

    with pytest.raises(TreeRefused, match="escaped"):
        here(recording._replace(operations=operations))


def test_interrupted_exploration_leaves_nothing() -> None:
    """No alarm, no scratch folder, no process: also when the caller is interrupted."""
    import os
    import signal

    handler = signal.getsignal(signal.SIGALRM)
    folders: list[str] = []

    def check(folder, acked) -> None:
        folders.append(folder)
        if len(folders) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        here(recordings.replace(), check)
    assert handler is signal.getsignal(signal.SIGALRM)
    assert not os.path.exists(os.path.dirname(os.path.dirname(folders[0])))


def test_at_least_one_combination_must_be_tried() -> None:
    """A limit of none would be clean of everything."""
    with pytest.raises(ValueError, match="limit 0"):
        here(recordings.replace(), limit=0)


def test_exit_status_of_the_program_is_told() -> None:
    """A program that failed by itself is crashed all the same, with a word."""
    recording = recordings.replace()._replace(status=3)

    assert any("the program exited with 3" in note for note in here(recording).notes)


def test_out_of_time_is_said() -> None:
    """No time at all: not exhaustive, and the report says why."""
    report = here(recordings.replace(), budget_s=0.0)

    assert report.stopped
    assert not report.exhaustive
    assert "stopped by the time budget" in report.text()


def test_sample_is_said() -> None:
    """Beyond the limit at one point the report says that it is a sample."""
    report = here(recordings.replace(file_sync=False), model="posix", block_bytes=512, limit=8)

    assert not report.exhaustive
    assert not report.stopped
    assert "sampled" in report.text()


def test_unknown_model_is_refused() -> None:
    """A misspelt model is the caller's mistake."""
    with pytest.raises(ValueError, match="choose one of prefix, linux, posix"):
        here(recordings.replace(), model="linus")


def test_replay_checks_one_state_and_keeps_it(tmp_path) -> None:
    """The id of a finding leads to its state, also of a program that was recorded anew."""
    (finding,) = here(recordings.replace(folder_sync=False)).findings
    again = recordings.replace(folder_sync=False)

    report = here(again, replay=finding.id, keep=str(tmp_path))

    assert 1 == report.tried
    assert [finding.id] == [found.id for found in report.findings]
    assert str(tmp_path / finding.id) == report.replayed
    assert recordings.OLD == (tmp_path / finding.id / "state").read_bytes()
    assert "lost acknowledged update" in (tmp_path / f"{finding.id}.txt").read_text()


def test_replay_of_a_state_that_holds_now_says_so(tmp_path) -> None:
    """After the check was mended the same state is clean, and still kept."""
    (finding,) = here(recordings.replace(folder_sync=False)).findings

    report = here(
        recordings.replace(folder_sync=False), lambda *_: None, replay=finding.id,
        keep=str(tmp_path),
    )  # fmt: skip

    assert 0 == report.exit_code
    assert "holds for it now" in report.text()
    assert (tmp_path / finding.id / "state").exists()


def test_replay_of_no_state_is_refused() -> None:
    """An id of another program, or with other options, is told."""
    with pytest.raises(UnknownState, match="00000000: no state has this id"):
        here(recordings.replace(), replay="00000000")


def test_findings_are_kept_on_request(tmp_path) -> None:
    """Each finding has a folder and a text beside it."""
    report = here(recordings.in_place(), keep=str(tmp_path))

    expected = sorted(name for f in report.findings for name in (f.id, f"{f.id}.txt"))
    assert expected == sorted(path.name for path in tmp_path.iterdir())
    assert b"" == (tmp_path / report.findings[0].id / "state").read_bytes()


def test_progress_is_told_at_least_once_at_the_end() -> None:
    """The last call has the final figures."""
    told = []
    report = here(recordings.replace(), progress=lambda *facts: told.append(facts))

    assert (report.tried, None, 0) == told[-1][:3]


def test_memory_disks_are_explored_like_folders() -> None:
    """The same program on a filesystem in memory gives the same finding."""
    disk = MemoryVFS()
    disk.write_tree({"state": b"old"})
    folder = disk.folder(".")
    file = folder.open("part", "new")
    file.write(b"new")
    file.sync()
    file.close()
    folder.rename("part", "state")
    folder.close()
    disk.mark("saved")

    def check(crashed, acked) -> None:
        assert crashed.tree()["state"] == (b"new" if acked else crashed.tree()["state"]), "lost"

    (finding,) = explore_memory(disk, check, model="posix").findings

    assert "sync-folder" == finding.advice[0].rule
    assert "rename('part', 'state')" in finding.advice[0].do


def test_crash_during_a_recovery_is_found(tmp_path) -> None:
    """A recovery that is right when it ends, and wrong when it is interrupted."""

    def recover(crashed) -> None:
        folder = crashed.folder(".")
        if crashed.tree().get("journal") == b"2":
            folder.unlink("journal")  # before its contents are anywhere else
            folder.sync()
            file = folder.open("a", "new")
            file.write(b"2")
            file.sync()
            file.close()
        folder.close()

    def check(crashed, acked) -> None:
        tree = crashed.tree()
        assert not acked or b"2" in (tree.get("journal"), tree.get("a")), "lost"

    disk = MemoryVFS()
    disk.write_tree({"b": b"1"})
    folder = disk.folder(".")
    file = folder.open("journal", "new")
    file.write(b"2")
    file.sync()
    file.close()
    folder.sync()
    folder.close()
    disk.mark("saved")
    assert () == explore_memory(disk, check, model="posix").findings

    report = explore_memory(disk, check, model="posix", recover=recover)

    assert report.findings
    assert all(finding.recovery_of for finding in report.findings)
    assert report.recovered == report.recoverable > 0
    first = report.findings[0]
    assert first.id.startswith(f"{first.recovery_of}.")
    assert "during the recovery of state" in report.text()
    again = explore_memory(
        disk, check, model="posix", recover=recover, replay=first.id, keep=str(tmp_path)
    )
    assert [first.id] == [finding.id for finding in again.findings]
