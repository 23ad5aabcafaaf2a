"""A stream is a file like any other, with a window of what a power cut may take."""

from __future__ import annotations

import array
import asyncio
import csv
import gc
import gzip
import io
import json
import math
import os
import shutil
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.errors import Closed, HandlePoisoned, LockTimeout, PromiseUnavailable
from holdfast.primitives.stream import Stream
from holdfast.vfs import ManualClock
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.memory import MemoryVFS
from tests.support.streams import PATIENCE_S, Syncs, taken

NEVER_S = 3600.0


@pytest.fixture(autouse=True)
def no_timer_left() -> Iterator[None]:
    """Fail a test after which the timer of a stream still runs."""
    yield
    assert [] == [t.name for t in threading.enumerate() if t.name == "holdfast-stream"]


def held(disk: MemoryVFS, name: str = "a") -> object:
    """What the file holds now."""
    return disk.tree()[name]


def durable(disk: MemoryVFS, name: str = "a") -> set[object]:
    """What the file may hold after a power cut from now on."""
    mark = disk.token()
    disk.mark(mark)
    found = set()
    for crashed in disk.crash_states():
        state = crashed.crash_state
        if state is not None and mark in state.marks:
            found.add(crashed.tree().get(name))
    return found


class TestFile:
    def test_writes_are_appended(self, tmp_path: Path) -> None:
        """What was there stays; each write follows the last."""
        (tmp_path / "a").write_bytes(b"old ")
        with Stream(tmp_path / "a") as stream:
            assert 3 == stream.write(b"one")
            assert 3 == stream.write(bytearray(b"two"))

        assert b"old onetwo" == (tmp_path / "a").read_bytes()

    def test_data_is_in_the_system_when_write_returns(self, tmp_path: Path) -> None:
        """Another reader finds it at once: a kill loses nothing."""
        with Stream(tmp_path / "a", sync_every_s=NEVER_S) as stream:
            stream.write(b"one")

            assert b"one" == (tmp_path / "a").read_bytes()

    @pytest.mark.parametrize("data", [b"", bytearray(), memoryview(b""), array.array("i")])
    def test_nothing_is_written(self, data) -> None:
        """Of nothing, no byte is written."""
        with Stream("/a", vfs=MemoryVFS()) as stream:
            assert 0 == stream.write(data)

    def test_items_are_written_as_bytes(self) -> None:
        """Anything with a buffer is, and the count is in bytes."""
        disk = MemoryVFS()
        with Stream("/a", vfs=disk) as stream:
            assert 8 == stream.write(array.array("H", [1, 2, 3, 4]))

        assert array.array("H", [1, 2, 3, 4]).tobytes() == held(disk)

    def test_text_is_refused(self) -> None:
        """It is a binary file."""
        with Stream("/a", vfs=MemoryVFS()) as stream, pytest.raises(TypeError):
            stream.write("text")  # type: ignore[arg-type]

    def test_it_can_do_what_an_appending_file_can(self) -> None:
        """Written, told; not read, not sought, without a descriptor to write past it."""
        with Stream("/a", vfs=MemoryVFS()) as stream:
            stream.writelines([b"one", b"two"])

            assert stream.writable()
            assert not stream.readable()
            assert not stream.seekable()
            assert 6 == stream.tell() == stream.written
            assert ("/a", "ab") == (stream.name, stream.mode)
            assert "6 bytes, 0 durable" in repr(stream)
            for refused in (stream.fileno, stream.read, lambda: stream.seek(0)):
                with pytest.raises(io.UnsupportedOperation):
                    refused()
        assert "closed" in repr(stream)

    def test_text_layer_takes_csv_and_print(self, tmp_path: Path) -> None:
        """`TextIOWrapper` makes it a text file, and closes it."""
        with io.TextIOWrapper(Stream(tmp_path / "a"), encoding="utf-8", newline="") as text:
            csv.writer(text).writerow(["n", 1])
            print("printed", file=text)
            json.dump({"n": 1}, text)

        assert b'n,1\r\nprinted\n{"n": 1}' == (tmp_path / "a").read_bytes()

    def test_compressors_and_archives_write_to_it(self, tmp_path: Path) -> None:
        """gzip appends members; zipfile and tarfile write whole archives."""
        for text in (b"one", b"two"):
            with Stream(tmp_path / "a.gz") as stream, gzip.open(stream, "wb") as file:
                file.write(text)
        with Stream(tmp_path / "a.zip") as stream, zipfile.ZipFile(stream, "w") as archive:
            archive.writestr("x", "in the archive")
        with Stream(tmp_path / "a.tar") as stream, tarfile.open(fileobj=stream, mode="w|") as tar:
            tar.add(tmp_path / "a.gz", "x")

        assert b"onetwo" == gzip.decompress((tmp_path / "a.gz").read_bytes())
        with zipfile.ZipFile(tmp_path / "a.zip") as archive:
            assert b"in the archive" == archive.read("x")
        with tarfile.open(tmp_path / "a.tar") as tar:
            assert ["x"] == tar.getnames()

    def test_copyfileobj_writes_to_it(self) -> None:
        """A file of a megabyte, through a window of a tenth of that."""
        disk, data = MemoryVFS(), bytes(range(256)) * 4096
        with Stream("/a", max_unsynced_bytes=100_000, vfs=disk) as stream:
            shutil.copyfileobj(io.BytesIO(data), stream)

        assert data == held(disk)

    def test_folders_and_file_are_made(self, tmp_path: Path) -> None:
        """With the mode that was asked for."""
        with Stream(tmp_path / "x" / "y" / "a", permissions=0o600):
            pass

        assert 0o600 == (tmp_path / "x" / "y" / "a").stat().st_mode & 0o777

    def test_symlink_is_followed(self, tmp_path: Path) -> None:
        """The file that it leads to is written."""
        (tmp_path / "d").mkdir()
        (tmp_path / "link").symlink_to("d/a")
        with Stream(tmp_path / "link") as stream:
            stream.write(b"one")

        assert b"one" == (tmp_path / "d" / "a").read_bytes()

    def test_relative_path_means_the_folder_of_the_start(self, tmp_path: Path) -> None:
        """A later chdir changes nothing, not even where the name is synced."""
        (tmp_path / "elsewhere").mkdir()
        before = os.getcwd()
        os.chdir(tmp_path)
        try:
            with Stream("a") as stream:
                os.chdir("elsewhere")
                stream.write(b"one")
                stream.sync()
        finally:
            os.chdir(before)

        assert b"one" == (tmp_path / "a").read_bytes()

    @pytest.mark.parametrize("kind", ["folder", "fifo"])
    def test_what_is_no_file_is_refused(self, tmp_path: Path, kind: str) -> None:
        """It is untouched."""
        os.mkdir(tmp_path / "a") if kind == "folder" else os.mkfifo(tmp_path / "a")
        with pytest.raises(PromiseUnavailable, match="untouched"):
            Stream(tmp_path / "a")

    @pytest.mark.parametrize(
        "options",
        [
            {"sync_every_s": 0},
            {"sync_every_s": -1},
            {"sync_every_s": math.nan},
            {"sync_every_s": math.inf},
            {"max_unsynced_bytes": 0},
            {"buffer_bytes": -1},
            {"buffer_bytes": 11, "max_unsynced_bytes": 10},
        ],
    )
    def test_option_without_meaning_is_refused(self, options) -> None:
        """Before anything is made."""
        disk = MemoryVFS()
        with pytest.raises(ValueError, match=next(iter(options))):
            Stream("/a", vfs=disk, **options)

        assert {} == disk.tree()


class TestOneWriter:
    def test_second_stream_is_refused_and_told_by_whom(self, tmp_path: Path) -> None:
        """Two that append at their own positions would overwrite each other."""
        with Stream(tmp_path / "a") as stream:
            with pytest.raises(LockTimeout, match="is being written") as busy:
                Stream(tmp_path / "a")
            stream.write(b"one")
        with Stream(tmp_path / "a") as stream:
            stream.write(b"two")

        assert b"onetwo" == (tmp_path / "a").read_bytes()
        assert str(tmp_path / "a") == busy.value.path

    def test_threads_write_whole_pieces(self) -> None:
        """Each write is in the file in one piece, and all are."""
        disk = MemoryVFS()
        with Stream("/a", max_unsynced_bytes=64, sync_every_s=0.001, vfs=disk) as stream:
            pieces = [bytes([65 + n]) * 16 for n in range(4)]
            threads = [
                threading.Thread(target=lambda p=piece: [stream.write(p) for _ in range(50)])
                for piece in pieces
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        data = bytes(held(disk))  # type: ignore[call-overload]
        found = [data[at : at + 16] for at in range(0, len(data), 16)]

        assert sorted(pieces * 50) == sorted(found)


class TestWindow:
    def test_sync_makes_all_durable(self) -> None:
        """Contents and name: no state after a power cut has less."""
        disk = MemoryVFS()
        with Stream("/a", sync_every_s=NEVER_S, vfs=disk) as stream:
            stream.write(b"one")
            assert (3, 0, 3) == (stream.written, stream.durable, stream.unsynced_bytes)
            assert {None, b"one"} <= durable(disk)
            stream.sync()

            assert {b"one"} == durable(disk)
            assert (3, 3, 0) == (stream.written, stream.durable, stream.unsynced_bytes)

    def test_close_is_a_sync_and_is_done_once(self) -> None:
        """After it all is durable; a second one does nothing."""
        disk = MemoryVFS()
        stream = Stream("/a", sync_every_s=NEVER_S, vfs=disk)
        stream.write(b"one")
        stream.close()
        stream.close()

        assert {b"one"} == durable(disk)
        assert 3 == stream.durable

    def test_body_that_fails_closes_all_the_same(self) -> None:
        """What was written stands: a stream has nothing to take back."""
        disk = MemoryVFS()
        with pytest.raises(KeyError), Stream("/a", vfs=disk) as stream:
            stream.write(b"one")
            raise KeyError

        assert {b"one"} == durable(disk)

    def test_name_of_an_empty_file_is_durable_after_close(self) -> None:
        """A file that was opened and closed is there."""
        disk = MemoryVFS()
        Stream("/a", vfs=disk).close()

        assert {b""} == durable(disk)

    def test_what_was_there_is_durable_when_it_is_opened(self) -> None:
        """The window counts what this stream has written, and nothing else."""
        disk = MemoryVFS()
        folder = disk.folder("/")
        file = folder.open("a", "new")
        file.write(b"unsynced")
        file.close()
        folder.close()
        with Stream("/a", vfs=disk) as stream:
            assert {b"unsynced"} == durable(disk)
            assert (8, 8, 0) == (stream.written, stream.durable, stream.unsynced_bytes)

    def test_time_bound_holds_when_nobody_writes_again(self) -> None:
        """The thread syncs by itself."""
        disk = MemoryVFS()
        syncs = Syncs(disk)
        with Stream("/a", sync_every_s=0.01, vfs=syncs) as stream:
            stream.write(b"one")
            syncs.await_ended()
            for _ in range(1000):
                if stream.durable:
                    break
                threading.Event().wait(0.01)

            assert 3 == stream.durable
            assert stream.oldest_unsynced_s is None
        assert {b"one"} == durable(disk)

    def test_nothing_is_synced_when_nothing_was_written(self) -> None:
        """One sync a burst: the thread sleeps until the next byte."""
        syncs = Syncs(MemoryVFS())
        with Stream("/a", sync_every_s=0.01, vfs=syncs) as stream:
            stream.write(b"one")
            syncs.await_ended()
            threading.Event().wait(0.1)

            assert 1 == syncs.count

    def test_byte_bound_makes_the_writer_sync(self) -> None:
        """No more than the window is ever unsynced, were it one write that is larger."""
        disk = MemoryVFS()
        syncs = Syncs(disk)
        with Stream("/a", sync_every_s=NEVER_S, max_unsynced_bytes=10, vfs=syncs) as stream:
            assert 10 == stream.write(b"x" * 10)
            assert 0 == syncs.count
            assert 1 == stream.write(b"y")
            assert (1, 10) == (syncs.count, stream.durable)
            assert 25 == stream.write(b"z" * 25)
            assert 10 >= stream.unsynced_bytes

        assert b"x" * 10 + b"y" + b"z" * 25 == held(disk)

    def test_full_window_blocks_the_writer_until_the_sync_is_over(self) -> None:
        """Back-pressure: it waits for the sync under way, and does not begin another."""
        syncs = Syncs(MemoryVFS())
        with Stream("/a", sync_every_s=NEVER_S, max_unsynced_bytes=4, vfs=syncs) as stream:
            stream.write(b"1234")
            syncs.hold()
            first = threading.Thread(target=stream.sync)
            first.start()
            syncs.await_begun()
            second = threading.Thread(target=stream.write, args=(b"5",))
            second.start()
            second.join(0.05)
            assert second.is_alive()
            assert 4 == stream.written
            syncs.let_go()
            first.join(PATIENCE_S)
            second.join(PATIENCE_S)

            assert (5, 1) == (stream.written, syncs.count)

    def test_age_is_that_of_the_oldest_byte(self) -> None:
        """By the clock that was passed in; none when all is durable."""
        clock = ManualClock()
        with Stream("/a", sync_every_s=NEVER_S, vfs=MemoryVFS(), clock=clock) as stream:
            assert stream.oldest_unsynced_s is None
            stream.write(b"one")
            clock.advance(3)
            stream.write(b"two")
            clock.advance(4)
            assert 7 == pytest.approx(stream.oldest_unsynced_s)
            stream.sync()
            assert stream.oldest_unsynced_s is None
            stream.write(b"three")

            assert 0 == stream.oldest_unsynced_s

    def test_bytes_of_a_sync_under_way_are_the_oldest(self) -> None:
        """Until it is over; then what came meanwhile is."""
        clock, syncs = ManualClock(), Syncs(MemoryVFS())
        with Stream("/a", sync_every_s=NEVER_S, vfs=syncs, clock=clock) as stream:
            stream.write(b"one")
            clock.advance(5)
            syncs.hold()
            thread = threading.Thread(target=stream.sync)
            thread.start()
            syncs.await_begun()
            stream.write(b"two")
            clock.advance(2)
            assert 7 == pytest.approx(stream.oldest_unsynced_s)
            syncs.let_go()
            thread.join(PATIENCE_S)

            assert 2 == pytest.approx(stream.oldest_unsynced_s)
            assert (6, 3) == (stream.written, stream.durable)

    def test_threads_share_a_sync(self) -> None:
        """Those who ask while one is under way are served by the next, together."""
        syncs = Syncs(MemoryVFS())
        with Stream("/a", sync_every_s=NEVER_S, vfs=syncs) as stream:
            stream.write(b"one")
            syncs.hold()
            threads = [threading.Thread(target=stream.sync)]
            threads[0].start()
            syncs.await_begun()
            stream.write(b"two")
            threads += [threading.Thread(target=stream.sync) for _ in range(8)]
            for thread in threads[1:]:
                thread.start()
            syncs.let_go()
            for thread in threads:
                thread.join(PATIENCE_S)

            assert 6 == stream.durable
            assert 2 == syncs.count


class TestBuffer:
    def test_small_writes_are_gathered(self) -> None:
        """The system is called when the buffer is full, at `flush` and at `sync`."""
        disk = MemoryVFS()
        with Stream("/a", sync_every_s=NEVER_S, buffer_bytes=8, vfs=disk) as stream:
            stream.write(b"12345")
            assert (b"", 5, 5) == (held(disk), stream.written, stream.unsynced_bytes)
            stream.write(b"6789")
            assert b"12345" == held(disk)
            stream.flush()
            assert b"123456789" == held(disk)
            stream.write(b"0")
            stream.sync()

            assert {b"1234567890"} == durable(disk)
            assert 10 == stream.durable

    def test_large_write_goes_past_the_buffer_in_order(self) -> None:
        """What was buffered goes first."""
        disk = MemoryVFS()
        with Stream("/a", sync_every_s=NEVER_S, buffer_bytes=8, vfs=disk) as stream:
            stream.write(b"12")
            stream.write(b"x" * 20)

            assert b"12" + b"x" * 20 == held(disk)

    def test_time_bound_counts_from_the_write(self) -> None:
        """The thread passes on what is buffered, and syncs it."""
        disk = MemoryVFS()
        syncs = Syncs(disk)
        with Stream("/a", sync_every_s=0.01, buffer_bytes=100, vfs=syncs) as stream:
            stream.write(b"one")
            syncs.await_ended()

            assert b"one" == held(disk)

    def test_byte_bound_counts_the_buffer(self) -> None:
        """What is buffered is lost in a power cut as well."""
        syncs = Syncs(MemoryVFS())
        with Stream(
            "/a", sync_every_s=NEVER_S, buffer_bytes=8, max_unsynced_bytes=8, vfs=syncs
        ) as stream:
            stream.write(b"12345")
            stream.write(b"6789")
            assert (1, 4) == (syncs.count, stream.unsynced_bytes)

    def test_write_that_the_timer_could_not_do_is_told_to_the_writer(self) -> None:
        """The buffer has room, but the disk has none: the next write says so, and takes nothing."""
        disk = MemoryVFS(capacity_bytes=0)
        failing = Syncs(disk)
        stream = Stream("/a", sync_every_s=0.01, buffer_bytes=100, vfs=failing)
        stream.write(b"one")
        with pytest.raises(OSError, match="No space") as told:
            for _ in range(1000):
                stream.write(b".")
                threading.Event().wait(0.01)
        assert 0 == taken(told.value)
        disk.core.capacity_bytes = None
        stream.close()

        assert bytes(held(disk)).startswith(b"one")  # type: ignore[call-overload]


class TestErrors:
    def test_first_failed_sync_is_the_last(self) -> None:
        """Whatever comes after it is refused, with what is durable and the first error."""
        syncs = Syncs(MemoryVFS())
        disk = Faulty(syncs, Fault("sync_data", 1, effect="EIO"))
        stream = Stream("/a", sync_every_s=NEVER_S, vfs=disk)
        stream.write(b"one")
        stream.sync()
        stream.write(b"two")
        with pytest.raises(OSError, match="Input/output") as first:
            stream.sync()
        assert "The first 3 bytes are durable" in first.value.__notes__[0]
        for refused in (stream.sync, stream.flush, lambda: stream.write(b"x"), stream.close):
            with pytest.raises(HandlePoisoned, match="The first 3 bytes are durable") as error:
                refused()
            assert (3, first.value) == (error.value.durable, error.value.first)
        stream.close()

        assert stream.closed
        assert 1 == syncs.count

    def test_failed_sync_of_the_thread_is_told_to_the_next_caller(self) -> None:
        """Nobody asked for it; nobody is spared."""
        syncs = Syncs(Faulty(MemoryVFS(), Fault("sync", 1, effect="ENOSPC")))
        stream = Stream("/a", sync_every_s=0.01, vfs=syncs)
        stream.write(b"one")
        syncs.await_ended()
        with pytest.raises(HandlePoisoned):
            for _ in range(1000):
                stream.flush()
                threading.Event().wait(0.01)
        with pytest.raises(HandlePoisoned):
            stream.close()

        assert 1 == syncs.count

    def test_failed_sync_of_the_folder_is_one_of_the_file(self) -> None:
        """A file without a name is not durable."""
        disk = Faulty(MemoryVFS(), Fault("sync_folder", 1, effect="EIO"))
        stream = Stream("/a", sync_every_s=NEVER_S, vfs=disk)
        stream.write(b"one")
        with pytest.raises(OSError, match="Input/output"):
            stream.sync()
        with pytest.raises(HandlePoisoned) as error:
            stream.close()

        assert 0 == error.value.durable

    def test_full_disk_says_how_much_was_taken(self) -> None:
        """The rest can be written when there is room."""
        disk = MemoryVFS(capacity_bytes=5)
        with Stream("/a", sync_every_s=NEVER_S, vfs=disk) as stream:
            stream.write(b"123")
            with pytest.raises(OSError, match="No space") as error:
                stream.write(b"4567")
            assert 2 == taken(error.value)
            assert 5 == stream.written
            assert "2 of the 4 bytes" in error.value.__notes__[0]
            disk.core.capacity_bytes = None
            stream.write(b"67")

        assert b"1234567" == held(disk)

    def test_short_write_goes_on(self) -> None:
        """The system may take a part: all is written."""
        disk = MemoryVFS()
        with Stream("/a", vfs=Faulty(disk, Fault("write", 1, effect="short 2"))) as stream:
            assert 7 == stream.write(b"1234567")

        assert b"1234567" == held(disk)

    def test_write_that_writes_nothing_is_an_error(self) -> None:
        """It is not tried for ever."""
        fault = Fault("write", 1, effect="short 0")
        stream = Stream("/a", vfs=Faulty(MemoryVFS(), fault))
        with stream, pytest.raises(OSError, match="wrote nothing"):
            stream.write(b"1")

    def test_closed_stream_is_refused(self) -> None:
        """As a `ValueError`, which it is for other files."""
        stream = Stream("/a", vfs=MemoryVFS())
        stream.close()
        for refused in (stream.sync, stream.flush, lambda: stream.write(b"x")):
            with pytest.raises(Closed, match="closed"):
                refused()

    def test_failed_opening_leaves_nothing_open(self, tmp_path: Path) -> None:
        """Nor a lock: the next one may."""
        (tmp_path / "a").write_bytes(b"old")
        from holdfast.vfs import SYSTEM

        with pytest.raises(OSError, match="Input/output"):
            Stream(tmp_path / "a", vfs=Faulty(SYSTEM, Fault("sync", 1, effect="EIO")))
        Stream(tmp_path / "a").close()

    def test_dropped_stream_warns_and_is_synced(self) -> None:
        """Its thread ends too."""
        disk = MemoryVFS()
        streams = [Stream("/a", sync_every_s=NEVER_S, vfs=disk)]
        streams[0].write(b"one")
        with pytest.warns(ResourceWarning, match="collected without close"):
            streams.clear()

        assert {b"one"} == durable(disk)

    def test_stream_that_was_never_opened_is_collected_in_silence(self) -> None:
        """An object whose constructor refused has nothing to close."""
        stream = Stream.__new__(Stream)
        del stream
        gc.collect()


class TestAsyncio:
    def test_twins_do_not_block_the_event_loop(self) -> None:
        """A full window is waited for while other tasks go on."""
        syncs = Syncs(MemoryVFS())

        async def main() -> int:
            async with Stream(
                "/a", sync_every_s=NEVER_S, max_unsynced_bytes=4, vfs=syncs
            ) as stream:
                await stream.awrite(b"1234")
                await stream.aflush()
                syncs.hold()
                task = asyncio.create_task(stream.awrite(b"5"))
                await asyncio.to_thread(syncs.await_begun)
                syncs.let_go()
                assert 1 == await task
                await stream.abarrier()
                durable = stream.durable
                await stream.aclose()
                return durable

        assert 5 == asyncio.run(main())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
class TestFork:
    @staticmethod
    def in_child(work) -> None:
        """Run it in a child, and fail if it does."""
        child = os.fork()
        if not child:
            code = 1
            try:
                work()
                code = 0
            finally:
                os._exit(code)
        assert 0 == os.waitpid(child, 0)[1]

    def test_child_and_parent_append_behind_each_other(self, tmp_path: Path) -> None:
        """Nothing is overwritten, and the child's own syncs are its own."""
        with Stream(tmp_path / "a", sync_every_s=NEVER_S) as stream:
            stream.write(b"one ")

            def work() -> None:
                stream.write(b"two ")
                assert 8 == stream.written
                stream.close()

            self.in_child(work)
            stream.write(b"three")
            assert 13 == stream.written

        assert b"one two three" == (tmp_path / "a").read_bytes()

    def test_child_has_a_timer_of_its_own(self, tmp_path: Path) -> None:
        """Its first write starts one."""
        with Stream(tmp_path / "a", sync_every_s=0.01) as stream:
            stream.write(b"one")

            def work() -> None:
                stream.write(b"two")
                for _ in range(1000):
                    if stream.durable == 6:
                        return
                    threading.Event().wait(0.01)
                raise TimeoutError

            self.in_child(work)

    def test_buffer_is_written_once(self, tmp_path: Path) -> None:
        """It is the parent's: the child starts with an empty one."""
        with Stream(tmp_path / "a", sync_every_s=NEVER_S, buffer_bytes=100) as stream:
            stream.write(b"one")

            def work() -> None:
                stream.write(b"two")
                stream.close()

            self.in_child(work)

        assert b"twoone" == (tmp_path / "a").read_bytes()

    def test_fork_in_the_midst_of_a_sync_leaves_no_lock(self, tmp_path: Path) -> None:
        """The child goes on, though its copy of the lock belongs to a thread that it has not."""
        from holdfast.vfs import SYSTEM

        syncs = Syncs(SYSTEM)
        with Stream(tmp_path / "a", sync_every_s=NEVER_S, vfs=syncs) as stream:
            stream.write(b"one")
            syncs.hold()
            thread = threading.Thread(target=stream.sync)
            thread.start()
            syncs.await_begun()

            def work() -> None:
                syncs.let_go()
                stream.write(b"two")
                stream.close()

            self.in_child(work)
            syncs.let_go()
            thread.join(PATIENCE_S)

        assert b"onetwo" == (tmp_path / "a").read_bytes()

    def test_child_that_does_not_use_it_neither_syncs_nor_warns(self, tmp_path: Path) -> None:
        """Closing or dropping it is no matter of the child's."""
        from holdfast.vfs import SYSTEM

        syncs = Syncs(SYSTEM)
        streams = [Stream(tmp_path / "a", sync_every_s=NEVER_S, vfs=syncs)]
        streams[0].write(b"one")

        def work() -> None:
            syncs.hold()
            streams.clear()
            gc.collect()
            assert 0 == syncs.count

        self.in_child(work)
        streams[0].close()


def test_interpreter_that_ends_with_an_open_stream_does_not_hang(tmp_path: Path) -> None:
    """What is buffered reaches the system, and the exit code is the program's."""
    program = (
        "import sys\n"
        "from holdfast.primitives.stream import Stream\n"
        "stream = Stream(sys.argv[1], sync_every_s=0.0001, buffer_bytes=100)\n"
        "for n in range(1000): stream.write(b'%4d' % n)\n"
        "sys.exit(7)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "a")],
        timeout=60,
        check=False,
        capture_output=True,
        text=True,
    )

    assert (7, "") == (done.returncode, done.stderr)
    assert b"".join(b"%4d" % n for n in range(1000)) == (tmp_path / "a").read_bytes()


def test_interrupt_after_a_buffered_write_passes_nothing_on_twice() -> None:
    """An interrupt that comes when the system has the bytes: they are not written again."""
    from holdfast.vfs.interpose import Interposed

    class Interrupting(Interposed):
        strikes = True

        def around(self, call, do):
            result = do()
            if call.operation == "write" and self.strikes:
                self.strikes = False
                raise KeyboardInterrupt
            return result

    disk = MemoryVFS()
    with Stream("/a", sync_every_s=NEVER_S, buffer_bytes=8, vfs=Interrupting(disk)) as stream:
        stream.write(b"one")
        with pytest.raises(KeyboardInterrupt):
            stream.flush()
        assert 3 == stream.written
        stream.write(b"two")

    assert b"onetwo" == held(disk)
