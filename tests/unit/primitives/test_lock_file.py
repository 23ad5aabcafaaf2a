from __future__ import annotations

import os
from errno import EACCES, EIO, EROFS

import pytest

from holdfast.primitives.lock_file import Description, LockFile
from holdfast.vfs import SYSTEM, ManualClock
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.memory import MemoryVFS


def lock_file(path: object, vfs=SYSTEM) -> LockFile:
    return LockFile(str(path), permissions=0o666, vfs=vfs, clock=ManualClock())


def test_opening_makes_the_file(tmp_path) -> None:
    """The lock file is made with the permissions asked for, and is empty."""
    path = tmp_path / "a.lock"
    LockFile(str(path), permissions=0o600, vfs=SYSTEM, clock=ManualClock()).open().discard()

    assert (0o600, 0) == (path.stat().st_mode & 0o777, path.stat().st_size)


def test_missing_folder_is_an_error_as_it_is(tmp_path) -> None:
    """The folder of a lock file is not made."""
    with pytest.raises(FileNotFoundError):
        lock_file(tmp_path / "no" / "a.lock").open()

    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("effect", ["EACCES", "EPERM", "EROFS"])
def test_file_that_cannot_be_written_is_opened_to_read(effect) -> None:
    """A lock needs no right to write."""
    disk = MemoryVFS()
    disk.write_tree({"/a.lock": b""})
    description = lock_file("/a.lock", Faulty(disk, Fault("open", 1, effect=effect))).open()

    assert description.file.lock(block=False)

    description.discard()

    assert [] == disk.leftovers()


@pytest.mark.parametrize(("effect", "number"), [("EACCES", EACCES), ("EROFS", EROFS), ("EIO", EIO)])
def test_refusal_to_make_a_file_is_told_as_it_is(effect, number) -> None:
    """Where the file is missing and cannot be made, the reason is the first one."""
    disk = MemoryVFS()
    with pytest.raises(OSError) as caught:
        lock_file("/a.lock", Faulty(disk, Fault("open", 1, effect=effect))).open()

    assert number == caught.value.errno
    assert ({}, []) == (disk.tree(), disk.leftovers())


def test_own_file_is_current(tmp_path) -> None:
    """A look at an untouched path finds the file of the description."""
    file = lock_file(tmp_path / "a.lock")
    description = file.open()

    assert file.is_current(description)

    description.discard()


@pytest.mark.parametrize("how", ["removed", "replaced", "folder moved", "folder replaced"])
def test_file_that_the_path_does_not_name_is_not_current(tmp_path, how) -> None:
    """Whoever removes, replaces or moves a lock file is noticed."""
    folder = tmp_path / "folder"
    folder.mkdir()
    file = lock_file(folder / "a.lock")
    description = file.open()
    if how.startswith("folder"):
        folder.rename(tmp_path / "moved")
        if how == "folder replaced":
            folder.write_text("now a file")
    else:
        (folder / "a.lock").unlink()
        if how == "replaced":
            (folder / "a.lock").touch()

    assert not file.is_current(description)

    description.discard()


def test_symlink_is_followed(tmp_path) -> None:
    """A lock file may be reached through a symlink; a new target is another file."""
    for name in "ab":
        (tmp_path / name).touch()
    (tmp_path / "link").symlink_to("a")
    file = lock_file(tmp_path / "link")
    description = file.open()

    assert file.is_current(description)

    os.unlink(tmp_path / "link")
    (tmp_path / "link").symlink_to("b")

    assert not file.is_current(description)

    description.discard()


def test_nobody_holds_a_file_that_is_not_there(tmp_path) -> None:
    """A missing file or folder has no holder, and asking makes neither."""
    assert lock_file(tmp_path / "a.lock").holder() is None
    assert lock_file(tmp_path / "no" / "a.lock").holder() is None
    assert [] == list(tmp_path.iterdir())


def test_failure_to_find_the_holder_is_nobody() -> None:
    """A message about a lock is not lost because its holder cannot be found."""
    disk = MemoryVFS()
    disk.write_tree({"/a.lock": b""})
    file = lock_file("/a.lock", Faulty(disk, Fault("open", 1, effect="EIO", repeat=True)))

    assert file.holder_or_none() is None

    with pytest.raises(OSError) as caught:
        file.holder()

    assert (EIO, []) == (caught.value.errno, disk.leftovers())


@pytest.mark.parametrize("operation", ["unlock", "close"])
def test_discard_never_fails_and_may_be_repeated(operation) -> None:
    """Whatever the system says, the description is closed and nothing is held."""
    disk = MemoryVFS()
    faulty = Faulty(disk, Fault(operation, 1, effect="EIO", repeat=True))
    description = lock_file("/a.lock", faulty).open()
    description.file.lock()
    description.discard()
    description.discard()

    assert [] == disk.leftovers()


def test_discard_unlocks_even_if_a_copy_lives() -> None:
    """A child process between fork and exec has a copy of the descriptor: a close is not enough."""
    disk = MemoryVFS()
    description = lock_file("/a.lock", disk).open()
    description.file.lock()
    copy = description.file.duplicate()
    description.discard()

    assert [] == disk.held_locks

    copy.close()


def test_dropped_description_closes_itself() -> None:
    """A description that is forgotten gives its lock back."""
    disk = MemoryVFS()
    description: Description | None = lock_file("/a.lock", disk).open()
    assert description is not None
    description.file.lock()
    description = None

    assert ([], []) == (disk.held_locks, disk.open_files)


def test_refusal_is_explained() -> None:
    """The errno stays, the path and what to do are added; other exceptions are left alone."""
    error = OSError(EIO, "Input/output error")
    lock_file("/a.lock", MemoryVFS()).explain(error)

    assert (EIO, "/a.lock") == (error.errno, error.filename)
    assert "Nothing is held" in error.__notes__[0]

    other = KeyboardInterrupt()
    lock_file("/a.lock", MemoryVFS()).explain(other)

    assert not hasattr(other, "__notes__")
