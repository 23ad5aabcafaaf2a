"""Streams that replace their target when they are closed."""

from __future__ import annotations

import csv
import errno
import gc
import io
import json
import os
import stat
import struct
import subprocess
import sys
import threading
import zipfile
from pathlib import Path
from typing import Any

import pytest

from holdfast.errors import CommittedNotDurable, PromiseUnavailable
from holdfast.primitives import writer
from holdfast.primitives.writer import open as hold_open
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.interpose import Interposed
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace
from tests.support.leftovers import temporary

MODES = ["w", "wb", "x", "xb"]


def data(mode: str, text: str = "new"):
    return text.encode() if "b" in mode else text


@pytest.mark.parametrize("mode", MODES)
class TestEveryMode:
    def test_clean_exit_commits(self, tmp_path, mode) -> None:
        """Until the body has ended the name is not there; then it is, complete."""
        with hold_open(tmp_path / "a", mode) as file:
            file.write(data(mode))
            file.flush()
            assert not (tmp_path / "a").exists()

        assert b"new" == (tmp_path / "a").read_bytes()
        assert ["a"] == os.listdir(tmp_path)

    @pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
    def test_exception_in_the_body_discards(self, tmp_path, mode, error) -> None:
        """Nothing is there, and no temp; the exception goes on."""
        with pytest.raises(error), hold_open(tmp_path / "a", mode) as file:
            file.write(data(mode))
            raise error

        assert file.closed
        assert [] == os.listdir(tmp_path)

    def test_discard_ends_it(self, tmp_path, mode) -> None:
        """`discard` in the body: a clean exit commits nothing any more."""
        with hold_open(tmp_path / "a", mode) as file:
            file.write(data(mode))
            file.discard()

        assert [] == os.listdir(tmp_path)

    def test_commit_is_once(self, tmp_path, mode) -> None:
        """A second `close`, a `discard` and the end of the body do nothing; a write is refused."""
        with hold_open(tmp_path / "a", mode) as file:
            file.write(data(mode))
            file.close()
            (tmp_path / "a").unlink()
            file.close()
            file.discard()
            with pytest.raises(ValueError, match="closed"):
                file.write(data(mode))

        assert [] == os.listdir(tmp_path)

    def test_collected_without_close_is_discarded_with_a_warning(self, tmp_path, mode) -> None:
        """Garbage is not committed."""
        file = hold_open(tmp_path / "a", mode)
        file.write(data(mode))
        files = [file]
        del file
        with pytest.warns(ResourceWarning, match="The old contents stand"):
            files.clear()
        gc.collect()

        assert [] == os.listdir(tmp_path)

    def test_chdir_in_the_body_changes_nothing(self, tmp_path, mode) -> None:
        """A relative path means the folder that it meant at the start."""
        (tmp_path / "elsewhere").mkdir()
        before = os.getcwd()
        os.chdir(tmp_path)
        try:
            with hold_open("a", mode) as file:
                file.write(data(mode))
                os.chdir("elsewhere")
        finally:
            os.chdir(before)

        assert ["a", "elsewhere"] == sorted(os.listdir(tmp_path))
        assert [] == os.listdir(tmp_path / "elsewhere")

    def test_moved_folder_is_the_one_that_is_written(self, tmp_path, mode) -> None:
        """The descriptor of the folder decides, not its path."""
        (tmp_path / "before").mkdir()
        with hold_open(tmp_path / "before" / "a", mode) as file:
            file.write(data(mode))
            (tmp_path / "before").rename(tmp_path / "after")

        assert b"new" == (tmp_path / "after" / "a").read_bytes()
        assert ["after"] == os.listdir(tmp_path)

    def test_failed_commit_closes_and_leaves_nothing(self, mode) -> None:
        """A sync that fails: an error with a note, a closed file, the old disk."""
        disk = MemoryVFS()
        vfs = Faulty(disk, Fault("sync", 1, effect="EIO"))
        with pytest.raises(OSError) as caught, hold_open("/a", mode, vfs=vfs) as file:
            file.write(data(mode))

        assert "Nothing was made." in caught.value.__notes__[0]
        assert file.closed
        assert {} == disk.tree()
        assert [] == disk.leftovers()

    def test_full_disk_at_the_last_flush_discards(self, mode) -> None:
        """ENOSPC while the buffer is written: not committed, no temp, and closed."""
        disk = MemoryVFS(capacity_bytes=1)
        with pytest.raises(OSError) as caught, hold_open("/a", mode, vfs=disk) as file:
            file.write(data(mode))

        assert errno.ENOSPC == caught.value.errno
        assert file.closed
        assert {} == disk.tree()
        assert [] == disk.leftovers()

    def test_folder_sync_that_fails_is_committed_not_durable(self, mode) -> None:
        """Its own error, and the new contents are in place."""
        disk = MemoryVFS()
        vfs = Faulty(disk, Fault("sync_folder", 1, effect="EIO"))
        with pytest.raises(CommittedNotDurable), hold_open("/a", mode, vfs=vfs) as file:
            file.write(data(mode))

        assert {"a": b"new"} == disk.tree()

    def test_never_syncs_nothing(self, mode) -> None:
        """`sync="never"` reaches every step."""
        vfs = Trace(MemoryVFS())
        with hold_open("/new/a", mode, sync="never", vfs=vfs) as file:
            file.write(data(mode))

        assert not {"sync", "sync_folder"} & set(vfs.operations)

    def test_permissions_are_exact(self, tmp_path, mode) -> None:
        """An explicit mode, whatever the umask."""
        hold_open(tmp_path / "a", mode, permissions=0o666).close()

        assert 0o666 == stat.S_IMODE((tmp_path / "a").stat().st_mode)

    def test_new_file_gets_what_the_umask_gives(self, tmp_path, mode) -> None:
        """As the built-in `open` gives."""
        hold_open(tmp_path / "a", mode).close()
        (tmp_path / "b").touch()

        assert (tmp_path / "b").stat().st_mode == (tmp_path / "a").stat().st_mode

    def test_forked_child_neither_commits_nor_removes(self, tmp_path, mode) -> None:
        """The child closes its copy, with bytes buffered; the parent's commit has each once."""
        with hold_open(tmp_path / "a", mode) as file:
            file.write(data(mode, "once "))
            pid = os.fork()
            if pid == 0:
                try:
                    file.close()
                finally:
                    os._exit(0)
            os.waitpid(pid, 0)
            assert not (tmp_path / "a").exists()
            file.write(data(mode, "more"))

        assert b"once more" == (tmp_path / "a").read_bytes()


class TestReplacing:
    def test_readers_see_the_old_contents_until_the_end(self, tmp_path) -> None:
        """A reader in the body finds the old file, whole."""
        (tmp_path / "a").write_bytes(b"old")
        with hold_open(tmp_path / "a", "wb") as file:
            file.write(b"new")
            file.flush()
            assert b"old" == (tmp_path / "a").read_bytes()

        assert b"new" == (tmp_path / "a").read_bytes()

    def test_mode_changed_in_the_body_is_kept(self, tmp_path) -> None:
        """The attributes are those at the commit, not those at the start."""
        (tmp_path / "a").touch(0o644)
        with hold_open(tmp_path / "a", "w"):
            (tmp_path / "a").chmod(0o600)

        assert 0o600 == stat.S_IMODE((tmp_path / "a").stat().st_mode)

    def test_fifo_made_in_the_body_is_not_replaced(self, tmp_path) -> None:
        """What cannot be replaced is refused at the commit as well."""
        with pytest.raises(PromiseUnavailable), hold_open(tmp_path / "a", "w"):
            os.mkfifo(tmp_path / "a")

        assert stat.S_ISFIFO((tmp_path / "a").stat().st_mode)
        assert [] == temporary(tmp_path)

    def test_backup_keeps_what_was_replaced(self, tmp_path) -> None:
        """As for `write_bytes`."""
        (tmp_path / "a").write_bytes(b"old")
        with hold_open(tmp_path / "a", "wb", backup="b") as file:
            file.write(b"new")

        assert [b"new", b"old"] == [(tmp_path / n).read_bytes() for n in ("a", "b")]


@pytest.mark.parametrize("unnamed", [True, False])
class TestCreating:
    def test_existing_name_is_refused_at_the_start(self, unnamed) -> None:
        """A file, a folder, a dangling symlink: FileExistsError, untouched."""
        for there in (b"old", None, "-> nowhere"):
            disk = MemoryVFS(unnamed_files=unnamed)
            disk.write_tree({"a": there})
            with pytest.raises(FileExistsError) as caught:
                hold_open("/a", "x", vfs=disk)
            assert "/a" == caught.value.filename
            assert {"a": there} == disk.tree()

    def test_name_taken_meanwhile_is_refused_at_the_commit(self, unnamed) -> None:
        """The one who was faster keeps the name; nothing else is left."""
        disk = MemoryVFS(unnamed_files=unnamed)
        with (
            pytest.raises(FileExistsError) as caught,
            hold_open("/a", "x", vfs=disk) as file,
        ):
            file.write("mine")
            disk.write_tree({"a": b"theirs"})

        assert "/a" == caught.value.filename
        assert {"a": b"theirs"} == disk.tree()
        assert [] == disk.leftovers()

    def test_name_taken_while_linking_is_refused(self, unnamed) -> None:
        """EEXIST at the very link: the same error, with the path, and no temp."""
        disk = MemoryVFS(unnamed_files=unnamed)
        vfs = Faulty(disk, Fault("link", 1, effect="EEXIST"))
        with pytest.raises(FileExistsError) as caught, hold_open("/a", "x", vfs=vfs):
            pass

        assert "/a" == caught.value.filename
        assert {} == disk.tree()

    def test_filesystem_without_links_is_refused(self, unnamed) -> None:
        """Where a name cannot be taken without clobbering, the promise is unavailable."""
        disk = MemoryVFS(unnamed_files=unnamed)
        vfs = Faulty(disk, Fault("link", 1, effect="EPERM"))
        with (
            pytest.raises(PromiseUnavailable, match="hard links"),
            hold_open("/a", "x", vfs=vfs),
        ):
            pass

        assert {} == disk.tree()

    def test_contents_are_synced_before_the_name_appears(self, unnamed) -> None:
        """Write, sync, close, link; then the folder."""
        vfs = Trace(MemoryVFS(unnamed_files=unnamed))
        with hold_open("/a", "xb", vfs=vfs) as file:
            file.write(b"new")
        steps = [o for o in vfs.operations if o in {"write", "sync", "link", "sync_folder"}]

        # btrfs does nothing at a sync of a file without a name, so that one is synced again.
        again = ["sync"] if unnamed else []
        assert ["write", "sync", "link", *again, "sync_folder"] == steps


class TestFileObject:
    def test_modes_are_listed(self, tmp_path) -> None:
        """Another mode is a `ValueError` that lists those there are."""
        wrong: Any
        for wrong in ("r", "a", "w+", "wt", "", "rb"):
            with pytest.raises(ValueError, match="w, wb, x, xb"):
                hold_open(tmp_path / "a", wrong)
        with pytest.raises(ValueError, match="newline"):
            hold_open(tmp_path / "a", "wb", newline="")
        with pytest.raises(ValueError, match="backup"):
            hold_open(tmp_path / "a", "x", backup="b")

        assert [] == os.listdir(tmp_path)

    @pytest.mark.parametrize("wrong", [{"encoding": "no-such"}, {"newline": "x"}])
    def test_wrong_text_options_leave_nothing(self, tmp_path, wrong) -> None:
        """An encoding or newline that io refuses leaves no temp and nothing open."""
        with pytest.raises((LookupError, ValueError)):
            hold_open(tmp_path / "a", "w", **wrong)

        assert [] == os.listdir(tmp_path)

    def test_it_is_what_the_built_in_open_gives(self, tmp_path) -> None:
        """Classes, name, mode, encoding and abilities."""
        with (
            hold_open(tmp_path / "a", "w") as text,
            hold_open(tmp_path / "b", "wb") as binary,
        ):
            assert isinstance(text, io.TextIOWrapper)
            assert isinstance(binary, io.BufferedWriter)
            assert (str(tmp_path / "a"), "w", "utf-8") == (
                text.name,
                text.mode,
                text.encoding,
            )
            assert (str(tmp_path / "b"), "wb") == (binary.name, binary.mode)
            for file in (text, binary):
                assert (True, True, False) == (
                    file.writable(),
                    file.seekable(),
                    file.readable(),
                )
                assert stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            with pytest.raises(io.UnsupportedOperation):
                text.read()

    def test_writers_of_the_standard_library_work(self, tmp_path) -> None:
        """json, csv, and zipfile, which seeks back."""
        with hold_open(tmp_path / "a.json", "w") as file:
            json.dump({"a": [1]}, file)
        with hold_open(tmp_path / "a.csv", "w", newline="") as file:
            csv.writer(file).writerow([1, "b"])
        with (
            hold_open(tmp_path / "a.zip", "wb") as file,
            zipfile.ZipFile(file, "w") as archive,
        ):
            archive.writestr("inner", "contents" * 100)

        assert {"a": [1]} == json.loads((tmp_path / "a.json").read_bytes())
        assert b"1,b\r\n" == (tmp_path / "a.csv").read_bytes()
        with zipfile.ZipFile(tmp_path / "a.zip") as archive:
            assert b"contents" * 100 == archive.read("inner")

    def test_seek_tell_and_truncate(self, tmp_path) -> None:
        """Positions and cuts are those of a regular file."""
        with hold_open(tmp_path / "a", "wb") as file:
            file.write(b"0123456789")
            file.seek(2)
            file.write(b"AB")
            assert 4 == file.tell()
            file.truncate(6)
            file.seek(0, io.SEEK_END)
            file.write(b"!")
            assert 7 == file.truncate()

        assert b"01AB45!" == (tmp_path / "a").read_bytes()

    def test_descriptor_may_be_written_to(self, tmp_path) -> None:
        """Programs that write to `fileno()` share the position, as numpy's `tofile` does."""
        with hold_open(tmp_path / "a", "wb") as file:
            file.write(b"by the file, ")
            file.flush()
            os.write(file.fileno(), b"by the descriptor, ")
            file.write(b"by the file")

        assert b"by the file, by the descriptor, by the file" == (tmp_path / "a").read_bytes()

    def test_closing_the_inner_buffer_commits_whole(self, tmp_path) -> None:
        """Text that was flushed is there; nothing is torn when the layers are closed from below."""
        with hold_open(tmp_path / "a", "w") as file:
            file.write("new")
            file.flush()
            file.buffer.close()

        assert b"new" == (tmp_path / "a").read_bytes()

    def test_detached_file_is_discarded(self, tmp_path) -> None:
        """Who takes the layers apart and drops them has not committed."""
        file = hold_open(tmp_path / "a", "wb")
        raw = file.detach()
        del file
        raw.close()

        assert [] == os.listdir(tmp_path)

    def test_short_writes_are_continued(self) -> None:
        """The buffer writes the rest; a write of nothing is an error, not a loop."""
        disk = MemoryVFS()
        with hold_open("/a", "wb", vfs=Faulty(disk, Fault("write", 1, effect="short 3"))) as file:
            file.write(b"0123456789")
        vfs = Faulty(disk, Fault("write", 1, effect="short 0", repeat=True))
        with pytest.raises(OSError) as caught, hold_open("/a", "wb", vfs=vfs) as file:
            file.write(b"new")

        assert errno.EIO == caught.value.errno
        assert {"a": b"0123456789"} == disk.tree()

    @pytest.mark.slow
    def test_stream_of_a_gibibyte_holds_less_than_4_mib(self, tmp_path) -> None:
        """The memory of a stream does not grow with it."""
        program = (
            "import resource, sys\n"
            "from holdfast.primitives.writer import open\n"
            "piece = bytes(1 << 16)\n"
            "open(sys.argv[1], 'wb', sync='never').close()\n"
            "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
            "with open(sys.argv[1], 'wb', sync='never') as file:\n"
            "    for _ in range(1 << 14): file.write(piece)\n"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
        )
        source = str(Path(writer.__file__).parents[2])
        done = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / "a")],
            env={**os.environ, "PYTHONPATH": source},
            check=True, timeout=100, capture_output=True, text=True,
        )  # fmt: skip
        size = (tmp_path / "a").stat().st_size
        (tmp_path / "a").unlink()

        assert 1 << 30 == size
        assert 4096 > int(done.stdout)


class Hooked(Interposed):
    """Runs something once, after the first call of an operation."""

    def __init__(self, inner, operation: str) -> None:
        super().__init__(inner)
        self.operation = operation
        self.hook: Any = None

    def around(self, call, do):
        result = do()
        hook, self.hook = self.hook, None
        if hook is None:
            return result
        if call.operation == self.operation:
            hook()
        else:
            self.hook = hook
        return result


def in_thread(do) -> threading.Thread:
    thread = threading.Thread(target=do)
    thread.start()
    return thread


class TestThreads:
    @pytest.mark.parametrize("size", [1, 200_000])
    @pytest.mark.parametrize("operation", ["xattrs", "duplicate", "sync", "rename"])
    def test_write_during_the_commit_is_refused(self, size, operation) -> None:
        """Of another thread, however small: what is in place is what was synced."""
        disk = MemoryVFS()
        vfs = Hooked(disk, operation)
        told: list[str] = []

        def write_late() -> None:
            for late in (lambda: file.write(b"L" * size), lambda: file.truncate(0)):
                try:
                    late()
                except ValueError as error:
                    told.append(str(error))

        file = hold_open("/a", "wb", vfs=vfs)
        file.write(b"new")
        vfs.hook = lambda: in_thread(write_late).join()
        file.close()

        assert 2 == len(told)
        assert {"a": b"new"} == disk.tree() == disk.crash().tree()
        assert [] == disk.leftovers()

    def test_text_written_during_the_commit_is_refused(self) -> None:
        """It does not wait in a buffer for nobody."""
        disk = MemoryVFS()
        vfs = Hooked(disk, "sync")
        told: list[str] = []

        def write_late() -> None:
            try:
                file.write("late")
            except ValueError as error:
                told.append(str(error))

        file = hold_open("/a", "w", vfs=vfs)
        file.write("new")
        vfs.hook = lambda: in_thread(write_late).join()
        file.close()

        assert ["/a: write to a file that is closed, or being closed"] == told
        assert {"a": b"new"} == disk.tree()

    def test_write_that_was_called_before_and_comes_late_is_told(self) -> None:
        """A bound method that passed the check: whoever closes hears that bytes were lost."""
        disk = MemoryVFS()
        vfs = Hooked(disk, "sync")
        file = hold_open("/a", "wb", vfs=vfs)
        write = file.write
        file.write(b"new")
        vfs.hook = lambda: write(b"late")
        with pytest.raises(ValueError, match="being closed"):
            file.close()

        assert file.closed
        assert {"a": b"new"} == disk.tree() == disk.crash().tree()

    @pytest.mark.parametrize("mode", ["w", "wb"])
    @pytest.mark.parametrize("fails", [False, True])
    def test_second_close_waits_and_has_the_same_outcome(self, mode, fails) -> None:
        """Two threads close: one commits, and both return, or both raise."""
        disk = MemoryVFS()
        inner = Faulty(disk, Fault("rename", 1, effect="EIO")) if fails else disk
        vfs = Hooked(inner, "sync")
        outcomes: list[str] = []
        threads: list[threading.Thread] = []
        arrived = threading.Event()

        def close() -> None:
            try:
                file.close()
                outcomes.append("ok")
            except OSError as error:
                outcomes.append(str(error.errno))

        def close_second() -> None:
            arrived.set()
            close()

        def second() -> None:
            threads.append(in_thread(close_second))
            assert arrived.wait(5)

        file = hold_open("/a", mode, vfs=vfs)
        file.write(data(mode))
        vfs.hook = second
        close()
        threads[0].join()

        assert ([str(errno.EIO)] * 2 if fails else ["ok", "ok"]) == outcomes or (
            # The second came when all was over: then it is closed, as for one thread.
            fails and [str(errno.EIO), "ok"] == outcomes
        )
        assert ({} if fails else {"a": b"new"}) == disk.tree()
        assert [] == disk.leftovers()


def test_error_of_a_write_in_the_body_names_the_file() -> None:
    """Its path, what is on disk, and what to do; once."""
    disk = MemoryVFS(capacity_bytes=10)
    disk.write_tree({"a": b"old"})
    with pytest.raises(OSError) as caught, hold_open("/a", "wb", vfs=disk) as file:
        file.write(b"n" * 300_000)

    assert (errno.ENOSPC, "/a") == (caught.value.errno, caught.value.filename)
    assert [
        "/a: not written. The old contents stand. Free some space and write again."
    ] == caught.value.__notes__
    assert {"a": b"old"} == disk.tree()


@pytest.mark.parametrize("mode", ["w", "wb"])
def test_stream_to_a_free_name_is_for_its_owner_alone_until_the_end(tmp_path, mode) -> None:
    """Somebody may give the name to a private file meanwhile, whose mode is kept."""
    before = os.umask(0o022)
    try:
        with hold_open(tmp_path / "a", mode) as file, hold_open(tmp_path / "b", mode):
            file.write(data(mode, "secret"))
            file.flush()
            modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in temporary(tmp_path)]
            os.close(os.open(tmp_path / "a", os.O_CREAT | os.O_WRONLY, 0o600))
    finally:
        os.umask(before)

    assert [0o600, 0o600] == modes
    assert 0o600 == stat.S_IMODE((tmp_path / "a").stat().st_mode)
    assert 0o644 == stat.S_IMODE((tmp_path / "b").stat().st_mode)


def test_stream_to_a_free_name_gets_the_default_access_list(tmp_path) -> None:
    """As a file that the kernel makes in one go."""
    none = 0xFFFFFFFF
    entries = [(1, 7, none), (2, 6, 1234), (4, 5, none), (16, 6, none), (32, 0, none)]
    default = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    try:
        os.setxattr(tmp_path, "system.posix_acl_default", default)
    except OSError as error:
        pytest.skip(f"no access lists here: {error}")
    (tmp_path / "plain").touch()
    with hold_open(tmp_path / "a", "wb") as file:
        file.write(b"new")

    plain, made = tmp_path / "plain", tmp_path / "a"
    access = "system.posix_acl_access"
    assert plain.stat().st_mode == made.stat().st_mode
    assert os.getxattr(plain, access) == os.getxattr(made, access)


def test_mode_of_a_stream_is_that_of_the_umask_when_it_was_opened(tmp_path) -> None:
    """As for the built-in `open`."""
    before = os.umask(0o077)
    try:
        file = hold_open(tmp_path / "a", "wb")
        os.umask(0o022)
        file.close()
    finally:
        os.umask(before)

    assert 0o600 == stat.S_IMODE((tmp_path / "a").stat().st_mode)


def test_stream_whose_target_went_is_a_new_file(tmp_path) -> None:
    """Its mode is that of a new one."""
    before = os.umask(0o027)
    try:
        (tmp_path / "a").write_bytes(b"old")
        with hold_open(tmp_path / "a", "wb") as file:
            file.write(b"new")
            (tmp_path / "a").unlink()
    finally:
        os.umask(before)

    assert 0o640 == stat.S_IMODE((tmp_path / "a").stat().st_mode)
