"""`holdfast.vfs.darwin` on Linux, which refuses what it does not know, and its pure parts."""

from __future__ import annotations

import ctypes
import errno
import os
import sys

import pytest

from holdfast.vfs.called_words import CalledWords
from holdfast.vfs.darwin import DarwinVFS, parse_statfs, promises_of, sync_descriptor

LOCAL, JOURNALED = 0x1000, 0x800000
FULL, BARRIER = 51, 85
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="leans on what Linux refuses")


class Statfs(ctypes.Structure):
    """`struct statfs` of <sys/mount.h>, with 64-bit inodes."""

    _fields_ = (
        ("f_bsize", ctypes.c_uint32),
        ("f_iosize", ctypes.c_int32),
        ("f_blocks", ctypes.c_uint64),
        ("f_bfree", ctypes.c_uint64),
        ("f_bavail", ctypes.c_uint64),
        ("f_files", ctypes.c_uint64),
        ("f_ffree", ctypes.c_uint64),
        ("f_fsid", ctypes.c_int32 * 2),
        ("f_owner", ctypes.c_uint32),
        ("f_type", ctypes.c_uint32),
        ("f_flags", ctypes.c_uint32),
        ("f_fssubtype", ctypes.c_uint32),
        ("f_fstypename", ctypes.c_char * 16),
        ("f_mntonname", ctypes.c_char * 1024),
        ("f_mntfromname", ctypes.c_char * 1024),
        ("f_flags_ext", ctypes.c_uint32),
        ("f_reserved", ctypes.c_uint32 * 7),
    )


@pytest.fixture
def folder(tmp_path):
    opened = DarwinVFS().folder(str(tmp_path))
    yield opened
    opened.close()


@on_linux
def test_sync_falls_back_to_fsync(folder) -> None:
    """Where F_FULLFSYNC and F_BARRIERFSYNC are unknown, the plain sync is done."""
    file = folder.open("a", "new")
    file.write(b"a")

    file.sync()
    folder.sync()
    file.close()


@pytest.mark.parametrize(
    ("expected", "answers"),
    [
        ([FULL], {}),
        ([FULL, BARRIER], {FULL: errno.ENOTSUP}),
        ([FULL, BARRIER], {FULL: errno.EINVAL, BARRIER: errno.ENOTTY}),
    ],
)
def test_strongest_sync_that_there_is_comes_first(tmp_path, expected, answers) -> None:
    """F_FULLFSYNC, then F_BARRIERFSYNC, then fsync; what succeeds ends it."""
    asked = []

    def control(fd, command):
        asked.append(command)
        if command in answers:
            raise OSError(answers[command], os.strerror(answers[command]))
        return 0

    with (tmp_path / "a").open("wb") as file:
        sync_descriptor(file.fileno(), control=control)

    assert expected == asked


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
def test_failed_sync_is_not_tried_in_a_weaker_way(tmp_path, code) -> None:
    """An error of the disk is raised: another sync would report success."""
    asked = []

    def control(fd, command):
        asked.append(command)
        raise OSError(code, os.strerror(code))

    with (tmp_path / "a").open("wb") as file, pytest.raises(OSError) as caught:
        sync_descriptor(file.fileno(), control=control)

    assert code == caught.value.errno
    assert [FULL] == asked


def test_sync_raises_what_is_no_missing_call() -> None:
    """A bad descriptor is an error of every sync, and no reason to try a weaker one."""
    with pytest.raises(OSError) as caught:
        sync_descriptor(-1)

    assert errno.EBADF == caught.value.errno


@on_linux
def test_sync_of_what_cannot_be_synced_is_an_error() -> None:
    """A pipe refuses all three."""
    reading, writing = os.pipe()
    try:
        with pytest.raises(OSError) as caught:
            sync_descriptor(writing)
    finally:
        os.close(reading)
        os.close(writing)

    assert errno.EINVAL == caught.value.errno


def test_holder_announces_itself_in_the_lock_file(folder, tmp_path) -> None:
    """The line is written once, and whoever opens the file reads who holds it."""
    vfs = DarwinVFS()
    file = folder.open("a.lock", "create")
    assert file.lock()
    vfs.announce(file)
    before = file.stat().st_mtime_ns
    vfs.announce(file)

    other = folder.open("a.lock", "read")
    holder = vfs.holder(other)
    assert holder is not None
    assert os.getpid() == holder.pid
    assert before == file.stat().st_mtime_ns
    assert (tmp_path / "a.lock").read_bytes().startswith(b"%d " % os.getpid())
    other.close()
    file.close()


def test_lock_of_another_program_names_nobody(folder) -> None:
    """An empty lock file is locked all the same; who holds it is not known."""
    file = folder.open("a.lock", "create")
    file.lock()

    assert None is DarwinVFS().holder(file)
    file.close()


def test_announcing_into_a_read_only_file_is_no_error(folder, tmp_path) -> None:
    """The holder's line is a hint; a lock file that cannot be written is locked all the same."""
    (tmp_path / "a.lock").write_bytes(b"")
    file = folder.open("a.lock", "read")

    DarwinVFS().announce(file)

    assert b"" == file.read(10)
    file.close()


@on_linux
def test_attributes_are_read_and_set(folder) -> None:
    """Attributes of any size, and empty ones, travel from a file to another."""
    wanted = {"user.empty": b"", "user.short": b"\0\1", "user.long": bytes(range(256)) * 8}
    old = folder.open("old", "new")
    old.set_attributes(mode=0o600, owner=None, xattrs=wanted)
    old.close()
    new = folder.open("new", "new")
    new.set_attributes(mode=0o640, owner=None, xattrs=folder.xattrs("old"))
    new.close()

    found = folder.xattrs("new")
    assert wanted == {name: value for name, value in found.items() if name in wanted}
    assert 0o640 == folder.stat("new").st_mode & 0o777


@on_linux
def test_attribute_that_cannot_be_kept_is_an_error(folder) -> None:
    """Only what the system manages is left out in silence; all else says which one it was."""
    file = folder.open("a", "new")
    file.set_attributes(mode=0o600, owner=None, xattrs={"com.apple.provenance": b"1"})

    with pytest.raises(OSError) as caught:
        file.set_attributes(mode=0o600, owner=None, xattrs={"unknown": b"1"})
    file.close()

    assert any("unknown" in note for note in caught.value.__notes__)


@on_linux
def test_access_list_that_cannot_be_set_is_an_error(folder) -> None:
    """A file must not become more open because its access list cannot be kept."""
    file = folder.open("a", "new")

    with pytest.raises(OSError) as caught:
        file.set_attributes(mode=0o600, owner=None, xattrs={"access list": b"!#acl 1\n"})
    file.close()

    assert errno.ENOTSUP == caught.value.errno


@on_linux
def test_words_of_an_unknown_volume_are_called(folder) -> None:
    """Where nobody says that the volume is local, no store may end the process."""
    file = folder.open("a", "new")
    file.write(bytes(8))
    words = file.words(1)
    words[0] = 5

    assert isinstance(words, CalledWords)
    assert 5 == words[0]

    words.release()
    file.sync_data()
    file.close()


@pytest.mark.parametrize(("expected", "filesystem"), [(True, "hfs"), (False, "apfs")])
def test_filling_with_zeros_gains_where_nothing_copies_on_write(expected, filesystem) -> None:
    """APFS gives every write a new place, so blocks that are there spare nothing."""
    assert expected is promises_of(filesystem, LOCAL).zero_filling


def test_statfs_is_read_as_it_is_laid_out() -> None:
    """Name and flags stand where the header puts them."""
    facts = Statfs(f_flags=LOCAL | JOURNALED, f_fssubtype=7, f_fstypename=b"apfs")

    assert 2168 == ctypes.sizeof(Statfs)
    assert ("apfs", LOCAL | JOURNALED) == parse_statfs(bytes(facts))


def test_local_volume_keeps_all_but_events() -> None:
    """A local volume syncs, locks, and is watched by looking."""
    promises = promises_of("apfs", LOCAL)

    assert ("apfs", True, True, True, False) == promises[:5]
    assert 1 == len(promises.weaknesses)


def test_network_volume_may_lock_this_machine_only() -> None:
    """A volume that is not local has a sentence about its locks."""
    promises = promises_of("smbfs", 0)

    assert not promises.locks
    assert any("locks" in sentence for sentence in promises.weaknesses)
