"""A file as a register: symlinks, the lock beside it, folders that come and go."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

import holdfast
from holdfast import Document, LockTimeout


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
    """A symlink that is switched while we wait for its old target's lock leads to the new target."""
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
