"""What the system's implementation does beyond the conformance suite."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from holdfast.vfs import SYSTEM
from holdfast.vfs.called_words import CalledWords
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.posix import PosixFile, PosixFolder, PosixVFS
from tests.support.users import as_user, shared_folder

FORK = """
import os
from holdfast.vfs import SYSTEM
first = SYSTEM.token()
if os.fork() == 0:
    print(SYSTEM.token())
    os._exit(0)
os.wait()
print(SYSTEM.token())
"""


def test_closed_folder_lists_no_other(tmp_path: Path) -> None:
    """A closed descriptor is never taken for the current folder."""
    folder = SYSTEM.folder(str(tmp_path))
    folder.close()
    with pytest.raises(OSError, check=lambda error: error.errno == errno.EBADF):
        folder.names()


def test_missing_folder_leaves_nothing_open(tmp_path: Path) -> None:
    """An object whose opening failed closes nothing when it goes."""
    with pytest.raises(FileNotFoundError):
        SYSTEM.folder(str(tmp_path / "missing"))


def test_folder_stands_still_when_the_process_moves(tmp_path: Path) -> None:
    """A relative folder is found once; a `chdir` afterwards redirects nothing."""
    before = os.getcwd()
    try:
        os.chdir(tmp_path)
        folder = SYSTEM.folder("")
    finally:
        os.chdir(before)
    folder.open("a", "new").close()
    folder.close()
    assert ["a"] == os.listdir(tmp_path)


def test_rename_from_another_kind_of_filesystem_is_refused(tmp_path: Path) -> None:
    """A folder in memory is another device."""
    here, there = SYSTEM.folder(str(tmp_path)), MemoryVFS().folder("/")
    with pytest.raises(OSError, check=lambda error: error.errno == errno.EXDEV):
        here.rename("a", "a", source=there)
    here.close()
    there.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_forked_child_draws_other_tokens() -> None:
    """Parent and child never name two files alike."""
    done = subprocess.run(
        [sys.executable, "-c", FORK], capture_output=True, text=True, check=True, timeout=60
    )
    child, parent = done.stdout.split()
    assert child != parent
    assert child[:10] != parent[:10]


@pytest.mark.root
def test_owner_and_set_id_bits_are_kept_as_root(tmp_path: Path) -> None:
    """Root may give a file away with its set-user-ID bit: the mode is set after the owner."""
    folder = SYSTEM.folder(str(tmp_path))
    file = folder.open("a", "new")
    file.set_attributes(mode=0o4755, owner=(1234, 5678), xattrs={})
    info = file.stat()
    assert (1234, 5678, 0o104755) == (info.st_uid, info.st_gid, info.st_mode)
    file.close()
    folder.close()


def test_sync_of_a_folder_whose_descriptor_is_gone_is_an_error(tmp_path: Path) -> None:
    """Closed by somebody else: not a filesystem that cannot sync folders."""
    fd = os.open(tmp_path, os.O_RDONLY)
    folder = PosixFolder(str(tmp_path), fd)
    spare = os.dup(fd)
    os.close(fd)
    with pytest.raises(OSError, check=lambda error: error.errno == errno.EBADF):
        folder.sync()
    os.dup2(spare, fd)
    os.close(spare)
    folder.close()


@pytest.mark.parametrize("kind", [PosixFile, PosixFolder])
def test_object_that_was_never_finished_goes_silently(kind: Any) -> None:
    """An interrupt may come before it has a descriptor."""
    gone = object.__new__(kind)
    assert not hasattr(gone, "_fd")
    del gone


@pytest.mark.root
def test_symlink_is_resolved_only_as_far_as_the_kernel_follows_it() -> None:
    """A target that this user may not reach is an error, not a path."""
    with shared_folder() as folder:
        (folder / "private").mkdir(mode=0o700)
        (folder / "link").symlink_to("private/a")

        assert "PermissionError" == as_user(1001, 100, lambda: SYSTEM.resolve(str(folder / "link")))
        assert str(folder / "private" / "a") == SYSTEM.resolve(str(folder / "link"))


@pytest.mark.root
def test_folder_that_may_not_be_read_is_opened_for_its_names() -> None:
    """They can be looked up; listing, syncing, and asking for more are errors."""
    with shared_folder() as above:
        path = above / "drop"
        path.mkdir()
        (path / "a").touch()
        path.chmod(0o333)

        def look() -> object:
            folder = SYSTEM.folder(str(path))
            return [folder.stat("a").st_size, folder.xattrs("a")]

        assert "[0, {}]" == as_user(1001, 100, look)
        for refused in (
            lambda: SYSTEM.folder(str(path)).names(),
            lambda: SYSTEM.folder(str(path)).sync(),
            lambda: SYSTEM.folder(str(path), readable=True),
        ):
            assert "PermissionError" == as_user(1001, 100, refused)


def test_system_without_a_name_promises_less(tmp_path: Path) -> None:
    """Nothing names the boot, words are called, and a sync of data is a whole one."""
    folder = PosixVFS().folder(str(tmp_path))
    file = folder.open("a", "new")
    file.write(bytes(8))
    file.sync_data()
    file.drop_cache()
    words = file.words(1)
    words[0] = 3

    assert isinstance(words, CalledWords)
    assert 3 == words[0]
    assert "" == PosixVFS().boot()

    words.release()
    file.close()
    folder.close()
