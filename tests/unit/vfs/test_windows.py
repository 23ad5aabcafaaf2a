"""`holdfast.vfs.windows` on the calls of POSIX: everything but the calls of Windows themselves."""

from __future__ import annotations

import errno
import os

import pytest

from holdfast.vfs.windows import WindowsVFS
from tests.support.windows_kernel import PosixKernel, win_number

POSIX_RENAME, POSIX_RENAME_1607 = 0x43, 0x03
FIXED, REMOTE, RAM_DISK = 3, 4, 6


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


def renames(kernel):
    return [call for call in kernel.calls if call[0] in {"rename", "move"}]


def test_rename_replaces_with_posix_semantics(folder, kernel, tmp_path) -> None:
    """The first try replaces, by POSIX semantics, and does not mind the read-only attribute."""
    put(folder, "old", b"old")
    put(folder, "new", b"new")

    folder.rename("new", "old")

    assert b"new" == (tmp_path / "old").read_bytes()
    assert [("rename", POSIX_RENAME)] == renames(kernel)


@pytest.mark.parametrize("code", [1, 50, 87, 120, 124])
def test_rename_falls_back_where_there_is_no_such_call(folder, kernel, tmp_path, code) -> None:
    """A volume that knows no POSIX semantics is asked twice, then MoveFileExW does it."""
    put(folder, "new", b"new")
    kernel.failures["rename"] = [code, code]

    folder.rename("new", "old")

    assert b"new" == (tmp_path / "old").read_bytes()
    assert [("rename", POSIX_RENAME), ("rename", POSIX_RENAME_1607), ("move",)] == renames(kernel)


@pytest.mark.parametrize("code", [5, 32, 33])
def test_rename_is_tried_again_while_busy(folder, kernel, tmp_path, code) -> None:
    """A scanner that has the file open for a moment does not make a rename fail."""
    put(folder, "new", b"new")
    kernel.failures["rename"] = [code, code, code]

    folder.rename("new", "old")

    assert b"new" == (tmp_path / "old").read_bytes()
    assert 4 == len(renames(kernel))


def test_rename_raises_any_other_error_at_once(folder, kernel, tmp_path) -> None:
    """A full disk is no reason to wait, nor to fall back."""
    put(folder, "new", b"new")
    kernel.failures["rename"] = [112]

    with pytest.raises(OSError) as caught:
        folder.rename("new", "old")

    assert 112 == win_number(caught.value)
    assert [("rename", POSIX_RENAME)] == renames(kernel)
    assert ["new"] == os.listdir(tmp_path)


def test_rename_from_a_folder_of_another_kind_is_refused(folder, tmp_path) -> None:
    """A folder of another filesystem cannot be the source."""
    from holdfast.vfs import SYSTEM

    other = SYSTEM.folder(str(tmp_path))
    with pytest.raises(OSError) as caught:
        folder.rename("a", "b", source=other)
    other.close()

    assert errno.EXDEV == caught.value.errno


def test_files_are_opened_sharing_everything(folder, kernel) -> None:
    """Reading, writing and deletion are shared, so that an open file can be replaced."""
    put(folder, "a", b"a")

    assert ("create", "a", 0x7) == kernel.calls[-1]


def test_folder_is_opened_so_that_nobody_can_move_it(folder, kernel, tmp_path) -> None:
    """A folder shares reading and writing, and not deletion, which renaming it would need."""
    assert [("create", tmp_path.name, 0x3)] == kernel.calls


def test_new_refuses_a_taken_name(folder) -> None:
    """Mode `new` makes a file or fails."""
    put(folder, "a", b"a")

    with pytest.raises(FileExistsError):
        folder.open("a", "new")


@pytest.mark.parametrize("mode", ["read", "write", "create"])
def test_folder_is_no_file(folder, mode) -> None:
    """A folder is refused at once, not after two seconds of patience."""
    folder.mkdir("sub")

    with pytest.raises(IsADirectoryError):
        folder.open("sub", mode)


def test_file_is_no_folder(kernel, tmp_path) -> None:
    """A file cannot be opened as a folder."""
    (tmp_path / "a").write_bytes(b"a")

    with pytest.raises(NotADirectoryError):
        WindowsVFS(kernel).folder(str(tmp_path / "a"))


def test_holder_is_read_from_byte_one(folder, tmp_path) -> None:
    """The line starts behind the locked byte, and names this process."""
    vfs = WindowsVFS(PosixKernel())
    file = folder.open("a.lock", "create")
    file.lock()
    vfs.announce(file)

    assert (tmp_path / "a.lock").read_bytes().startswith(b"\0%d " % os.getpid())
    holder = vfs.holder(file)
    assert holder is not None
    assert os.getpid() == holder.pid
    file.close()


def test_nobody_holds_what_can_be_read(folder) -> None:
    """A byte 0 that another open file can read is not locked: the old line means nothing."""
    vfs = WindowsVFS(PosixKernel())
    file = folder.open("a.lock", "create")
    vfs.announce(file)

    assert None is vfs.holder(file)
    file.close()


def test_announcing_into_a_read_only_file_is_no_error(folder) -> None:
    """The holder's line is a hint; a lock file that cannot be written is locked all the same."""
    put(folder, "a.lock", b"")
    file = folder.open("a.lock", "read")

    WindowsVFS(PosixKernel()).announce(file)

    assert b"" == file.read(10)
    file.close()


def test_volume_without_access_lists_has_none_to_keep(folder, kernel) -> None:
    """FAT answers that there is no such call."""
    put(folder, "a", b"a")
    kernel.failures["access_list"] = [50]

    assert {} == folder.xattrs("a")


def test_there_are_no_unnamed_files(folder) -> None:
    """Whoever asks for a file without a name hears that there is none, and falls back."""
    with pytest.raises(OSError) as caught:
        folder.open_unnamed()

    assert errno.EOPNOTSUPP == caught.value.errno


def test_link_never_replaces(folder) -> None:
    """A hard link is refused where the name is taken."""
    put(folder, "a", b"a")
    folder.link("a", "b")

    assert folder.stat("a").st_ino == folder.stat("b").st_ino
    with pytest.raises(FileExistsError):
        folder.link("a", "b")


def test_promises_ask_for_the_volume(kernel, tmp_path) -> None:
    """The name of the filesystem is the volume's."""
    kernel.drive = ("exFAT", RAM_DISK)

    promises = WindowsVFS(kernel).promises(str(tmp_path))

    assert "exFAT" == promises.filesystem
    assert "memory" in promises.weaknesses[0]


def test_tokens_differ() -> None:
    """Tokens have 16 hexadecimal digits, and no two are equal."""
    vfs = WindowsVFS(PosixKernel())
    tokens = [vfs.token() for _ in range(1000)]

    assert 1000 == len(set(tokens))
    assert {16} == set(map(len, tokens))
    assert all(int(token, 16) >= 0 for token in tokens)


@pytest.mark.skipif(os.name == "nt", reason="here the kernel is the real one")
def test_other_systems_have_no_such_kernel() -> None:
    """Without Windows, and without a stand-in, there is nothing to call."""
    with pytest.raises(OSError) as caught:
        WindowsVFS()

    assert errno.ENOSYS == caught.value.errno
