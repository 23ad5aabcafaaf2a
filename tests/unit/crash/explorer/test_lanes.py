"""One fork for each state: crashes, hangs, exits and leftovers stay in it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from holdfast.crash.explorer import CheckFails, explore
from tests.support import recordings

SEEN: list[str] = []


def forked(check, **options):
    return explore(recordings.replace(), check, isolation="fork", model="prefix", **options)


def at_part(action):
    """A check that does something bad in the states with a temporary file."""

    def check(folder, acked) -> None:
        if os.path.exists(f"{folder}/state.part"):
            action()

    return check


def test_forked_check_finds_what_one_in_process_finds() -> None:
    """Ids, titles and counts are the same."""
    recording = recordings.replace(file_sync=False)
    one = explore(recording, recordings.check_state, isolation="process")
    two = explore(recording, recordings.check_state, isolation="fork")

    assert (one.tried, one.bad) == (two.tried, two.bad)
    assert [(f.id, f.title) for f in one.findings] == [(f.id, f.title) for f in two.findings]


def test_check_that_is_killed_by_a_signal_crashed() -> None:
    """With the name of the signal; the other states are checked."""
    report = forked(at_part(lambda: os.kill(os.getpid(), signal.SIGHUP)))

    (finding,) = report.findings
    assert ("crashed", "the check was killed by SIGHUP") == (finding.kind, finding.said)
    assert report.bad < report.tried


def test_check_that_hangs_is_killed_with_what_it_started(tmp_path) -> None:
    """No process is left."""

    def hang() -> None:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        with open(pids, "a", encoding="ascii") as file:
            file.write(f"{child.pid}\n")
        time.sleep(600)

    pids = tmp_path / "pids"
    (finding,) = forked(at_part(hang), check_timeout_s=0.7).findings
    started = [int(line) for line in pids.read_text("ascii").split()]

    assert "hung" == finding.kind
    assert started
    assert not any(is_alive(pid) for pid in started)


def is_alive(pid: int) -> bool:
    """Whether the process still runs; a zombie that nobody reaped does not."""
    for _ in range(100):
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii") as file:
                if file.read().rpartition(")")[2].split()[0] in "ZX":
                    return False
        except FileNotFoundError:
            return False
        time.sleep(0.01)  # the kernel is on its way
    return True


@pytest.mark.parametrize("code", [0, 3])
def test_check_that_ends_its_process_exited(code) -> None:
    """Even with 0: it did not come to its end."""
    (finding,) = forked(at_part(lambda: os._exit(code))).findings

    assert "exited" == finding.kind
    assert f"exit code {code}" in finding.said


def test_check_that_exits_without_a_crash_is_an_error() -> None:
    """A check has to return or to raise."""
    with pytest.raises(CheckFails, match=r"called exit\(0\)"):
        forked(lambda *_: sys.exit(0))


def test_nothing_that_a_check_leaves_reaches_the_next_state() -> None:
    """A global that it changes is as it was; here nothing is seen at all."""

    def check(folder, acked) -> None:
        assert not SEEN
        SEEN.append(folder)
        os.environ["HOLDFAST_TEST_LANES"] = "1"

    assert () == forked(check).findings
    assert not SEEN
    assert "HOLDFAST_TEST_LANES" not in os.environ


def test_check_that_writes_is_told_and_undone() -> None:
    """Recovery by opening is legitimate: a note, no finding."""

    def check(folder, acked) -> None:
        assert not os.path.exists(f"{folder}/wal"), "left from another state"
        with open(f"{folder}/wal", "wb") as file:
            file.write(b"x")

    report = forked(check)

    assert () == report.findings
    assert any("wal" in note for note in report.notes)


def test_long_words_come_through() -> None:
    """More than a pipe holds is cut, and hangs nobody."""

    def complain() -> None:
        raise AssertionError("x" * 300_000)

    (finding,) = forked(at_part(complain)).findings

    assert "violated" == finding.kind
    assert 1000 < len(finding.said) < 20_000
