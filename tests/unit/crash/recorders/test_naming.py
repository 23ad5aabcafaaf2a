"""Calls that change names."""

from __future__ import annotations

import ctypes
import mmap
import os
import socket
import threading

import pytest

from holdfast.crash import ack
from holdfast.crash.recorders import RecordingRefused
from holdfast.vfs import operations as ops

C = ctypes.CDLL(None, use_errno=True)
AT_FDCWD, NOREPLACE, EXCHANGE = -100, 1, 2


def touch(path: str, data: bytes = b"") -> None:
    """Make a file."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
    if data:
        os.write(file, data)
    os.close(file)


def of(recording, *kinds):
    """Return the operations of some kinds."""
    return [o for o in recording.operations if isinstance(o, kinds)]


def test_folders_come_and_go(recorded):
    """mkdir and rmdir, relative to a folder descriptor and by absolute path."""

    def program():
        os.mkdir("a")
        folder = os.open("a", os.O_RDONLY)
        os.mkdir("b", dir_fd=folder)
        os.mkdir(os.path.abspath("a/b/c/"), 0o700)
        os.rmdir("../a/b/c", dir_fd=folder)

    recording = recorded.call(program)
    made = of(recording, ops.MakeFolder)
    assert [(1, "a"), (2, "b"), (3, "c")] == [(o.folder, o.name) for o in made]
    assert [0o755, 0o755, 0o700] == [o.node.mode for o in made]
    assert [ops.RemoveFolder(3, "c")] == of(recording, ops.RemoveFolder)


def test_links_and_renames(recorded):
    """Hard links, renames over a name, across folders, and the one that does nothing."""

    def program():
        touch("x")
        os.mkdir("d")
        os.link("x", "d/y")
        os.rename("x", "d/y")
        os.rename("d/y", "d/z")
        os.rename("x", "w")

    assert [
        ops.Link(1, "x", 2),
        ops.Link(3, "y", 2),
        ops.Rename(3, "y", 3, "z"),
        ops.Rename(1, "x", 1, "w"),
    ] == of(recorded.call(program), ops.Link, ops.Rename)


def test_rename_over_a_file(recorded):
    """The replaced file goes, and its last name with it."""

    def program():
        touch("old", b"1")
        touch("new", b"2")
        os.replace("new", "old")
        os.unlink("old")

    assert () == recorded.call(program).after[1].entries


def test_rename_with_flags(recorded):
    """NOREPLACE fails as ever; EXCHANGE is one operation."""

    def program():
        touch("a", b"1")
        touch("b", b"2")
        assert -1 == C.renameat2(AT_FDCWD, b"a", AT_FDCWD, b"b", NOREPLACE)
        assert 17 == ctypes.get_errno()
        assert 0 == C.renameat2(AT_FDCWD, b"a", AT_FDCWD, b"b", EXCHANGE)
        os.rename("a", "c")

    recording = recorded.call(program)
    assert [ops.Exchange(1, "a", 1, "b")] == of(recording, ops.Exchange)
    assert "EEXIST" in [call.error for call in recording.calls]


def test_unnamed_file_gets_its_name(recorded):
    """O_TMPFILE, and linkat by /proc/self/fd or by the empty path."""

    def program():
        one = os.open(".", os.O_TMPFILE | os.O_RDWR, 0o600)
        os.write(one, b"one")
        path = b"/proc/self/fd/%d" % one
        assert 0 == C.linkat(AT_FDCWD, path, AT_FDCWD, b"named", 0x400)
        os.open(".", os.O_TMPFILE | os.O_RDWR, 0o600)

    recording = recorded.call(program)
    assert [ops.Link(1, "named", 2)] == of(recording, ops.Link)
    assert b"one" == recording.after[2].data


def test_symlinks_and_special_files(recorded):
    """Symlinks, FIFOs; and new files are made where a symlink to nothing points."""

    def program():
        os.mkdir("d")
        os.symlink("../target", "d/link")
        os.mkfifo("pipe", 0o600)
        touch("d/link", b"through")

    recording = recorded.call(program)
    kinds = {node.kind for node in recording.after.values()}
    assert {"folder", "symlink", "fifo", "file"} == kinds
    assert {"d", "pipe", "target"} == {name for name, _ in recording.after[1].entries}


def test_failed_calls_are_calls_without_operations(recorded):
    """What fails changes nothing, and stands in the list with its errno."""

    def program():
        for path in ("gone", "no/folder"):
            with pytest.raises(FileNotFoundError):
                os.unlink(path)
        touch("f")
        with pytest.raises(FileExistsError):
            os.mkdir("f")
        with pytest.raises(NotADirectoryError):
            os.rename("f", "f/g")

    recording = recorded.call(program)
    assert [None, "EEXIST"] == [call.error for call in recording.calls][1:]
    assert 2 == len(recording.operations)


def test_file_from_outside_counts_as_written_now(recorded, tmp_path_factory):
    """What was not seen to be synced is not durable; what was is."""
    outside = tmp_path_factory.mktemp("outside")

    def program():
        touch(f"{outside}/a", b"unsynced")
        os.rename(f"{outside}/a", "a")
        touch(f"{outside}/b", b"synced")
        file = os.open(f"{outside}/b", os.O_RDONLY)
        os.fsync(file)
        os.rename(f"{outside}/b", "b")

    recording = recorded.call(program)
    assert [ops.Write(2, 0, b"unsynced")] == of(recording, ops.Write)
    assert [b"", b"synced"] == [o.node.data for o in of(recording, ops.Create)]


def change_behind_the_times(path: str) -> None:
    """Change a synced file, and set its times back."""
    file = os.open(path, os.O_RDWR)
    os.fsync(file)
    before = os.fstat(file)
    os.pwrite(file, b"X", 0)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    os.close(file)


@pytest.mark.parametrize("way", [os.rename, os.link])
def test_file_from_outside_that_was_changed_after_its_sync(recorded, tmp_path_factory, way):
    """Its length and its mtime do not show it."""
    outside = tmp_path_factory.mktemp("outside")

    def program():
        touch(f"{outside}/a", b"synced")
        change_behind_the_times(f"{outside}/a")
        way(f"{outside}/a", "a")

    assert [ops.Write(2, 0, b"Xynced")] == of(recorded.call(program), ops.Write)


def test_file_from_outside_that_somebody_else_changed(recorded, tmp_path_factory):
    """A process that is not recorded cannot hide it: ctime tells."""
    outside = tmp_path_factory.mktemp("outside")
    asking, asked = os.pipe(), os.pipe()
    helper = threading.Thread(
        target=lambda: (
            os.read(asking[0], 1),
            os.pwrite(file.fileno(), b"X", 0),
            os.utime(f"{outside}/a", ns=(before.st_atime_ns, before.st_mtime_ns)),
            os.write(asked[1], b"."),
        )
    )
    with open(outside / "a", "w+b", buffering=0) as file:
        file.write(b"synced")
        before = os.stat(outside / "a")

        def program():
            os.fsync(os.open(f"{outside}/a", os.O_RDONLY))
            os.write(asking[1], b".")
            os.read(asked[0], 1)
            os.rename(f"{outside}/a", "a")

        helper.start()
        try:
            recording = recorded.call(program)
        finally:
            os.write(asking[1], b".")
            helper.join()
    for end in (*asking, *asked):
        os.close(end)
    assert [ops.Write(2, 0, b"Xynced")] == of(recording, ops.Write)


@pytest.mark.parametrize("where", ["outside", "inside, and out", "before"])
def test_mapped_file_from_outside_is_watched(recorded, tmp_path_factory, where):
    """Its stores are seen from its arrival on, and none before counts as synced."""
    path = tmp_path_factory.mktemp("outside") / "a"
    path.write_bytes(bytes(4096))

    def mapped() -> mmap.mmap:
        with open(path, "r+b") as file:
            return mmap.mmap(file.fileno(), 4096)

    inherited = mapped() if where == "before" else None

    def program():
        if where == "inside, and out":
            os.rename(path, "a")
            with open("a", "r+b") as file:
                pages = mmap.mmap(file.fileno(), 4096)
            os.rename("a", path)
        else:
            pages = inherited or mapped()
        pages[0] = 1
        os.fsync(os.open(path, os.O_RDONLY))
        os.rename(path, "a")
        pages[0] = 2
        ack("stored")
        pages[0] = 3

    recording = recorded.call(program)
    (arrival,) = recording.after[ops.ROOT].entries
    writes = [o for o in of(recording, ops.Write) if o.inode == arrival[1]]
    assert [1, 2, 3] == [write.data[0] for write in writes]
    if inherited is not None:
        inherited.close()


def test_file_comes_back_by_another_of_its_names(recorded, tmp_path_factory):
    """It is the file that it was, unsynced data and all; a name over itself changes nothing."""
    outside = tmp_path_factory.mktemp("outside")

    def program():
        touch("a", b"unsynced")
        os.link("a", f"{outside}/a")
        os.rename(f"{outside}/a", "a")
        os.rename(f"{outside}/a", "b")
        os.link("a", f"{outside}/c")
        os.unlink("a")
        os.unlink("b")
        os.rename(f"{outside}/c", "c")

    recording = recorded.call(program)
    assert [ops.Write(2, 0, b"unsynced")] == of(recording, ops.Write)
    assert [(1, name, 2) for name in "abc"] == of(recording, ops.Link)


def test_files_and_folders_that_leave(recorded, tmp_path_factory):
    """A rename out of the folder is the end of the name."""
    outside = tmp_path_factory.mktemp("outside")
    (recorded.folder / "d").mkdir()
    (recorded.folder / "d" / "f").write_text("x")
    (recorded.folder / "g").write_text("y")

    def program():
        os.rename("d", f"{outside}/d")
        os.rename("g", f"{outside}/g")
        touch(f"{outside}/d/f", b"not recorded")

    recording = recorded.call(program)
    assert () == recording.after[1].entries
    assert [] == of(recording, ops.Write)


def test_folder_from_outside_is_refused(recorded, tmp_path_factory):
    """What happened in it was not recorded."""
    outside = tmp_path_factory.mktemp("outside")
    (outside / "d").mkdir()

    with pytest.raises(RecordingRefused, match="moved in from outside"):
        recorded.call(lambda: os.rename(outside / "d", "d"))


def test_sockets_are_left_out(recorded):
    """A socket is no state: it may come and go, and stand there at the end."""

    def program():
        for name in ("one", "two"):
            with socket.socket(socket.AF_UNIX) as listening:
                listening.bind(name)
        os.unlink("one")

    recording = recorded.call(program)
    assert () == recording.operations
    assert ["unlink('one')"] == [call.text for call in recording.calls]


def test_deleted_file_that_is_still_open(recorded):
    """It is still written to, and its number is not mistaken for that of the next file."""

    def program():
        file = os.open("f", os.O_RDWR | os.O_CREAT)
        os.unlink("f")
        os.write(file, b"nameless")
        touch("g", b"named")

    writes = of(recorded.call(program), ops.Write)
    assert [ops.Write(2, 0, b"nameless"), ops.Write(3, 0, b"named")] == writes


def test_many_files_come_and_go(recorded):
    """Inode numbers that the system gives again stand for new files."""

    def program():
        for number in range(300):
            touch(f"f{number}", b"x")
            os.unlink(f"f{number}")

    recording = recorded.call(program)
    assert 300 == len({o.inode for o in of(recording, ops.Write)})
