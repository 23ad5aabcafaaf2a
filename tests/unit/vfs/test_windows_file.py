"""Files of `holdfast.vfs.windows_file` on the calls of POSIX."""

from __future__ import annotations

import errno
import os

import pytest

from holdfast.vfs.windows import WindowsVFS
from tests.support.windows_kernel import PosixKernel, win_number


@pytest.fixture
def kernel():
    return PosixKernel()


@pytest.fixture
def folder(kernel, tmp_path):
    opened = WindowsVFS(kernel).folder(str(tmp_path))
    yield opened
    opened.close()


def put(folder, name, data):
    file = folder.open(name, "new")
    assert len(data) == file.write(data)
    file.sync()
    file.close()


def test_offset_leaves_the_position_alone(folder) -> None:
    """Reading and writing at an offset does not move the position."""
    file = folder.open("a", "create")
    file.write(b"0123456789")
    file.seek(2)

    assert b"89" == file.read(2, offset=8)
    assert 2 == file.write(b"AB", offset=6)
    assert b"2345AB89" == file.read(100)
    file.close()


def test_duplicate_shares_position_and_lock(folder) -> None:
    """A duplicate is the same open file: one position, one lock, until both are closed."""
    first = folder.open("a", "create")
    first.write(b"0123456789")
    second = first.duplicate()
    other = folder.open("a", "write")
    first.seek(4)

    assert b"4567" == second.read(4)
    assert second.lock(block=False)
    assert first.lock(block=False)
    first.close()
    assert not other.lock(block=False)
    second.unlock()
    assert other.lock(block=False)
    second.close()
    other.close()


def test_lock_that_is_held_is_taken_without_a_call(folder, kernel) -> None:
    """LockFileEx would wait for its own handle, so a lock that is held is not asked for again."""
    file = folder.open("a", "create")

    assert file.lock()
    assert file.lock()
    assert file.lock(shared=True)
    file.unlock()
    file.unlock()
    file.close()

    locking = [call for call in kernel.calls if call[0] in {"lock", "unlock"}]
    assert [("lock", True, True), ("unlock",), ("lock", False, True), ("unlock",)] == locking


@pytest.mark.parametrize("act", ["lock", "unlock"])
def test_closed_file_cannot_be_locked(folder, act) -> None:
    """After closing, locking and unlocking are errors."""
    file = folder.open("a", "create")
    file.close()
    file.close()

    with pytest.raises(OSError) as caught:
        getattr(file, act)()

    assert errno.EBADF == caught.value.errno


def test_lock_raises_what_is_no_contention(folder, kernel) -> None:
    """Only a lock violation means busy; a failing network drive is an error."""
    file = folder.open("a", "create")
    kernel.failures["lock"] = [59]

    with pytest.raises(OSError) as caught:
        file.lock(block=False)
    file.close()

    assert 59 == win_number(caught.value)


def test_access_list_and_read_only_attribute_are_kept(folder, kernel, tmp_path) -> None:
    """What `xattrs` gives is set on the new file; the owner's write bit becomes the attribute."""
    put(folder, "old", b"old")
    kernel.lists[os.stat(tmp_path / "old").st_ino] = b"only me"
    file = folder.open("new", "new")

    file.set_attributes(mode=0o444, owner=(1, 1), xattrs=folder.xattrs("old"))
    file.close()

    assert b"only me" == kernel.lists[os.stat(tmp_path / "new").st_ino]
    assert 0o444 == os.stat(tmp_path / "new").st_mode & 0o777


def test_attributes_of_other_systems_are_refused(folder) -> None:
    """An attribute that cannot be kept is an error, not a silence."""
    file = folder.open("a", "create")

    with pytest.raises(OSError) as caught:
        file.set_attributes(mode=0o644, owner=None, xattrs={"user.a": b"1"})
    file.close()

    assert errno.ENOTSUP == caught.value.errno


def test_words_are_mapped_and_data_is_synced(folder) -> None:
    """Words are shared by two openings; boot is not known here."""
    put(folder, "a", bytes(16))
    file, reader = folder.open("a", "write"), folder.open("a", "read")
    words, seen = file.words(2), reader.words(2)
    words[1] = 9

    assert 9 == seen[1]
    with pytest.raises(TypeError):
        seen[1] = 1

    file.sync_data()
    file.drop_cache()
    for opened in (words, seen):
        opened.release()
    file.close()
    reader.close()

    assert "" == WindowsVFS(PosixKernel()).boot()
