"""The crash test of a command, from the options to the report."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.crash import CheckFails, ProgramNotStarted, ProgramTimedOut, UnknownState
from holdfast.crash.command import Settings, is_short, replay_words, run
from holdfast.crash.refusals import ProgramFailed, ProgramNotFound, WrongUse
from holdfast.errors import Corruption, UnknownFormat
from tests.support.recorder import needs_recorder

BAD = """
import os
with open("state.part", "w") as file:
    file.write("new")
os.rename("state.part", "state")
print("saved")
"""
GOOD = """
import os
with open("state.part", "w") as file:
    file.write("new")
    file.flush()
    os.fsync(file.fileno())
os.rename("state.part", "state")
folder = os.open(".", os.O_RDONLY)
os.fsync(folder)
os.close(folder)
print("saved")
"""
CHECK = """
import os, time
def holds(folder, acked):
    print("a check that talks")
    path = os.path.join(folder, "state")
    if acked or os.path.exists(path):
        with open(path) as file:
            assert file.read() == "new", "torn"
def fails(folder, acked):
    raise ValueError("never right")
async def later(folder, acked):
    assert 0
def hidden(folder, acked):
    return later(folder, acked)
def lazy(folder):
    yield
def raises(folder):
    raise LookupError("no way back")
def recover(folder):
    for name in os.listdir(folder):
        if name.endswith(".part"):
            os.unlink(os.path.join(folder, name))
    with open(os.path.join(folder, "state"), "w") as file:
        file.write("new")
"""
PYTHON = sys.executable


@pytest.fixture
def here(tmp_path, monkeypatch) -> Iterator[Path]:
    """A current folder with a bad program, a good one and a check."""
    needs_recorder()
    (tmp_path / "bad.py").write_text(BAD)
    (tmp_path / "good.py").write_text(GOOD)
    (tmp_path / "crash_check_of_test.py").write_text(CHECK)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    sys.modules.pop("crash_check_of_test", None)


def settings(program="bad.py", check="holds", **options) -> Settings:
    """Settings that find the bug of the bad program."""
    named = {"check": f"crash_check_of_test.py:{check}", "ack": "stdout", **options}
    return Settings(command=(PYTHON, program) if program else (), **named)


def test_bugs_of_a_bad_program_are_found_and_named(here, capfd) -> None:
    """The report names the lines; the program prints to standard error, the check nowhere."""
    report = run(settings())

    assert 1 == report.exit_code
    assert {"linux"} == {finding.model for finding in report.findings}
    assert "bad.py:5" in report.text()
    assert report.exhaustive
    assert ("", "saved\n") == capfd.readouterr()
    assert {"bad.py", "good.py", "crash_check_of_test.py"} == set(os.listdir(here))


def test_mended_program_is_clean(here) -> None:
    """The twin with both syncs has no bad state, and nothing to be noted."""
    report = run(settings("good.py"))

    assert (0, 0, ()) == (report.exit_code, report.bad, report.notes)


def test_program_works_in_the_named_folder(here) -> None:
    """What it wrote stays there, and what was there before counts as durable."""
    (here / "data").mkdir()
    (here / "data" / "state").write_text("old")
    report = run(settings("good.py", root="data", check="fails", check_cmd=None, any_exit=True)
                 ._replace(check=None, check_cmd=f"{PYTHON} -c pass"))  # fmt: skip

    assert 0 == report.exit_code
    assert "new" == (here / "data" / "state").read_text()


def test_check_may_be_any_command(here) -> None:
    """It gets the folder and a file of what was acknowledged, and says why on standard error."""
    script = here / "holds.sh"
    script.write_text(
        '#!/bin/sh\ngrep -q saved "$2" || exit 0\n'
        'test -s "$1/state" || { echo gone >&2; exit 1; }\n'
    )
    script.chmod(0o755)
    report = run(settings(check_cmd="./holds.sh")._replace(check=None))

    assert 1 == report.exit_code
    assert {"gone"} == {finding.said for finding in report.findings}


def test_replay_finds_the_state_again_and_keeps_it(here, capfd) -> None:
    """The id of a finding leads to its state, in another recording of the same program."""
    finding = run(settings()).findings[0]
    capfd.readouterr()
    report = run(settings(replay=finding.id, keep="kept"))

    assert [finding.id] == [found.id for found in report.findings]
    assert (here / "kept" / finding.id).is_dir()
    assert "a check that talks" in capfd.readouterr().err


def test_unknown_id_is_told(here) -> None:
    """A replay of another program says so."""
    with pytest.raises(UnknownState, match="no state has this id"):
        run(settings(replay="00000000"))


def test_recording_is_kept_and_explored_later(here) -> None:
    """The same states are found in the file, without the program."""
    first = run(settings(save="kept.recording"))
    (here / "bad.py").unlink()
    again = run(settings("", source="kept.recording"))

    assert (first.tried, first.bad) == (again.tried, again.bad)


@pytest.mark.parametrize(("keep", "kind"), [(300, Corruption), (5, UnknownFormat)])
def test_damaged_recording_is_told(keep, kind, here) -> None:
    """A file that was cut is neither explored nor a crash of the tester."""
    run(settings(save="kept.recording"))
    (here / "cut").write_bytes((here / "kept.recording").read_bytes()[:keep])

    with pytest.raises(kind, match="cut"):
        run(settings("", source="cut"))


def test_setup_makes_the_start_state(here) -> None:
    """What it leaves is in every state."""
    line = "sh -c 'echo kept > seed'"
    report = run(settings("good.py", setup=line, check_cmd="sh -c 'test -s $0/seed'")
                 ._replace(check=None))  # fmt: skip

    assert (0, 0) == (report.exit_code, report.bad)


def test_recovery_is_crashed_too(here) -> None:
    """A recovery that writes in place is found, by a function and by a command."""
    (here / "recover.py").write_text("import crash_check_of_test as c\nc.recover('.')\n")
    for options in (
        {"recover": "crash_check_of_test.py:recover"},
        {"recover_cmd": f"{PYTHON} recover.py"},
    ):
        report = run(settings("good.py", **options))

        assert report.recovered > 0
        assert any(finding.recovery_of for finding in report.findings), options


def test_faults_are_injected(here) -> None:
    """A program that is killed by order is explored as far as it came."""
    report = run(settings("good.py", faults=(("rename", 1, "kill"),)))

    assert any("was killed by SIGKILL" in note for note in report.notes)


def test_fault_at_no_call_is_told(here) -> None:
    """A typing mistake runs nothing."""
    with pytest.raises(WrongUse, match="--fault: 'renam' is no call"):
        run(settings(faults=(("renam", 1, "EIO"),)))


@pytest.mark.parametrize(
    ("command", "error", "words"),
    [
        (("sh", "-c", "exit 3"), ProgramFailed, "exited with 3"),
        (("sh", "-c", "kill -9 $$"), ProgramFailed, "killed by SIGKILL"),
        (("true",), WrongUse, "changed nothing in its folder"),
        (("no-such-program-of-anybody",), ProgramNotFound, "no such program"),
        (("./crash_check_of_test.py",), ProgramNotStarted, "Permission denied"),
        (("sleep", "30"), ProgramTimedOut, "still ran"),
    ],
)
def test_program_that_is_no_use_is_told(command, error, words, here) -> None:
    """Each way of failing has its own words, and no report is made."""
    with pytest.raises(error, match=words):
        run(settings(timeout_s=1.0)._replace(command=command))


def test_check_that_always_fails_is_told(here) -> None:
    """It says nothing about crashes."""
    with pytest.raises(CheckFails, match="never right"):
        run(settings(check="fails"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"check": None}, "give one check"),
        ({"check_cmd": "true"}, "give one check"),
        ({"recover": "a:b", "recover_cmd": "c"}, "give one recovery"),
        ({"check": None, "check_cmd": "true", "fast": True}, "--fast runs a Python check"),
        ({"command": ()}, "give the program to run"),
        ({"source": "file"}, "no program is run"),
        ({"command": (), "source": "file", "save": "other"}, "no program is run"),
        ({"cwd": "nowhere"}, "--cwd: nowhere: is no folder"),
        ({"setup": "a 'b"}, "--setup: .*No closing quotation"),
        ({"check": "crash_no_such_module:fn"}, "cannot be imported"),
        ({"check": "crash_check_of_test.py:later"}, "is a coroutine function"),
        ({"recover": "crash_check_of_test.py:lazy"}, "is a generator function"),
        ({"keep": ""}, "--keep: give a folder"),
    ],
)
def test_contradictions_are_told_before_anything_runs(options, words, here) -> None:
    """The program is not run for options that make no sense together."""
    with pytest.raises(WrongUse, match=words):
        run(settings(root=".")._replace(**options))

    assert not (here / "state").exists()


def test_check_that_returns_a_coroutine_is_no_clean_run(here) -> None:
    """What a call has not run says nothing, however it was hidden."""
    with pytest.raises(CheckFails, match="the check returned a coroutine, and nothing of it was"):
        run(settings(check="hidden"))


def test_fault_that_no_call_meets_proves_nothing(here) -> None:
    """The program ran as without it, so that is no report, and no exit code 0."""
    with pytest.raises(WrongUse, match=r"no call met the fault at fsync number 9\. No crash was"):
        run(settings("good.py", faults=(("fsync", 9, "EIO"),)))


@pytest.mark.parametrize("keep", ["bad.py", "bad.py/below"])
def test_folder_that_cannot_keep_is_told_before_the_program_runs(keep, here) -> None:
    """A file stands in its way: nothing is run."""
    with pytest.raises(FileExistsError) as caught:
        run(settings(root=".", keep=keep))

    assert str(here / "bad.py") == caught.value.filename
    assert ["Nothing was run. Name another folder with --keep."] == caught.value.__notes__
    assert not (here / "state").exists()


def test_state_that_cannot_be_kept_costs_no_report(here) -> None:
    """What stands there was not kept here, so it is left alone, and a note says so."""
    name = run(settings()).findings[0].id
    (here / "kept" / name).mkdir(parents=True)
    report = run(settings(keep="kept"))

    assert name == report.findings[0].id
    assert report.findings[0].kept is None
    assert any(f"state {name} is not kept" in note for note in report.notes)
    assert [] == os.listdir(here / "kept" / name)
    replayed = run(settings(keep="kept", replay=name))
    assert (None, 1) == (replayed.replayed, replayed.exit_code)


def test_what_was_not_exhausted_is_short_on_request(here) -> None:
    """With `exhaustive` a note says why the exit code is not 0."""
    asked = settings("good.py", limit=1, exhaustive=True)
    report = run(asked)

    assert (False, True, 0) == (report.exhaustive, is_short(asked, report), report.bad)
    assert any(note.startswith("--exhaustive: not every state") for note in report.notes)
    assert not is_short(asked._replace(exhaustive=False), report)
    assert "CLEAN SO FAR  0 of" in report.text()


def test_files_of_a_new_folder_do_not_stand(here) -> None:
    """It is removed, so no message says that they are there."""
    slow = settings(timeout_s=0.5)._replace(command=("sleep", "30"))
    with pytest.raises(ProgramTimedOut, match="files are gone with the new folder"):
        run(slow)
    with pytest.raises(ProgramTimedOut, match="files stand as they were then"):
        run(slow._replace(root="."))


def test_script_that_was_found_is_not_looked_for(here) -> None:
    """It ran by its whole path, and failed by itself; what it could not find is named."""
    (here / "fails.py").write_text("import sys\nopen(sys.argv[1])\n")
    (here / "data").mkdir()
    with pytest.raises(ProgramFailed, match=r"what it wrote stands\. Mend it, or give --any"):
        run(settings("fails.py", root="data")._replace(command=(PYTHON, "fails.py", "no")))
    with pytest.raises(ProgramFailed, match=r"ran in a new folder, where there is no bad\.py"):
        run(settings()._replace(command=(PYTHON, "fails.py", "bad.py")))


def test_recovery_that_raises_is_named_and_told_once(here, capfd) -> None:
    """The finding says which exception; there is one traceback for all states."""
    report = run(settings("good.py", recover="crash_check_of_test.py:raises"))

    assert "the recovery raised LookupError: no way back" == report.findings[0].title
    assert 1 < report.bad
    assert 1 == capfd.readouterr().err.count("LookupError: no way back")


def test_lines_without_an_end_do_not_acknowledge(here) -> None:
    """The note says that no whole line was printed."""
    command = ("sh", "-c", "echo new > state; printf saved")
    report = run(settings(check_cmd="true")._replace(check=None, command=command))

    assert any(note.startswith("no whole line was printed") for note in report.notes)


def test_replay_words_are_one_line_that_a_shell_reads_back(here) -> None:
    """Also with quotes and line feeds in the command."""
    command = ("sh", "-c", "echo 'a b' > state\nprintf '\\\\x\udcff'")
    line = replay_words(Settings(command=command, check_cmd="true"))
    told = subprocess.run(
        ["bash", "-c", f'printf "%s\\0" {line}'], capture_output=True, check=True
    ).stdout

    assert "\n" not in line
    assert ["--check-cmd", "true", "--", *command] == os.fsdecode(told).split("\0")[:-1]


def test_replay_words_repeat_what_was_asked(here) -> None:
    """What changes the states is repeated, and quoted; what does not is left out."""
    asked = settings(
        "my app.py", model="posix", sector_bytes=512, garbage=True, budget_s=5.0, keep="kept",
        timeout_s=1.5, faults=(("write", 2, "short:3"),),
    )  # fmt: skip

    assert (
        "--check crash_check_of_test.py:holds --ack stdout --timeout 1.5 --model posix "
        f"--sector 512 --garbage --fault write:short:3:2 -- {PYTHON} 'my app.py'"
    ) == replay_words(asked)
