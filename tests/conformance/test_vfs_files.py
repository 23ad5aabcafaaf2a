"""What `File` promises, on every implementation."""

from __future__ import annotations

import errno
import stat

import pytest

from tests.conformance.conftest import Place


def fails(number: int, *names: str):
    """Expect an `OSError` with this errno and these file names."""

    def matches(error: OSError) -> bool:
        known = {error.filename, error.filename2} - {None}
        return error.errno == number and (not names or known == set(names))

    return pytest.raises(OSError, check=matches)


def test_write_then_read_gives_the_bytes(place: Place) -> None:
    """What was written is read back, through another descriptor too."""
    file = place.folder.open("a", "new")
    assert 5 == file.write(b"hello")
    assert b"hello" == file.read(100, offset=0)
    assert b"hello" == place.read("a")
    file.close()


@pytest.mark.parametrize("data", [bytearray(b"abc"), memoryview(b"xabcx")[1:4]])
def test_any_buffer_can_be_written(place: Place, data: bytearray) -> None:
    """Write takes whatever has the buffer interface."""
    file = place.folder.open("a", "new")
    assert 3 == file.write(data)
    file.close()
    assert b"abc" == place.read("a")


def test_empty_write_changes_nothing(place: Place) -> None:
    """Writing no bytes returns 0 and leaves the file empty, even far behind its end."""
    file = place.folder.open("a", "new")
    assert 0 == file.write(b"")
    assert 0 == file.write(b"", offset=100)
    assert 0 == file.stat().st_size
    file.close()


def test_position_moves_by_what_was_handled(place: Place) -> None:
    """Reads and writes without an offset go on where the last one ended."""
    file = place.folder.open("a", "new")
    file.write(b"abc")
    file.write(b"def")
    assert 6 == file.seek(0, 1)
    assert 0 == file.seek(0)
    assert b"ab" == file.read(2)
    assert b"cd" == file.read(2)
    file.write(b"X")
    assert b"f" == file.read(9)
    assert b"" == file.read(9)
    file.close()
    assert b"abcdXf" == place.read("a")


def test_offset_leaves_the_position_alone(place: Place) -> None:
    """Reads and writes with an offset do not move the position."""
    file = place.folder.open("a", "new")
    file.write(b"abcdef")
    file.seek(1)
    assert b"ef" == file.read(9, offset=4)
    assert 1 == file.write(b"Z", offset=5)
    assert 1 == file.seek(0, 1)
    assert b"bcdeZ" == file.read(9)
    file.close()


def test_read_is_short_at_the_end(place: Place) -> None:
    """A read gives what there is, and nothing behind the end."""
    place.write("a", b"abc")
    file = place.folder.open("a", "read")
    assert b"bc" == file.read(100, offset=1)
    assert b"" == file.read(100, offset=3)
    assert b"" == file.read(100, offset=99)
    assert b"" == file.read(0)
    file.close()


def test_write_behind_the_end_leaves_zeros(place: Place) -> None:
    """The gap between the old end and the new bytes reads as zeros."""
    file = place.folder.open("a", "new")
    file.write(b"a")
    file.write(b"b", offset=5)
    assert b"a\0\0\0\0b" == file.read(9, offset=0)
    file.close()


@pytest.mark.parametrize(
    ("offset", "whence", "expected"), [(4, 0, 4), (2, 1, 5), (-1, 2, 5), (7, 2, 13), (-3, 1, 0)]
)
def test_seek_counts_from_three_places(
    place: Place, offset: int, whence: int, expected: int
) -> None:
    """The start, the position and the end, also beyond it."""
    file = place.folder.open("a", "new")
    file.write(b"abcdef")
    file.seek(3)
    assert expected == file.seek(offset, whence)
    assert expected == file.seek(0, 1)
    file.close()


def test_seek_before_the_start_is_refused(place: Place) -> None:
    """A negative position is EINVAL, and the position stays."""
    file = place.folder.open("a", "new")
    file.write(b"abc")
    with fails(errno.EINVAL):
        file.seek(-1)
    with fails(errno.EINVAL):
        file.seek(-4, 2)
    with fails(errno.EINVAL):
        file.seek(0, 99)
    assert 3 == file.seek(0, 1)
    file.close()


def test_negative_offsets_are_refused(place: Place) -> None:
    """Reads, writes and truncates before the start are EINVAL."""
    file = place.folder.open("a", "new")
    with fails(errno.EINVAL):
        file.write(b"a", offset=-1)
    with fails(errno.EINVAL):
        file.read(1, offset=-1)
    with fails(errno.EINVAL):
        file.truncate(-1)
    file.close()


def test_truncate_cuts_and_extends(place: Place) -> None:
    """Truncate cuts, or extends with zeros; the position stays."""
    file = place.folder.open("a", "new")
    file.write(b"abcdef")
    file.truncate(2)
    assert 6 == file.seek(0, 1)
    assert b"ab" == file.read(9, offset=0)
    file.truncate(4)
    assert b"ab\0\0" == file.read(9, offset=0)
    assert 4 == file.stat().st_size
    file.close()


def test_read_only_files_refuse_changes(place: Place) -> None:
    """Mode `read` gives EBADF for a write and EINVAL for a truncate."""
    place.write("a", b"abc")
    file = place.folder.open("a", "read")
    with fails(errno.EBADF):
        file.write(b"x")
    with fails(errno.EINVAL):
        file.truncate(0)
    file.close()
    assert b"abc" == place.read("a")


def test_mode_write_keeps_the_contents(place: Place) -> None:
    """Modes `write` and `create` open at the start and cut nothing."""
    place.write("a", b"abc")
    for mode in ("write", "create"):
        file = place.folder.open("a", mode)  # type: ignore[arg-type]
        assert b"abc" == file.read(9)
        file.close()


def test_stat_tells_kind_size_and_links(place: Place) -> None:
    """A regular file says so, with its size and its number of names."""
    file = place.folder.open("a", "new")
    file.write(b"abc")
    info = file.stat()
    assert stat.S_ISREG(info.st_mode)
    assert (3, 1) == (info.st_size, info.st_nlink)
    assert place.folder.stat("a").st_ino == info.st_ino
    assert place.folder.stat("a").st_dev == info.st_dev
    file.close()


def test_change_moves_the_times_on(place: Place) -> None:
    """A write gives a modification time that is no earlier, an attribute change leaves it alone."""
    file = place.folder.open("a", "new")
    before = file.stat().st_mtime_ns
    file.write(b"abc")
    written = file.stat()
    file.set_attributes(mode=0o600, owner=None, xattrs={})
    assert before <= written.st_mtime_ns
    assert written.st_mtime_ns == file.stat().st_mtime_ns
    assert written.st_ctime_ns <= file.stat().st_ctime_ns
    file.close()


def test_sync_and_writeback_change_nothing(place: Place) -> None:
    """Syncing is only about what survives: contents and position are the same after it."""
    file = place.folder.open("a", "new")
    file.write(b"abc")
    file.start_writeback()
    file.sync()
    file.sync()
    file.sync_data()
    file.drop_cache()
    assert 3 == file.seek(0, 1)
    assert b"abc" == file.read(9, offset=0)
    file.close()
    file = place.folder.open("a", "read")
    file.sync()
    file.sync_data()
    file.drop_cache()
    assert b"abc" == file.read(9)
    file.close()


def test_attributes_are_set(place: Place) -> None:
    """Mode, owner and an extended attribute are there afterwards; the owner may be the same."""
    file = place.folder.open("a", "new", permissions=0o600)
    info = file.stat()
    file.set_attributes(mode=0o640, owner=(info.st_uid, info.st_gid), xattrs={})
    assert 0o640 == stat.S_IMODE(file.stat().st_mode)
    assert (info.st_uid, info.st_gid) == (file.stat().st_uid, file.stat().st_gid)
    file.close()


def test_attributes_ignore_the_file_type(place: Place) -> None:
    """A whole `st_mode` may be passed as the mode."""
    file = place.folder.open("a", "new")
    file.set_attributes(mode=stat.S_IFREG | 0o604, owner=None, xattrs={})
    assert 0o604 == stat.S_IMODE(file.stat().st_mode)
    assert stat.S_ISREG(file.stat().st_mode)
    file.close()


def test_xattrs_are_kept(place: Place) -> None:
    """Extended attributes are set and read back, on what has them."""
    file = place.folder.open("a", "new")
    try:
        file.set_attributes(mode=0o644, owner=None, xattrs={"user.note": b"\0hello"})
    except OSError as error:
        if error.errno not in {errno.ENOTSUP, errno.EOPNOTSUPP}:
            raise
        pytest.skip("no user.* attributes here")
    finally:
        file.close()
    if not (found := place.folder.xattrs("a")):
        pytest.skip("this system keeps no extended attributes")
    assert b"\0hello" == found["user.note"]


def test_no_xattrs_is_an_empty_mapping(place: Place) -> None:
    """A new file has no user attributes."""
    place.write("a", b"")
    assert [] == [key for key in place.folder.xattrs("a") if key.startswith("user.")]


def test_permissions_lose_the_umask(place: Place) -> None:
    """A new file has at most the permissions asked for, and one that was there keeps its own."""
    place.folder.open("a", "new", permissions=0o640).close()
    mode = stat.S_IMODE(place.folder.stat("a").st_mode)
    assert mode == mode & 0o640
    place.folder.open("a", "create", permissions=0o777).close()
    assert mode == stat.S_IMODE(place.folder.stat("a").st_mode)


def test_duplicate_shares_the_position(place: Place) -> None:
    """Both descriptors move one position, and either may be closed first."""
    file = place.folder.open("a", "new")
    other = file.duplicate()
    file.write(b"abc")
    assert 3 == other.seek(0, 1)
    file.close()
    other.write(b"def")
    other.close()
    assert b"abcdef" == place.read("a")


def test_two_opens_have_two_positions(place: Place) -> None:
    """Opening twice gives two open file descriptions."""
    file, other = place.folder.open("a", "new"), place.folder.open("a", "write")
    file.write(b"abc")
    assert b"abc" == other.read(9)
    file.close()
    other.close()


def test_unlinked_file_stays_usable(place: Place) -> None:
    """An open file without a name is read and written as before, and has no links."""
    file = place.folder.open("a", "new")
    file.write(b"abc")
    place.folder.unlink("a")
    file.write(b"def")
    assert b"abcdef" == file.read(9, offset=0)
    assert 0 == file.stat().st_nlink
    assert [] == place.folder.names()
    file.close()


@pytest.mark.parametrize(
    "use",
    [
        lambda file: file.read(1),
        lambda file: file.read(1, offset=0),
        lambda file: file.write(b"a"),
        lambda file: file.write(b"a", offset=0),
        lambda file: file.seek(0),
        lambda file: file.truncate(0),
        lambda file: file.stat(),
        lambda file: file.sync(),
        lambda file: file.sync_data(),
        lambda file: file.words(1),
        lambda file: file.set_attributes(mode=0o600, owner=None, xattrs={}),
        lambda file: file.lock(),
        lambda file: file.lock(shared=True, block=False),
        lambda file: file.unlock(),
        lambda file: file.duplicate(),
        lambda file: file.fileno(),
    ],
)
def test_closed_files_are_bad_descriptors(place: Place, use) -> None:
    """Everything after `close` is EBADF, but closing again is well."""
    file = place.folder.open("a", "new")
    file.close()
    file.close()
    with fails(errno.EBADF):
        use(file)


def test_hints_never_fail(place: Place) -> None:
    """They are silent even on a closed file."""
    file = place.folder.open("a", "new")
    file.close()
    file.start_writeback()
    file.drop_cache()
