"""Scratch folders: private, and gone whatever ended the explorer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from holdfast.crash.explorer import explore
from holdfast.crash.explorer.scratch import Scratch, remove_tree
from holdfast.crash.stored import save
from holdfast.vfs.operations import ROOT, Node, SetAttributes, Write
from tests.support import recordings

HANGS = """
import os, time
def holds(folder, acked):
    with open(os.environ["TOLD"], "w") as told:
        told.write(folder)
    time.sleep(600)
"""


def test_scratch_folder_is_private() -> None:
    """Nobody else looks into it."""
    scratch = Scratch(0)
    mode = os.stat(scratch.folder).st_mode & 0o777
    scratch.close()

    assert 0o700 == mode
    assert not os.path.exists(scratch.folder)


def test_scratch_folder_for_much_is_not_in_memory() -> None:
    """More than the memory filesystem has room for goes where temporary files go."""
    scratch = Scratch(1 << 60)
    scratch.close()

    assert not scratch.folder.startswith("/dev/shm/")


def test_folder_of_a_killed_explorer_is_removed_by_the_next() -> None:
    """A process that ends without a word cannot do it itself; one that works keeps its own."""
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writing, Scratch(0).folder.encode())
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    left = os.read(reading, 4096).decode()
    os.close(reading)
    os.close(writing)
    assert os.path.isdir(left)

    first, second = Scratch(0), Scratch(0)
    here = [os.path.isdir(folder) for folder in (left, first.folder, second.folder)]
    first.close()
    second.close()

    assert [False, True, True] == here


def test_folders_that_are_closed_to_their_owner_are_removed() -> None:
    """A check may take every right away."""
    scratch = Scratch(0)
    os.chmod(scratch.folder, 0o777)
    top = f"{scratch.folder}/top"

    def make_and_remove() -> None:
        os.makedirs(f"{top}/a/b/c")
        for folder in (f"{top}/a/b/c", f"{top}/a/b", f"{top}/a", top):
            os.chmod(folder, 0)
        remove_tree(top)

    ended = without_rights(make_and_remove)
    is_there = os.path.exists(top)
    scratch.close()

    assert (0, False) == (ended, is_there)


def test_check_that_closes_its_folders_stops_nothing() -> None:
    """They are opened up for the next state, also where this is not root."""

    def check(folder, acked) -> None:
        for path in (f"{folder}/d", folder, os.path.dirname(folder)):
            os.chmod(path, 0)

    def look() -> None:
        before = {
            ROOT: Node("folder", 0o000, entries=(("d", 2),)),
            2: Node("folder", 0o000, entries=(("f", 3),)),
            3: Node("file", 0o000, data=b"1"),
        }
        steps = [("write", 3, [Write(3, 0, b"22")]), ("chmod", 4, [SetAttributes(2, mode=0o200)])]
        report = explore(recordings.record(steps, before), check, model="posix")
        assert report.tried > 5
        assert not report.findings

    assert 0 == without_rights(look)


def without_rights(action) -> int:
    """Run it in a child, as nobody if this is root, and return its exit code."""
    if (child := os.fork()) == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setresgid(65534, 65534, 65534)
                os.setresuid(65534, 65534, 65534)
            action()
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.skipif(sys.platform != "linux", reason="crash tests run on Linux")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signal_leaves_no_scratch_folder(tmp_path, number, code) -> None:
    """While a check runs: neither in memory nor among the temporary files."""
    save(recordings.replace(), str(tmp_path / "recording"))
    (tmp_path / "check.py").write_text(HANGS, "utf-8")
    (tmp_path / "tmp").mkdir()
    os.mkfifo(tmp_path / "told")
    argv = ["crash", "--from", "recording", "--check", "check.py:holds"]
    process = subprocess.Popen(
        [sys.executable, "-m", "holdfast", *argv],
        cwd=tmp_path,
        env={**os.environ, "TOLD": str(tmp_path / "told"), "TMPDIR": str(tmp_path / "tmp")},
        stderr=subprocess.DEVNULL,
    )
    folder = (tmp_path / "told").read_text("utf-8")
    process.send_signal(number)

    assert code == process.wait(timeout=30)
    assert not os.path.exists(os.path.dirname(os.path.dirname(folder)))
    assert [] == os.listdir(tmp_path / "tmp")
