"""Commands as checks: folder, acknowledgements, exit codes and what standard error says."""

from __future__ import annotations

import sys

import pytest

from holdfast.crash.explorer import CheckFails, explore
from tests.support import recordings

SCRIPT = """
import json, os, sys
folder, acked = sys.argv[-2:]
assert folder == os.environ["HOLDFAST_CRASH_FOLDER"], "folder"
assert acked == os.environ["HOLDFAST_CRASH_ACKED"], "acked"
with open(folder + "/state") as file:
    number = json.load(file)["n"]
with open(acked) as file:
    told = file.read().splitlines()
assert number >= len(told), "lost " + " ".join(told)
"""


def run(*argv: str, recording=None, **options):
    recording = recording or recordings.replace(folder_sync=False)
    return explore(recording, list(argv), isolation="exec", model="prefix", **options)


def test_command_that_exits_with_zero_holds() -> None:
    """Nothing is found, and nothing is noted."""
    report = run("/bin/true")

    assert () == report.findings
    assert () == report.notes


def test_command_checks_folder_and_acknowledgements() -> None:
    """The script of a user finds what a function would find."""
    recording = recordings.replace(folder_sync=False)
    report = explore(recording, [sys.executable, "-c", SCRIPT], isolation="exec")

    (finding,) = report.findings
    assert "lost saved" == finding.title
    assert "violated" == finding.kind
    assert "sync-folder" == finding.advice[0].rule


def test_standard_error_is_what_the_check_says() -> None:
    """Relative to the folder."""
    script = 'test ! -e "$0/state.part" || { echo "found $0/state.part" >&2; exit 4; }'
    (finding,) = run("/bin/sh", "-c", script).findings

    assert "found state.part" == finding.said


def test_output_is_dropped(capfd) -> None:
    """A report may be on its way to the same place."""
    run("/bin/sh", "-c", "echo noise")

    assert "" == capfd.readouterr().out


def test_silent_command_says_its_exit_code() -> None:
    """There is nothing else to say."""
    (finding,) = run("/bin/sh", "-c", 'test ! -e "$0/state.part"').findings

    assert ("violated", "exit code 1") == (finding.kind, finding.said)


def test_command_that_dies_by_a_signal_crashed() -> None:
    """Told apart from one that says no."""
    (finding,) = run("/bin/sh", "-c", 'test ! -e "$0/state.part" || kill -ABRT $$').findings

    assert "crashed" == finding.kind
    assert finding.said.startswith("the check was killed by SIGABRT")


def test_command_that_is_not_there_is_an_error() -> None:
    """Before any crash is tried."""
    with pytest.raises(CheckFails, match="no-such-command: No such file"):
        run("no-such-command")


def test_acknowledgements_are_one_a_line() -> None:
    """A line feed and a backslash in one are escaped."""
    recording = recordings.record([recordings.ack("a\nb\\")])
    script = 'test "$(cat "$1")" = "a\\nb\\\\\\\\" || test ! -s "$1"'
    report = run("/bin/sh", "-c", script, recording=recording)

    assert () == report.findings
