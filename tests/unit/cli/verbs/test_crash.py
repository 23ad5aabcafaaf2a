"""`holdfast crash`: the verb; what it does is tested in tests/unit/crash."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import environment, run_program
from tests.support.recorder import needs_recorder

PROGRAM = """
import os
with open("part", "w") as file:
    file.write("new")
os.rename("part", "state")
try:
    open("/hf-mark:saved")
except OSError:
    pass
print("a program that talks")
"""
CHECK = 'test -s "$HOLDFAST_CRASH_FOLDER/state" || ! test -e "$HOLDFAST_CRASH_FOLDER/state"'


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A current folder with a program."""
    (tmp_path / "app.py").write_text(PROGRAM)
    (tmp_path / "check.sh").write_text(f"{CHECK} || {{ echo empty >&2; exit 1; }}\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


MODULE = (sys.executable, "-m", "holdfast.crash")
ARGUMENTS = ("--check-cmd", "sh check.sh", "--", sys.executable, "app.py")


def test_report_is_printed(cli, here) -> None:
    """The report is on standard output alone, and the exit code says that bugs were found."""
    needs_recorder()
    code, out, err = cli("crash", "--setup", "true", *ARGUMENTS)

    assert (1, "a program that talks\n") == (code, err)
    assert out.startswith("BUG 1  empty\n")
    assert "app.py:5" in out
    assert "replay: holdfast crash --replay " in out
    assert "\x1b" not in out


def test_json_report_is_one_document(cli, here) -> None:
    """--json prints the same for programs, and nothing of the program's own output."""
    needs_recorder()
    code, out, _ = cli("crash", "--json", *ARGUMENTS)
    report = json.loads(out)

    assert (1, 1, True) == (code, report["exit_code"], report["exhaustive"])
    assert ["empty"] == [finding["title"] for finding in report["findings"]]


def test_color_is_given_on_request(cli, here) -> None:
    """--color always wins over a pipe."""
    needs_recorder()

    assert "\x1b[1;31mBUG 1" in cli("crash", "--color", "always", *ARGUMENTS).out


def test_clean_program_is_exit_code_0(cli, here) -> None:
    """Under kills alone this program is well."""
    needs_recorder()
    code, out, _ = cli("crash", "--model", "prefix", "--budget", "20s", *ARGUMENTS)

    assert 0 == code
    assert out.startswith("CLEAN")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "give a command to run"),
        (("--check", "a:b"), "give a command to run"),
        (("--budget", "soon", "true"), "'soon' is no duration"),
        (("--fault", "x", "true"), "'x' is no fault"),
        (("--seed", "-1", "true"), "--seed"),
        (("--limit", "many", "true"), "'many' is no number"),
        (("--limit", "0", "true"), "at least 1 must be tried"),
        (("--sector", "100", "true"), "--sector"),
        (("--model", "ext4", "true"), "--model"),
        (("--", "true"), "give one check"),
        (("--check", "a:b", "--from", "file", "--", "true"), "no program is run"),
    ],
)
def test_wrong_usage_is_exit_code_2(arguments, words, cli, here) -> None:
    """Each mistake is one line that says which."""
    code, out, err = cli("crash", *arguments)

    assert (2, "", 1) == (code, out, err.count("\n"))
    assert words in err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("sh", "-c", "exit 3"), 65),
        (("no-such-program-of-anybody",), 127),
        (("--timeout", "200ms", "sleep", "30"), 124),
        (("--from", "no-such-recording"), 66),
    ],
)
def test_each_failure_has_its_exit_code(arguments, code, cli, here) -> None:
    """A program that fails is told apart from bugs, and from wrong usage."""
    needs_recorder()

    assert code == cli("crash", "--check-cmd", "sh check.sh", *arguments).code


def test_error_is_a_document_too(cli, here) -> None:
    """With --json a failure can be read by programs."""
    code, out, _ = cli("crash", "--json", "--check-cmd", "true", "no-such-program-of-anybody")

    assert 127 == code == json.loads(out)["error"]["code"]


@pytest.mark.parametrize(
    "mistake",
    [("--frob",), ("--model", "foo"), ("--limit", "0"), ("--check", "a:b", "--check-cmd", "c"), ()],
)
def test_mistake_of_usage_is_a_document_too(mistake, cli, here) -> None:
    """Also one that the parser finds, wherever it stands; what CMD is given is its own."""
    for arguments in (("--json", *mistake), (*mistake, "--json")):
        code, out, err = cli("crash", *arguments, "--", "true")
        error = json.loads(out)["error"]

        assert (2, 2) == (code, error["code"])
        assert f"holdfast crash: {error['message']}\n" == err
    assert "" == cli("crash", "--frob", "--", "echo", "--json").out


def test_sample_is_exit_code_1_where_all_is_wanted(cli, here) -> None:
    """In the document, too; on its own a sample is clean so far."""
    needs_recorder()
    arguments = ("--check-cmd", "true", "--limit", "1", "--", sys.executable, "app.py")
    code, out, _ = cli("crash", "--exhaustive", "--json", *arguments)
    document = json.loads(out)
    plain = cli("crash", *arguments)

    assert (1, 1, False) == (code, document["exit_code"], document["exhaustive"])
    assert 0 == plain.code
    assert plain.out.startswith("CLEAN SO FAR  0 of ")
    assert 0 == cli("crash", "--exhaustive", *arguments[:2], *arguments[4:]).code


def test_unusable_folder_to_keep_is_told_before_the_program_runs(cli, here) -> None:
    """A file stands in its way: it cannot be made."""
    code, out, err = cli("crash", "--keep", "app.py", "--root", ".", *ARGUMENTS)

    assert (73, "", 1) == (code, out, err.count("\n"))
    assert "app.py: is no folder. Nothing was run." in err
    assert not (here / "state").exists()


def test_help_names_the_page_that_shows_how(cli) -> None:
    """And it is there."""
    page = "docs/how-to/crash-testing.md"

    assert page in cli("crash", "--help").out
    assert (Path(__file__).parents[4] / page).is_file()


def without_time(report) -> str:
    """A report without the seconds that it took."""
    return re.sub(r"; [0-9.]+ s\)", "", report)


def test_module_is_the_same_command(here) -> None:
    """`python -m holdfast.crash` takes the same options and gives the same report."""
    needs_recorder()
    done = subprocess.run(
        [*MODULE, *ARGUMENTS],
        capture_output=True,
        env=environment(),
        timeout=60,
        check=False,
    )
    program = run_program("crash", *ARGUMENTS)

    assert (1, 1) == (done.returncode, program.code)
    assert without_time(program.out) == without_time(done.stdout.decode())
    assert {"app.py", "check.sh"} == set(os.listdir(here))


def test_interrupt_ends_it_and_is_no_finding(here) -> None:
    """SIGTERM during a check in this very process is exit code 143, and nothing is left behind."""
    needs_recorder()
    (here / "stop.py").write_text(
        "import os, signal\ndef holds(folder, acked): os.kill(os.getpid(), signal.SIGTERM)\n"
    )
    (here / "tmp").mkdir()
    done = subprocess.run(
        [*MODULE, "--check", "stop.py:holds", "--fast", *ARGUMENTS[2:]],
        capture_output=True,
        env=environment(TMPDIR=str(here / "tmp")),
        timeout=60,
        check=False,
    )

    assert (143, b"") == (done.returncode, done.stdout)
    assert done.stderr.endswith(b"holdfast crash: interrupted: 0 states tried, nothing concluded\n")
    assert [] == os.listdir(here / "tmp")
