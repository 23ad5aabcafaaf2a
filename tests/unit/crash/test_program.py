"""Where the program of a command line runs, which files are meant, and what its end means."""

from __future__ import annotations

import os

import pytest

from holdfast.crash.program import (
    environment,
    judge,
    program_words,
    remedy_for,
    run_setup,
    stdout_to,
    working_folder,
)
from holdfast.crash.recorders import ProgramNotStarted
from holdfast.crash.recording import Recording
from holdfast.crash.refusals import ProgramFailed, ProgramNotFound, WrongUse
from holdfast.vfs.operations import ROOT, Mark, SyncFolder

MADE = SyncFolder(ROOT)
ACKED = Mark("saved")


def recording(*operations, status=0) -> Recording:
    """A recording of which only the operations and the end matter."""
    return Recording({}, operations, (), (), {}, status, "made by hand")


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """A current folder with a script, and the folder where the program is to start."""
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    (here / "app.py").write_text("")
    (here / "tool").write_text("#!/bin/sh\n")
    (here / "out.json").write_text("{}")
    monkeypatch.chdir(here)
    return here, there


def test_new_folder_is_removed_again() -> None:
    """Without a folder there is a new, empty one, gone at the end."""
    with working_folder(None) as folder:
        assert [] == os.listdir(folder)
        (open(f"{folder}/file", "w")).close()

    assert not os.path.exists(folder)


def test_named_folder_stays(tmp_path) -> None:
    """The user's folder is worked in, and left as it is then."""
    with working_folder(f"{tmp_path}/.") as folder:
        assert str(tmp_path) == folder
        (tmp_path / "file").touch()

    assert ["file"] == os.listdir(tmp_path)


@pytest.mark.parametrize(("name", "words"), [("no", "no such folder"), ("file", "is no folder")])
def test_what_is_no_folder_is_refused(name, words, tmp_path) -> None:
    """A typing mistake makes no folder."""
    (tmp_path / "file").touch()
    with pytest.raises(WrongUse, match=words), working_folder(str(tmp_path / name)):
        pass

    assert ["file"] == os.listdir(tmp_path)


def test_script_is_found_from_the_current_folder(folders) -> None:
    """A script that is here and not there is meant here; options do not hide it."""
    here, there = folders
    found = program_words(["python3", "-u", "app.py", "out.json"], str(there))

    assert ["python3", "-u", str(here / "app.py"), "out.json"] == found


def test_program_is_found_from_the_current_folder(folders) -> None:
    """So is the program itself; what it writes to is not touched."""
    here, there = folders

    assert [str(here / "tool"), "out.json"] == program_words(["./tool", "out.json"], str(there))


def test_what_is_where_the_program_starts_is_meant(folders) -> None:
    """A name that leads somewhere from there stays as it is."""
    _, there = folders
    (there / "app.py").touch()

    assert ["python3", "app.py"] == program_words(["python3", "app.py"], str(there))


@pytest.mark.parametrize("word", ["no-such-program-of-anybody", "./no-such-program"])
def test_missing_program_is_told(word, folders) -> None:
    """It has the exit code that a shell gives."""
    with pytest.raises(ProgramNotFound, match="there is no such program") as caught:
        program_words([word], str(folders[1]))

    assert 127 == caught.value.exit_code


def test_setup_runs_in_the_folder(folders, capfd) -> None:
    """It makes the start state there; what it prints is not part of the report."""
    run_setup(["sh", "-c", "echo start > state; echo said"], str(folders[1]))

    assert "start\n" == (folders[1] / "state").read_text()
    assert ("", "said\n") == capfd.readouterr()


def test_failing_setup_is_told(folders) -> None:
    """The program is not run on a start state that was not made."""
    with pytest.raises(ProgramFailed, match=r"sh exited with 4\. The program was not run"):
        run_setup(["sh", "-c", "exit 4"], str(folders[1]))


def test_setup_that_cannot_be_started_is_told(folders) -> None:
    """Here it lacks the permission to be executed."""
    with pytest.raises(WrongUse, match="Permission denied"):
        run_setup(["./tool"], str(folders[1]))


def test_standard_output_is_redirected_and_given_back(tmp_path, capfd) -> None:
    """Descriptor 1 goes elsewhere for a while, for children too."""
    with stdout_to(2):
        os.write(1, b"elsewhere\n")
    with stdout_to(os.devnull):
        os.write(1, b"nowhere\n")
    os.write(1, b"here\n")

    assert ("here\n", "elsewhere\n") == capfd.readouterr()


def test_environment_is_ours_but_for_the_bytecode(monkeypatch) -> None:
    """What the user has set stands."""
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    monkeypatch.setenv("OWN", "kept")
    found = environment(unbuffered=True)

    assert ("1", "1", "kept") == tuple(
        found[name] for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "OWN")
    )
    assert "PYTHONUNBUFFERED" not in environment()

    monkeypatch.setenv("PYTHONUNBUFFERED", "")
    assert "" == environment(unbuffered=True)["PYTHONUNBUFFERED"]


def test_good_recording_has_no_notes() -> None:
    """Changes and an acknowledgement: there is something to test."""
    assert [] == judge(recording(MADE, ACKED), ["app"], folder="d", any_exit=False)


def test_missing_acknowledgement_is_noted() -> None:
    """Without one, only that nothing is torn can be tested."""
    (note,) = judge(recording(MADE), ["app"], folder="d")

    assert note.startswith("nothing was acknowledged")


@pytest.mark.parametrize("operations", [(), (ACKED,)])
def test_program_that_changes_nothing_is_told(operations) -> None:
    """It is a mistake of the command line: the wrong folder, mostly."""
    with pytest.raises(WrongUse, match="app --now changed nothing below d"):
        judge(recording(*operations), ["app", "--now"], folder="d")


@pytest.mark.parametrize(
    ("status", "words"), [(3, "exited with 3"), (-11, "killed by SIGSEGV"), (-63, "signal 63")]
)
def test_program_that_fails_is_told_with_its_end(status, words) -> None:
    """A program that fails without a crash is not crashed, unless that is wanted."""
    with pytest.raises(ProgramFailed, match=words) as caught:
        judge(recording(MADE, ACKED, status=status), ["app"], folder="d")

    assert 65 == caught.value.exit_code
    assert [] == judge(recording(MADE, ACKED, status=status), ["app"], folder="d", any_exit=True)


def test_file_of_the_current_folder_that_was_not_found_is_hinted_at(folders) -> None:
    """The usual reason of a failure: the program starts elsewhere."""
    there = str(folders[1])

    assert f"It ran in {there}, where there is no out.json: give its whole path, or --cwd ." == (
        remedy_for(["cat", "out.json"], there, folder=there)
    )
    assert remedy_for(["cat", "out.json"], there, folder=None).startswith("It ran in a new folder")


def test_file_that_was_found_is_not_hinted_at(folders) -> None:
    """A script that was made absolute, or is where the program ran, is not the reason."""
    here, there = folders
    (there / "out.json").touch()
    found = ["python3", str(here / "app.py"), "out.json", "missing.json"]

    assert "Mend it" == remedy_for(found, str(there), folder=str(there))[:7]


def test_command_that_failed_is_quoted() -> None:
    """So that its end is not read as a part of it; a long one is cut."""
    failed = recording(status=2)
    with pytest.raises(ProgramFailed, match=r"^sh -c 'echo milk > notes' exited with 2 without"):
        judge(failed, ["sh", "-c", "echo milk > notes"], folder=None)
    with pytest.raises(ProgramFailed, match=r"^sh -c 'e{69} \.\.\. exited with 2 without"):
        judge(failed, ["sh", "-c", "e" * 100 + " "], folder=None)


@pytest.mark.parametrize(("folder", "words"), [(None, "is gone with"), ("d", "stands")])
def test_what_has_become_of_the_files_is_told(folder, words) -> None:
    """Those of a folder that was made for the run are removed."""
    with pytest.raises(ProgramFailed, match=f"No crash was tried; what it wrote {words}"):
        judge(recording(MADE, status=1), ["app"], folder=folder)


def test_program_that_may_not_be_executed_is_told(folders, monkeypatch) -> None:
    """It is there, so it is not called missing."""
    monkeypatch.setenv("PATH", str(folders[0]))
    with pytest.raises(ProgramNotStarted, match="tool: cannot be executed: Permission denied"):
        program_words(["tool"], str(folders[1]))
