"""Opening files, and the path that acknowledges."""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import subprocess
import sys
import threading
from struct import pack

import pytest

from holdfast.crash import ack
from holdfast.crash.recorders import RecordingRefused
from holdfast.vfs.operations import Create, Link, Truncate


def kinds(recording):
    """Return the types of the operations."""
    return [type(operation) for operation in recording.operations]


def test_new_file_is_an_inode_and_a_name(recorded):
    """Mode and owner come with the inode; the umask is that of the program at that moment."""

    def program():
        os.umask(0o027)
        os.open("f", os.O_WRONLY | os.O_CREAT, 0o666)

    recording = recorded.call(program)
    assert [Create, Link] == kinds(recording)
    assert 0o640 == recording.after[2].mode
    assert (os.getuid(), os.getgid()) == recording.after[2][2:4]


def test_opening_what_is_there(recorded):
    """O_CREAT on an existing file changes nothing, O_TRUNC cuts it."""
    (recorded.folder / "f").write_text("x")

    def program():
        os.open("f", os.O_WRONLY | os.O_CREAT, 0o666)
        os.open("f", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        with pytest.raises(FileExistsError):
            os.open("f", os.O_WRONLY | os.O_CREAT | os.O_EXCL)

    recording = recorded.call(program)
    assert (Truncate(2, 0),) == recording.operations
    assert [None, None, "EEXIST"] == [call.error for call in recording.calls]


def test_descriptors_are_what_the_kernel_would_give(recorded):
    """The lowest free number; closed on exec if asked for; flags as given."""

    def program():
        first = os.open("f", os.O_RDWR | os.O_CREAT | os.O_APPEND)
        os.close(first)
        assert first == os.open("f", os.O_RDWR | os.O_CREAT)
        assert not os.get_inheritable(first)
        lowest_free = os.dup(0)
        os.close(lowest_free)
        assert lowest_free == os.open("f", os.O_RDONLY)
        shown = subprocess.run(["ls", "-l", "/proc/self/fd"], capture_output=True, check=True)
        assert os.fsencode(os.path.realpath("f")) not in shown.stdout

    recorded.call(program)


def test_every_way_to_open(recorded):
    """open, creat and openat2 are seen as well as openat."""
    if os.uname().machine != "x86_64":
        pytest.skip("x86_64 alone has open and creat")

    def program():
        import ctypes

        call = ctypes.CDLL(None, use_errno=True).syscall
        assert call(2, b"a", os.O_CREAT | os.O_WRONLY, 0o600) > 0
        assert call(85, b"b", 0o600) > 0
        how = pack("=QQQ", os.O_CREAT | os.O_WRONLY, 0o600, 0x08)
        assert call(437, -100, b"c", how, len(how)) > 0

    names = [name for name, _ in recorded.call(program).after[1].entries]
    assert ["a", "b", "c"] == names


def test_relative_paths_follow_the_folder_of_the_thread(recorded):
    """chdir and folder descriptors decide, and symlinks are followed."""

    def program():
        os.makedirs("a/b")
        os.symlink("a/b", "l")
        os.chdir("l")
        open("f", "w").close()
        open("../g", "w").close()
        folder = os.open("/proc/self/cwd", os.O_RDONLY)
        os.close(os.open("h", os.O_CREAT | os.O_WRONLY, dir_fd=folder))

    paths = [call.text for call in recorded.call(program).calls if "O_CREAT" in call.text]
    assert ["'a/b/f'", "'a/g'", "'a/b/h'"] == [text.split("(")[1].split(",")[0] for text in paths]


def test_symlink_from_outside_leads_in(recorded, tmp_path_factory):
    """A new file is recorded where it stands, whatever path led there."""
    link = tmp_path_factory.mktemp("outside") / "link"
    link.symlink_to(recorded.folder / "f")

    recording = recorded.call(lambda: open(link, "w").close())
    assert [("f", 2)] == list(recording.after[1].entries)


def test_fifos_do_not_stop_the_recorder(recorded):
    """Two processes meet at a FIFO in the recorded folder."""
    script = "mkfifo p; (cat p > copy) & echo hello > p; wait"
    recorded.command("sh", "-c", script, timeout_s=20)
    assert "hello\n" == (recorded.folder / "copy").read_text()


def test_acknowledging_from_python(recorded, marks):
    """`ack` is a mark among the operations, and a call without an error."""

    def program():
        open("f", "w").close()
        ack("saved")
        ack(2)

    recording = recorded.call(program)
    assert ["saved", "2"] == marks(recording)
    assert ("ack('2')", None) == (recording.calls[-1].text, recording.calls[-1].error)


def test_acknowledging_from_a_shell(recorded, marks):
    """Any language can open a path (`:` would do but that it ends a shell when it fails)."""
    recording = recorded.command("sh", "-c", "echo x > f; true 2>/dev/null < /hf-mark:x; true")
    assert ["x"] == marks(recording)


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node")
def test_acknowledging_from_node(recorded, marks):
    """Node's own input and output is seen too."""
    script = (
        "const fs = require('fs'); fs.writeFileSync('f', 'x');"
        "try { fs.openSync('/hf-mark:n') } catch {}"
    )
    recording = recorded.command("node", "-e", script)
    assert ["n"] == marks(recording)
    assert b"x" == recording.after[2].data


def test_opening_for_reading_costs_no_call(recorded):
    """What changes nothing is not listed."""
    (recorded.folder / "f").write_text("x")
    script = "open('f').read(); open('f', 'r+').close()"
    assert () == recorded.command(sys.executable, "-c", script).calls


def test_a_thread_that_moves_is_followed(recorded):
    """Threads share a current folder: what one changes holds for the other's next call."""
    for name in ("one", "other"):
        (recorded.folder / name).mkdir()

    def program():
        def make(folder, name):
            os.chdir(recorded.folder / folder)
            os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL))

        for turn, folder in enumerate(("one", "other", "one")):
            thread = threading.Thread(target=make, args=(folder, f"a{turn}"))
            thread.start()
            thread.join()
            os.close(os.open(f"b{turn}", os.O_WRONLY | os.O_CREAT | os.O_EXCL))
            with pytest.raises(FileExistsError):
                os.open(f"b{turn}", os.O_WRONLY | os.O_CREAT | os.O_EXCL)

    recording = recorded.call(program)
    assert ["a0", "a2", "b0", "b2"] == sorted(os.listdir(recorded.folder / "one"))
    assert ["a1", "b1"] == sorted(os.listdir(recorded.folder / "other"))
    assert ["EEXIST"] * 3 == [call.error for call in recording.calls if call.error]


def test_locks_are_gone_with_the_descriptor(recorded):
    """No copy of ours holds them on, when a call has returned."""

    def program():
        file = os.open("a", os.O_WRONLY | os.O_CREAT)
        os.close(file)
        for _ in range(50):
            file = os.open("a", os.O_WRONLY)
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.pwrite(file, b"x", 0)
            os.close(file)

    assert 51 == len(recorded.call(program).calls)


@pytest.mark.parametrize("where", ["inside", "above", "elsewhere"])
def test_another_root_is_refused_by_name(recorded, tmp_path_factory, where):
    """At once, and only where it can lead to a recorded file."""
    (recorded.folder / "a").write_text("old")
    other = tmp_path_factory.mktemp("other")
    base = {"inside": recorded.folder, "above": recorded.folder.parent, "elsewhere": other}[where]

    def program():
        syscall = ctypes.CDLL(None, use_errno=True).syscall
        folder = os.open(base, os.O_RDONLY)
        how = ctypes.create_string_buffer(pack("=3Q", os.O_WRONLY | os.O_CREAT, 0o644, 0x10), 24)
        assert 0 <= syscall(437, folder, b"/new", how, 24)

    if where == "elsewhere":
        assert () == recorded.call(program).calls
        assert ["new"] == os.listdir(other)
    else:
        with pytest.raises(RecordingRefused, match="RESOLVE_IN_ROOT"):
            recorded.call(program)
        assert ["a"] == os.listdir(recorded.folder)
