"""Streams that replace their target when they are closed."""

from __future__ import annotations

import csv
import errno
import gc
import io
import json
import os
import stat
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from holdfast.errors import CommittedNotDurable, PromiseUnavailable
from holdfast.primitives import writer
from holdfast.primitives.writer import open as hold_open
from holdfast.vfs.fault import Fault, Faulty
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
