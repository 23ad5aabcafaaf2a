"""Programs recorded by strace, and by both recorders: the same operations and crash states."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from holdfast.crash.recorders import (
    CallFault,
    ProgramNotStarted,
    ProgramTimedOut,
    RecorderUnavailable,
    RecordingRefused,
    record_command,
)
from holdfast.crash.recorders.door import Recorder
from holdfast.crash.recorders.strace import record_command_by_strace, renumbered
from holdfast.crash.recording import Recording
from holdfast.vfs.operations import ROOT, Link, Mark, Node, Tree, Truncate, Write
from holdfast.vfs.states import crash_states

pytestmark = pytest.mark.skipif(
    shutil.which("strace") is None, reason="needs strace: install the package of that name"
)

REPLACE = """
import os
for number in range(2):
    part = os.open("state.part", os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o644)
    os.write(part, b"%d" % number * 100)
    os.fsync(part)
    os.close(part)
    os.rename("state.part", "state")
    folder = os.open(".", os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
    try:
        os.open(f"/hf-mark:{number}", os.O_RDONLY)
    except FileNotFoundError:
        pass
"""
APPEND = """
import os
with open("log", "ab", buffering=0) as log:
    for number in range(3):
        log.write(b"line %d\\n" % number)
        os.fdatasync(log.fileno())
with open("log", "r+b") as log:
    log.read(3)
    log.write(b"ZZ")
    log.truncate(20)
"""
FOLDERS = """
import os
os.makedirs("d/e")
open("f", "w").write("1")
os.rename("f", "d/f")
os.chdir("d")
os.rename("f", "e/f")
os.rename("e", "../g")
os.symlink("../g", "s")
open("s/f", "a").write("2")
os.link("s/f", "s/h")
os.unlink("s/h")
above = os.open("..", os.O_RDONLY)
os.mkdir("n", dir_fd=above)
os.rmdir("n", dir_fd=above)
os.fsync(above)
os.chmod("s/f", 0o600)
unnamed = os.open(".", os.O_TMPFILE | os.O_RDWR)
os.write(unnamed, b"q")
os.link(f"/proc/self/fd/{unnamed}", "t", src_dir_fd=above)
os.truncate("t", 1)
os.posix_fallocate(unnamed, 0, 10)
os.copy_file_range(unnamed, os.open("s/f", os.O_WRONLY), 2)
if os.fork() == 0:
    os.write(unnamed, b"child")
    os._exit(0)
os.wait()
os.write(unnamed, b"parent")
os.sync()
"""
SHELL = (
    "import subprocess; subprocess.run(['sh', '-c', 'echo hi > a; cat a >> b; mv a c'], check=True)"
)
SQLITE = """
import sqlite3
connection = sqlite3.connect("db", isolation_level=None)
connection.execute("pragma journal_mode={mode}")
connection.execute("create table t (a)")
for number in range(2):
    connection.execute("insert into t values (?)", (number,))
connection.close()
"""
THREADS = """
import os, threading
def save(name):
    for number in range(10):
        with open(f"{name}.part", "wb") as part:
            part.write(b"%d" % number)
            part.flush()
            os.fsync(part.fileno())
        os.replace(f"{name}.part", name)
threads = [threading.Thread(target=save, args=(name,)) for name in "abc"]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def record(folder: Path, code: str, recorder: Recorder = "strace", **options: Any) -> Recording:
    """Run a Python program in a new folder of its own."""
    root = folder / f"{recorder}-{len(os.listdir(folder))}"
    root.mkdir()
    command = [sys.executable, "-c", code]
    try:
        return record_command(command, root=str(root), recorder=recorder, **options)
    except RecorderUnavailable as error:
        pytest.skip(str(error))


def alike(operations: list[Any], *, shape_only: bool = False) -> list[tuple[object, ...]]:
    """The operations with inodes counted as they are met; of bytes only how many, if asked so."""
    met = {ROOT: ROOT}

    def told(field: str, value: Any) -> object:
        if field in {"inode", "folder", "to_folder"}:
            return met.setdefault(value, len(met) + 1)
        return len(value) if shape_only and isinstance(value, bytes) else value

    return [
        (type(operation).__name__, *map(told, operation._fields, operation))
        for operation in operations
    ]


def without(recording: Recording, ending: str) -> list[Any]:
    """The operations less the bytes of files whose name ends so."""
    operations: list[Any] = list(recording.operations)
    left_out = {o.inode for o in operations if isinstance(o, Link) and o.name.endswith(ending)}
    return [o for o in operations if not (isinstance(o, Write | Truncate) and o.inode in left_out)]


def paths(tree: Tree, *, shape_only: bool) -> tuple[object, ...]:
    """A tree by its paths."""
    found: list[object] = []
    todo = [("", ROOT)]
    while todo:
        path, inode = todo.pop()
        node = tree[inode]
        data = len(node.data) if shape_only else node.data
        found.append((path, node.kind, node.mode, data))
        todo += [(f"{path}/{name}", entry) for name, entry in node.entries]
    return tuple(sorted(found, key=repr))


def states(recording: Recording) -> set[object]:
    """What a crash may leave, with what had been acknowledged."""
    before, operations = recording.before, recording.operations
    return {
        (paths(state.tree, shape_only=False), tuple(state.marks))
        for state in crash_states(before, operations, model="linux", limit=400)
    }


@pytest.mark.parametrize(
    "code", [REPLACE, APPEND, FOLDERS, SHELL], ids=["replace", "append", "folders", "shell"]
)
def test_both_recorders_write_down_the_same(tmp_path, code):
    """Operation by operation, byte by byte, call by call; and the same states follow."""
    one, other = record(tmp_path, code), record(tmp_path, code, "seccomp")
    assert alike(list(other.operations)) == alike(list(one.operations))
    assert [(c.text, c.error) for c in other.calls] == [(c.text, c.error) for c in one.calls]
    assert other.origins == one.origins
    assert other.status == one.status == 0
    assert states(other) == states(one)


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_both_recorders_write_down_the_same_of_sqlite(tmp_path, mode):
    """Journals hold random numbers, so bytes are counted; the mapped index is left out."""
    code = SQLITE.format(mode=mode)
    one, other = record(tmp_path, code), record(tmp_path, code, "seccomp")
    done = [without(r, "-shm") for r in (one, other)]
    assert alike(done[1], shape_only=True) == alike(done[0], shape_only=True)
    prefixes = [
        {
            paths(s.tree, shape_only=True)
            for s in crash_states(r.before, operations, model="prefix", limit=400)
        }
        for r, operations in zip((one, other), done, strict=True)
    ]
    assert prefixes[0] == prefixes[1]
    assert (mode == "WAL") == any("db-shm" in note for note in one.notes)


def test_both_recorders_write_down_the_same_of_each_thread(tmp_path):
    """The order between threads is chance; within each it is the program's."""
    one, other = record(tmp_path, THREADS), record(tmp_path, THREADS, "seccomp")
    for name in "abc":
        texts = [
            [call.text for call in recording.calls if f"'{name}." in call.text]
            for recording in (one, other)
        ]
        assert texts[1] == texts[0]
    kinds = [Counter(type(operation).__name__ for operation in r.operations) for r in (one, other)]
    assert kinds[0] == kinds[1]
    assert 4 == len({call.thread for call in one.calls} | {one.calls[0].process})


def test_whole_lines_on_stdout_acknowledge(tmp_path, capfd):
    """A line counts when it is whole, and is passed on."""
    code = "import os; os.write(1, b'sav'); open('a', 'w').write('x'); os.write(1, b'ed\\nmo')"
    recording = record(tmp_path, code, ack="stdout")
    assert Mark("saved") == recording.operations[-1]
    assert 1 == sum(isinstance(operation, Mark) for operation in recording.operations)
    assert "saved\nmo" == capfd.readouterr().out


@pytest.mark.parametrize(
    ("code", "status"), [("raise SystemExit(7)", 7), ("import os; os.kill(os.getpid(), 9)", -9)]
)
def test_the_status_of_the_program_is_told(tmp_path, code, status):
    """Its exit code, or minus the signal that killed it."""
    assert status == record(tmp_path, code).status


def test_a_file_mapped_to_be_written_is_refused(tmp_path):
    """Its stores could not be seen."""
    code = "import mmap; f = open('m', 'w+b'); f.truncate(9); mmap.mmap(f.fileno(), 9)[0] = 1"
    with pytest.raises(RecordingRefused, match="m: was mapped to be written"):
        record(tmp_path, code)


def test_i1_what_another_process_writes_meanwhile_is_noticed(tmp_path):
    """The self-check finds what is in no log."""
    path = tmp_path / "strace-0" / "other"
    code = "import socket; s = socket.socket(); s.connect(('127.0.0.1', {port})); s.recv(1)"
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(20)

    def interfere():
        connection, _ = server.accept()
        path.write_text("x")
        connection.close()

    thread = threading.Thread(target=interfere, daemon=True)
    thread.start()
    with pytest.raises(RecordingRefused, match="other: is there, and was not recorded"):
        record(tmp_path, code.format(port=server.getsockname()[1]))
    thread.join()
    server.close()


def test_a_program_that_does_not_end_is_killed(tmp_path):
    """Its files stand; it is told apart from one that fails."""
    with pytest.raises(ProgramTimedOut, match="still ran after 1 s"):
        record(tmp_path, "import time; time.sleep(60)", timeout_s=1)


def test_a_daemon_that_does_not_end_is_killed_and_noted(tmp_path):
    """The program itself ended, so there is a recording."""
    code = "import os, time\nif os.fork() == 0:\n    time.sleep(60)"
    recording = record(tmp_path, code, timeout_s=1)
    assert 0 == recording.status
    assert any("were killed" in note for note in recording.notes)


@pytest.mark.parametrize("text", [None, "#!/nowhere/at/all\n"])
def test_a_program_that_is_none_is_told(tmp_path, text):
    """Not there; there, with an interpreter that is not."""
    program = tmp_path / "program"
    if text is not None:
        program.write_text(text)
        program.chmod(0o755)
    with pytest.raises(ProgramNotStarted, match="cannot be executed"):
        record_command_by_strace([str(program)], root=str(tmp_path))


def test_faults_are_not_for_strace(tmp_path):
    """It would count calls on other files."""
    with pytest.raises(RecorderUnavailable, match="Nothing was run"):
        record_command_by_strace(
            ["true"], root=str(tmp_path), faults=[CallFault("fsync", 1, "EIO")]
        )


def test_without_strace_it_is_unavailable(tmp_path, monkeypatch):
    """It says what to install."""
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(RecorderUnavailable, match="not installed"):
        record_command_by_strace(["true"], root=str(tmp_path))


def test_a_tree_is_renumbered_by_its_names():
    """What the recording knows keeps its number; the rest gets a new one."""
    tree = {
        1: Node("folder", entries=(("a", 7), ("b", 8), ("c", 9))),
        **dict.fromkeys((7, 8, 9), Node("file")),
    }
    found = renumbered(tree, {1: {"a": 5, "b": 5, "x": 6}})
    assert (("a", 5), ("b", 7), ("c", 8)) == found[1].entries
    assert {1, 5, 7, 8} == set(found)
