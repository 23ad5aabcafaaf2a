"""Folders of the memory filesystem where they are stricter than the system, or have settings."""

from __future__ import annotations

import errno
import stat

import pytest

from holdfast.vfs.memory import MemoryVFS


def test_name_is_one_component() -> None:
    """A name with `/` is refused, so that nothing slips past the folder's descriptor."""
    vfs = MemoryVFS()
    vfs.write_tree({"d/a": b""})
    folder = vfs.folder("/")
    for use in (folder.stat, folder.unlink, folder.mkdir, folder.rmdir, folder.xattrs):
        with pytest.raises(OSError, check=lambda error: error.errno == errno.EINVAL):
            use("d/a")
    with pytest.raises(FileNotFoundError):
        folder.stat("")
    folder.close()
    assert {"d": None, "d/a": b""} == vfs.tree()


def test_dots_are_folders() -> None:
    """`.` and `..` can be looked at, and neither made, renamed nor removed."""
    vfs = MemoryVFS()
    vfs.write_tree({"d": None})
    top, inside = vfs.folder("/"), vfs.folder("/d")
    assert top.stat("d").st_ino == inside.stat(".").st_ino
    assert top.stat(".").st_ino == inside.stat("..").st_ino
    assert top.stat("..").st_ino == top.stat(".").st_ino
    for name in (".", ".."):
        with pytest.raises(FileExistsError):
            inside.mkdir(name)
        with pytest.raises(FileExistsError):
            inside.open(name, "new")
        with pytest.raises(IsADirectoryError):
            inside.unlink(name)
        with pytest.raises(OSError, check=lambda e: e.errno in {errno.EINVAL, errno.ENOTEMPTY}):
            inside.rmdir(name)
        with pytest.raises(FileNotFoundError):
            inside.rename(name, "a")
    top.close()
    inside.close()


def test_umask_is_taken_off() -> None:
    """New files and folders lose the bits of the umask."""
    vfs = MemoryVFS()
    vfs.core.umask = 0o027
    folder = vfs.folder("/")
    folder.open("a", "new").close()
    folder.mkdir("d")
    assert 0o640 == stat.S_IMODE(folder.stat("a").st_mode)
    assert 0o750 == stat.S_IMODE(folder.stat("d").st_mode)
    folder.close()


def test_unnamed_files_can_be_missing() -> None:
    """A filesystem made without them says EOPNOTSUPP."""
    vfs = MemoryVFS(unnamed_files=False)
    folder = vfs.folder("/")
    with pytest.raises(OSError, check=lambda error: error.errno == errno.EOPNOTSUPP):
        folder.open_unnamed()
    folder.close()


def test_unnamed_file_is_durable_with_its_name() -> None:
    """Synced contents appear under the name once the folder is synced, whole."""
    vfs = MemoryVFS()
    folder = vfs.folder("/")
    file = folder.open_unnamed()
    file.write(b"abc")
    file.sync()
    folder.link(file, "a")
    file.close()
    assert [{}, {"a": b"abc"}] == [crashed.tree() for crashed in vfs.crash_states()]
    folder.sync()
    folder.close()
    assert {"a": b"abc"} == vfs.crash().tree()


def test_other_filesystems_are_other_devices() -> None:
    """Neither a rename nor a link crosses from one memory filesystem to another."""
    one, two = MemoryVFS(), MemoryVFS()
    one.write_tree({"a": b""})
    here, there = two.folder("/"), one.folder("/")
    with pytest.raises(OSError, check=lambda error: error.errno == errno.EXDEV):
        here.rename("a", "a", source=there)
    file = there.open("a", "read")
    with pytest.raises(OSError, check=lambda error: error.errno == errno.EXDEV):
        here.link(file, "b")
    for opened in (here, there, file):
        opened.close()


def test_folders_have_one_name() -> None:
    """A hard link to a folder is EPERM."""
    vfs = MemoryVFS()
    vfs.write_tree({"d": None})
    folder = vfs.folder("/")
    with pytest.raises(PermissionError):
        folder.link("d", "e")
    folder.close()


def test_failed_folder_sync_is_not_repaired_by_a_second() -> None:
    """Names that were dirty at the failure may be gone for ever."""
    vfs = MemoryVFS()
    folder = vfs.folder("/")
    folder.open("a", "new").close()
    folder.fail_sync()
    folder.sync()
    folder.close()
    assert {} == vfs.crash().tree()
