"""Calls that change what a file holds."""

from __future__ import annotations

import ctypes
import mmap
import os

import pytest

from holdfast.crash.recorders import RecordingRefused
from holdfast.vfs.operations import SyncFile, Truncate, Write

C = ctypes.CDLL(None, use_errno=True)


def opened(flags: int = 0) -> int:
    """Open the one file of these tests."""
    return os.open("f", os.O_RDWR | os.O_CREAT | flags, 0o644)


def changes(operations):
    """Return the operations on contents alone."""
    return [o for o in operations if isinstance(o, Write | Truncate | SyncFile)]


def test_plain_writes_go_where_the_position_is(recorded):
    """Each write is recorded at its offset, with its bytes."""

    def program():
        file = opened()
        os.write(file, b"abc")
        os.lseek(file, 10, os.SEEK_SET)
        os.writev(file, [b"d", b"ef"])

    assert [Write(2, 0, b"abc"), Write(2, 10, b"def")] == changes(recorded.operations(program))


def test_position_of_the_program_moves_as_without_recorder(recorded):
    """The position is that of the program's own file description."""

    def program():
        file = opened()
        os.write(file, b"abc")
        assert 3 == os.lseek(file, 0, os.SEEK_CUR)
        assert 2 == os.pwrite(file, b"xy", 1)
        assert 3 == os.lseek(file, 0, os.SEEK_CUR)

    assert [Write(2, 0, b"abc"), Write(2, 1, b"xy")] == changes(recorded.operations(program))


def test_appending_writes_go_to_the_end(recorded):
    """O_APPEND and RWF_APPEND write at the end, whatever the offset."""

    def program():
        file = opened(os.O_APPEND)
        os.write(file, b"one")
        os.pwrite(file, b"two", 0)
        os.pwritev(opened(), [b"three"], 0, os.RWF_APPEND)

    expected = [Write(2, 0, b"one"), Write(2, 3, b"two"), Write(2, 6, b"three")]
    assert expected == changes(recorded.operations(program))


def test_synced_writes_are_synced(recorded):
    """O_SYNC and RWF_SYNC make each write durable as fsync does, the others without names."""

    def program():
        os.write(opened(os.O_DSYNC), b"a")
        os.write(opened(os.O_SYNC), b"b")
        os.pwritev(opened(), [b"c"], 0, os.RWF_DSYNC)
        os.pwritev(opened(), [b"d"], 0, os.RWF_SYNC)
        os.pwritev(opened(os.O_DSYNC), [b"e"], 0, os.RWF_SYNC)

    found = changes(recorded.operations(program))
    assert [Write, SyncFile] * 5 == [type(operation) for operation in found]
    expected = [SyncFile(2, data_only) for data_only in (True, False, True, False, False)]
    assert expected == found[1::2]


@pytest.mark.parametrize("way", ["O_DSYNC", "O_SYNC", "RWF_DSYNC", "sendfile"])
def test_synchronous_write_syncs_what_it_wrote(recorded, way):
    """Other data of the file stay unsynced, and a note says so, until the file is synced."""
    (recorded.folder / "s").write_bytes(b"head")

    def write_synced():
        if way == "RWF_DSYNC":
            os.pwritev(opened(), [b"head"], 0, os.RWF_DSYNC)
        elif way == "sendfile":
            os.sendfile(opened(os.O_DSYNC), os.open("s", os.O_RDONLY), 0, 4)
        else:
            os.write(opened(getattr(os, way)), b"head")

    def program():
        file = opened()
        os.pwrite(file, b"data", 8192)
        write_synced()
        os.fdatasync(file)
        write_synced()

    recording = recorded.call(program)
    expected = [Write, Write, SyncFile, Write, SyncFile]
    assert expected == [type(operation) for operation in changes(recording.operations)]
    assert ["a synchronous write into f, which holds"] == [note[:39] for note in recording.notes]


def test_cut_file_is_whole_after_a_synchronous_write(recorded):
    """Opened anew, cut and written synchronously: nothing of it is left unsynced."""
    (recorded.folder / "f").write_bytes(b"x" * 9000)
    data = b"new"

    def program():
        os.write(opened(os.O_TRUNC | os.O_DSYNC), data)

    expected = [Truncate(2, 0), Write(2, 0, data), SyncFile(2, data_only=True)]
    assert expected == changes(recorded.operations(program))


@pytest.fixture
def direct_folder(recorded):
    """The folder to be recorded, where files can be opened with O_DIRECT."""
    try:
        os.close(os.open(recorded.folder / "probe", os.O_CREAT | os.O_RDWR | os.O_DIRECT))
    except OSError:
        pytest.skip("this filesystem knows no O_DIRECT")
    (recorded.folder / "probe").unlink()
    return recorded


def test_direct_writes(direct_folder):
    """O_DIRECT wants whole blocks in memory that is aligned; they arrive, vectors too."""

    def program():
        file = opened(os.O_DIRECT)
        block = mmap.mmap(-1, 4096)
        block[:] = b"a" * 4096
        assert 4096 == os.write(file, block)
        assert 4096 == os.pwrite(file, block, 8192)
        assert 8192 == os.writev(file, [block, block])

    block = b"a" * 4096
    expected = [Write(2, 0, block), Write(2, 8192, block), Write(2, 4096, block * 2)]
    assert expected == changes(direct_folder.operations(program))


def test_direct_write_from_unaligned_memory(direct_folder, monkeypatch):
    """It fails, or not, as without the recorder."""
    block = memoryview(mmap.mmap(-1, 8192))[1:4097]

    def attempt() -> bool:
        file = opened(os.O_DIRECT)
        try:
            return os.write(file, block) == 4096
        except OSError:
            return False
        finally:
            os.close(file)

    monkeypatch.chdir(direct_folder.folder)
    natively = attempt()
    (direct_folder.folder / "f").unlink()

    def program():
        assert natively == attempt()

    writes = changes(direct_folder.operations(program))
    assert natively == bool(writes)


def test_write_that_does_not_append(recorded):
    """RWF_NOAPPEND goes where it says, on a descriptor that appends."""
    noappend = 0x20
    (recorded.folder / "f").write_bytes(b"12345")

    def program():
        try:
            os.pwritev(opened(os.O_APPEND), [b"x"], 1, noappend)
        except OSError:  # before Linux 6.9
            os.pwrite(opened(), b"x", 1)

    assert [Write(2, 1, b"x")] == changes(recorded.operations(program))


def test_truncation_both_ways(recorded):
    """By path and by descriptor, shorter and longer."""

    def program():
        file = opened()
        os.write(file, b"abc")
        os.ftruncate(file, 1)
        os.truncate("f", 5000)

    expected = [Write(2, 0, b"abc"), Truncate(2, 1), Truncate(2, 5000)]
    assert expected == changes(recorded.operations(program))


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (0, [Truncate(2, 9000)]),
        (1, []),
        (1 | 2, [Write(2, 4000, bytes(1000))]),
        (0x10, [Write(2, 4000, bytes(1000)), Truncate(2, 9000)]),
    ],
    ids=["grow", "keep size", "punch", "zero"],
)
def test_allocation(recorded, mode, expected):
    """Allocation grows or zeroes as its mode says."""
    (recorded.folder / "f").write_bytes(b"x" * 5000)

    def program():
        size = [ctypes.c_long(4000), ctypes.c_long(5000)]
        if C.fallocate(opened(), mode, *size) != 0:
            raise OSError(ctypes.get_errno(), "fallocate")

    assert expected == changes(recorded.operations(program))


def test_allocation_that_moves_contents_is_refused(recorded):
    """Collapsing a range is not modelled, so nothing is recorded."""
    (recorded.folder / "f").write_bytes(b"x" * 16384)

    def program():
        C.fallocate(opened(), 8, ctypes.c_long(0), ctypes.c_long(4096))

    with pytest.raises(RecordingRefused, match=r"f: fallocate with mode 0x8"):
        recorded.call(program)


def test_copies_within_the_kernel(recorded):
    """sendfile and copy_file_range are recorded as what they wrote; offsets are the program's."""
    (recorded.folder / "s").write_bytes(b"0123456789")

    def program():
        source, target = os.open("s", os.O_RDONLY), opened()
        assert 4 == os.sendfile(target, source, 2, 4)
        assert 3 == os.copy_file_range(source, target, 3, 0, 1)
        assert 5 == os.sendfile(target, source, None, 5)
        assert 5 == os.lseek(source, 0, os.SEEK_CUR)

    found = changes(recorded.operations(program))
    assert [Write(3, 0, b"2345"), Write(3, 1, b"012"), Write(3, 4, b"01234")] == found


def test_splice_into_a_recorded_file_is_not_supported(recorded):
    """It fails with EINVAL, and the program's own way round it is recorded."""

    def program():
        reading, writing = os.pipe()
        os.write(writing, b"abc")
        with pytest.raises(OSError, match="Invalid argument"):
            os.splice(reading, opened(), 3)
        os.write(opened(), os.read(reading, 3))

    assert [Write(2, 0, b"abc")] == changes(recorded.operations(program))


def test_writes_elsewhere_are_not_recorded(recorded, tmp_path_factory):
    """Files outside of the folder, pipes and terminals stay as they are."""
    outside = tmp_path_factory.mktemp("outside") / "f"

    def program():
        outside.write_text("x")
        _, writing = os.pipe()
        os.write(writing, b"abc")

    assert () == recorded.call(program).calls
    assert "x" == outside.read_text()


def test_writes_on_a_wrong_descriptor_fail_as_ever(recorded):
    """EBADF, EFAULT and EINVAL come back as from the kernel."""

    def program():
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.write(999, b"x")
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.write(os.open("f", os.O_RDONLY | os.O_CREAT), b"x")
        assert -1 == C.write(opened(), ctypes.c_void_p(8), ctypes.c_size_t(8))
        assert 14 == ctypes.get_errno()

    recording = recorded.call(program)
    assert ["EBADF"] == [call.error for call in recording.calls if call.text.startswith("write")]


def test_large_writes(recorded):
    """A write of many pages arrives whole."""
    data = os.urandom(3_000_001)

    def program():
        assert len(data) == os.write(opened(), data)

    assert [Write(2, 0, data)] == changes(recorded.operations(program))


def test_write_takes_the_set_id_bits_away(recorded):
    """For a user that is not privileged the mode changes with the write, and both are recorded."""

    def program():
        file = opened()
        os.fchmod(file, 0o6777)
        if os.getuid() == 0:
            os.setresuid(65534, 65534, 65534)
        os.write(file, b"x")
        assert 0 == os.fstat(file).st_mode & 0o4000

    os.chmod(recorded.folder, 0o777)
    assert recorded.call(program).after[2].mode == 0o777
