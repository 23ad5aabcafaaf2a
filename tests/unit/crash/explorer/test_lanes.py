"""One fork for each state: crashes, hangs, exits and leftovers stay in it."""

from __future__ import annotations

import hashlib
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import closing

import pytest

from holdfast.crash.explorer import CheckFails, explore
from holdfast.crash.explorer.cases import HOLDS, Case
from holdfast.crash.explorer.children import Forked
from holdfast.crash.explorer.exploring import Exploration, Options
from holdfast.crash.explorer.folders import FolderBench
from holdfast.crash.explorer.lanes import Lane, run_in_lanes
from holdfast.crash.explorer.place import Place
from holdfast.crash.explorer.reporting import report_of
from holdfast.crash.explorer.trees import paths_of
from holdfast.vfs.operations import ROOT, Node
from holdfast.vfs.states import CrashState
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


EXPLORER = """
import os, sys, time
from holdfast.crash.explorer import explore
from tests.support import recordings

fifo, isolation = sys.argv[1:]

def check(folder, acked):
    if os.path.exists(f"{folder}/state.part"):
        with open(fifo, "w") as told:
            told.write(f"{os.getpid()} ")
        time.sleep(600)

command = ["sh", "-c", f'test -e "$1/state.part" || exit 0; echo $$ > {fifo}; exec sleep 600', "sh"]
explore(
    recordings.replace(), check if isolation == "fork" else command,
    isolation=isolation, model="prefix", check_timeout_s=300.0, budget_s=300.0,
)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs a signal at the end of a parent")
@pytest.mark.parametrize("isolation", ["fork", "exec"])
def test_check_is_killed_with_its_explorer(tmp_path, isolation) -> None:
    """However it ended: nobody else would end a check that hangs."""
    fifo = tmp_path / "pids"
    os.mkfifo(fifo)
    told = os.open(fifo, os.O_RDWR)
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    explorer = subprocess.Popen(
        [sys.executable, "-c", EXPLORER, str(fifo), isolation], env=environment
    )
    try:
        assert select.select([told], [], [], 30)[0], "no check has begun"
        pid = int(os.read(told, 100).split()[0])
    finally:
        explorer.kill()
        explorer.wait()
        os.close(told)

    assert not is_alive(pid)


@pytest.mark.parametrize("error", [KeyboardInterrupt, GeneratorExit])
def test_interrupt_of_a_check_is_what_the_check_says(error, capfd) -> None:
    """In a fork it is nobody else's; the frames of the explorer are not shown."""

    def interrupt() -> None:
        raise error

    (finding,) = forked(at_part(interrupt)).findings

    assert "violated" == finding.kind
    assert f"{error.__name__}: raise error" in finding.said
    assert ("", "") == capfd.readouterr()


def test_one_processor_is_enough() -> None:
    """A single lane checks one state after the other."""
    state = CrashState(recordings.STATE, 0, (), ())
    case = Case("prefix", state, paths_of(state.tree), ())
    bench = FolderBench(lambda *_: None, isolation="fork", timeout_s=20, lanes=1)
    with closing(bench):
        assert [HOLDS] * 2 == [outcome for _, outcome in bench.run([case, case])]


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


def test_outcomes_come_in_the_order_of_the_cases(tmp_path) -> None:
    """Though the first ends last: it waits for a word of the one behind it."""
    fifo = tmp_path / "word"
    os.mkfifo(fifo)

    def check(folder, acked) -> None:
        with open(fifo, "rb" if acked == ["first"] else "wb"):
            pass

    state = CrashState(recordings.STATE, 0, (), ())
    cases = [Case("prefix", state, paths_of(state.tree), (name,)) for name in ("first", "second")]
    bench = FolderBench(check, isolation="fork", timeout_s=20, lanes=2)
    with closing(bench):
        outcomes = [(case.acked, outcome) for case, outcome in bench.run(cases)]

    assert [(("first",), HOLDS), (("second",), HOLDS)] == outcomes


def test_no_more_than_the_window_is_begun_ahead(tmp_path) -> None:
    """What waits for its turn is held in memory."""
    begun = 0
    ends: list[int] = []

    def cases():
        nonlocal begun
        state = CrashState(recordings.STATE, 0, (), ())
        for _ in range(20):
            begun += 1
            yield Case("prefix", state, paths_of(state.tree), ())

    lanes = [Lane(place_in(tmp_path / str(n)), Forked(lambda *_: None), timeout_s=20) for n in "ab"]
    for number, _ in enumerate(run_in_lanes(lanes, cases(), ahead=3)):
        ends.append(begun - number)

    assert 20 == len(ends)
    assert 3 >= max(ends)


def place_in(above) -> Place:
    above.mkdir()
    return Place(f"{above}/state")


def test_report_is_the_same_whoever_answers_first() -> None:
    """Twenty runs in eight lanes, where checks take a time of their own."""
    replace = recordings.replace(file_sync=False, folder_sync=False)
    steps = [(call.text, call.sites[0].line, []) for call in replace.calls]
    for operation, origin in zip(replace.operations, replace.origins, strict=True):
        steps[origin][2].append(operation)
    recording = recordings.record(steps, {ROOT: Node("folder", 0o755)})

    def check(folder, acked) -> None:
        hashlib.pbkdf2_hmac("sha1", b"", b"", 1 + os.getpid() % 5 * 1000)
        if acked or os.path.exists(f"{folder}/state"):
            recordings.check_state(folder, acked)

    texts = set[str]()
    for _ in range(20):
        bench = FolderBench(check, isolation="fork", timeout_s=20, lanes=8)
        with closing(bench):
            report = report_of(Exploration(recording, bench, Options("posix", {}, 60.0, 0)))
        texts.add(report._replace(seconds=0.0).text())

    (text,) = texts
    assert "2 bugs" in text


def test_long_words_come_through() -> None:
    """More than a pipe holds is cut, and hangs nobody."""

    def complain() -> None:
        raise AssertionError("x" * 300_000)

    (finding,) = forked(at_part(complain)).findings

    assert "violated" == finding.kind
    assert 1000 < len(finding.said) < 20_000
