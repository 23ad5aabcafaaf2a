"""A file as a register: symlinks, the lock beside it, folders that come and go."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import holdfast
from holdfast import Document, LockTimeout
from holdfast.state.file_place import FileOptions
from holdfast.state.file_register import FileRegister
from holdfast.vfs import ManualClock
from holdfast.vfs.interpose import Interposed
from holdfast.vfs.memory import MemoryVFS


def test_lock_is_beside_the_target_of_a_symlink(tmp_path: Path) -> None:
    """A symlink is followed: its target is changed, and locked there."""
    real = tmp_path / "real" / "state.json"
    real.parent.mkdir()
    real.write_text('{"n": 1}')
    link = tmp_path / "link.json"
    link.symlink_to("real/state.json")

    Document(link).update(lambda state: state.update(n=2))

    assert link.is_symlink()
    assert '{"n": 2}' == real.read_text()
    assert ["state.json", "state.json.lock"] == sorted(p.name for p in real.parent.iterdir())
    assert str(real) + ".lock" == Document(link).lock.path


def test_symlink_that_moves_is_followed_under_the_lock(tmp_path: Path) -> None:
    """A symlink that is switched while we wait for its old target's lock leads to the new one."""
    old, new, link = (tmp_path / name for name in ("old.json", "new.json", "link.json"))
    old.write_text('{"is": "old"}')
    new.write_text('{"is": "new"}')
    link.symlink_to(old)
    document = Document(link)
    with holdfast.FileLock(f"{old}.lock"):
        thread = threading.Thread(target=document.update, args=[lambda state: state.update(n=1)])
        thread.start()
        spare = tmp_path / "spare"
        spare.symlink_to(new)
        spare.replace(link)
    thread.join(20)

    assert ['{"is": "old"}', '{"is": "new", "n": 1}'] == [old.read_text(), new.read_text()]


def test_symlink_loop_is_an_error(tmp_path: Path) -> None:
    """A loop of symlinks is ELOOP for reading and changing, and stays."""
    loop = tmp_path / "loop.json"
    loop.symlink_to("loop.json")
    document = Document(loop, default={})

    for call in (document.read, lambda: document.update(lambda s: s.update(n=1))):
        with pytest.raises(OSError) as caught:
            call()
        assert errno.ELOOP == caught.value.errno
    assert loop.is_symlink()


def test_lock_of_another_is_a_timeout(json: Path) -> None:
    """A held lock ends the wait with LockTimeout and changes nothing."""
    with holdfast.FileLock(f"{json}.lock"), pytest.raises(LockTimeout):
        Document(json).update(lambda state: state.update(n=2), timeout_s=0.01)

    assert '"n": 1' in json.read_text()


def test_nested_update_is_refused_and_not_a_hang(json: Path) -> None:
    """A second change of the same document inside an `edit` would wait for itself: RuntimeError."""
    document = Document(json)

    with pytest.raises(RuntimeError), document.edit():
        document.update(lambda state: state.update(n=2))

    assert '"n": 1' in json.read_text()


def test_relative_path_is_bound_at_the_start(json: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A later chdir does not redirect a document."""
    monkeypatch.chdir(json.parent)
    document = Document("state.json")
    monkeypatch.chdir("/")

    document.update(lambda state: state.update(n=2))

    assert '"n": 2' in json.read_text()


def test_close_gives_back_the_descriptors(json: Path) -> None:
    """A closed document holds no descriptor and can still be used."""
    before = len(os.listdir("/proc/self/fd"))
    with Document(json) as document:
        document.update(lambda state: state.update(n=2))

    assert before == len(os.listdir("/proc/self/fd"))
    assert 2 == document.read()["n"]
    assert "state.json" in repr(document)


def options(**changed: Any) -> FileOptions:
    """Options as a plain document has them."""
    plain = FileOptions(
        lock=True,
        sync="always",
        permissions=None,
        keep=0,
        max_size_bytes=1 << 20,
        vfs=MemoryVFS(),
        clock=ManualClock(),
    )
    return plain._replace(**changed)


def test_missing_folder_is_a_missing_file(tmp_path: Path) -> None:
    """Reading where there is no folder finds nothing, and makes nothing."""
    document = Document(tmp_path / "no" / "deep" / "a.json", default={"n": 1})

    assert {"n": 1} == document.read()
    assert [] == document.versions()
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("is_async", [False, True])
def test_folder_that_is_removed_in_between_is_made_again(tmp_path: Path, is_async: bool) -> None:
    """A document outlives its folder: the next change makes folder, lock and file anew."""
    folder = tmp_path / "deep" / "er"
    with Document(folder / "a.json", default={}) as document:
        for number in (1, 2):
            if is_async:
                asyncio.run(document.aupdate(lambda state, number=number: state.update(n=number)))
            else:
                document.update(lambda state, number=number: state.update(n=number))

            assert ["a.json", "a.json.lock"] == sorted(os.listdir(folder))
            assert {"n": number} == document.read()
            shutil.rmtree(tmp_path / "deep")


def test_lock_excludes_flock_and_is_found_by_it(json: Path) -> None:
    """Inside `edit`, flock(1) on the lock file finds it taken; afterwards it is free."""
    command = ["flock", "--nonblock", f"{json}.lock", "true"]
    document = Document(json)
    with document.edit():
        assert 1 == subprocess.run(command, check=False).returncode

    assert 0 == subprocess.run(command, check=False).returncode


def test_symlink_that_never_settles_is_an_error() -> None:
    """A symlink that leads elsewhere each time it is followed is ELOOP, not an endless loop."""
    disk = MemoryVFS()
    disk.write_tree({"/link.json": "-> a.json", "/a.json": "-> b.json", "/b.json": b"{}"})

    class Moving(Interposed):
        def resolve(self, path: str) -> str:
            return "/a.json"

    register = FileRegister("/link.json", options(vfs=Moving(disk)))
    with pytest.raises(OSError) as caught, register.exclusive():
        pass

    assert (errno.ELOOP, "/link.json") == (caught.value.errno, caught.value.filename)
    assert [] == disk.leftovers()


def test_no_lock_file_without_a_lock(json: Path) -> None:
    """With `lock=False` no file but the document is made."""
    Document(json, lock=False).update(lambda state: state.update(n=2))

    assert ["state.json"] == os.listdir(json.parent)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Act with the rights of another user than root."""
    os.setegid(65534)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may use, with a document, and its lock, that all may only read."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    path = folder / "state.json"
    path.write_text('{"n": 1}')
    Document(path).update(lambda state: state.update(n=2))
    path.chmod(0o644)
    path.with_name("state.json.lock").chmod(0o644)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.root
def test_read_only_lock_can_still_be_locked(open_folder: Path) -> None:
    """Another user who may replace the file, but not write its lock, changes it under that lock."""
    path = open_folder / "state.json"
    lock = open_folder / "state.json.lock"
    with as_nobody(), Document(path) as document:
        document.update(lambda state: state.update(n=3))
        with document.edit(), pytest.raises(LockTimeout):
            holdfast.FileLock(lock).acquire(timeout_s=0)

    assert {"n": 3} == Document(path).read()
    assert 0 == lock.stat().st_uid


@pytest.mark.root
@pytest.mark.parametrize("has_lock", [True, False])
def test_read_only_folder_is_an_error_that_changes_nothing(
    open_folder: Path, has_lock: bool
) -> None:
    """Who may not write the folder can read the document; a change is PermissionError."""
    path = open_folder / "state.json"
    if not has_lock:
        path.with_name("state.json.lock").unlink()
    open_folder.chmod(0o755)
    before = sorted(os.listdir(open_folder))
    with as_nobody(), Document(path) as document:
        assert {"n": 2} == document.read()
        with pytest.raises(PermissionError):
            document.update(lambda state: state.update(n=3))

    assert {"n": 2} == Document(path).read()
    assert before == sorted(os.listdir(open_folder))


def test_refused_lock_file_is_explained(tmp_path: Path) -> None:
    """What the system says of the lock file comes with what is on disk, and the whole path."""
    path = tmp_path / "state.json"
    path.write_text('{"n": 1}')
    (tmp_path / "state.json.lock").mkdir()

    with pytest.raises(OSError) as caught:
        Document(path).update(lambda state: state.update(n=2))

    assert f"{path}.lock" == caught.value.filename
    assert f"{path}: not changed." in caught.value.__notes__[-1]
    assert '{"n": 1}' == path.read_text()
