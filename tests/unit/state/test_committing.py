"""How a change becomes the contents: merged, compared, repeated."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from holdfast import Conflict, Document


def test_unchanged_value_is_not_written(json: Path) -> None:
    """I2: nothing is written when nothing changed: the inode stays."""
    before = json.stat()

    Document(json).update(lambda state: state.update(n=1))

    assert (before.st_ino, before.st_mtime_ns) == (json.stat().st_ino, json.stat().st_mtime_ns)


def test_write_with_version(json: Path) -> None:
    """`write(if_version=)` writes what nobody changed meanwhile, else it is a Conflict."""
    first, second = Document(json), Document(json)
    value, version = first.snapshot()

    newer = first.write({**value, "n": 2}, if_version=version)
    with pytest.raises(Conflict):
        second.write({**value, "n": 3}, if_version=version)

    assert 2 == second.read()["n"]
    assert newer == second.snapshot().version != version


def test_version_is_that_of_the_contents(json: Path) -> None:
    """The same bytes are the same version, whoever wrote them."""
    version = Document(json).snapshot().version
    Document(json).update(lambda state: state.update(n=2))
    Document(json).update(lambda state: state.update(n=1))

    assert version == Document(json).snapshot().version


def test_write_makes_a_missing_file(tmp_path: Path) -> None:
    """`write` needs no default, and "absent" has a version too."""
    document = Document(tmp_path / "new.json", default={})
    version = document.snapshot().version

    document.write({"a": 1}, if_version=version)

    with pytest.raises(Conflict):
        document.write({"a": 2}, if_version=version)
    assert {"a": 1} == document.read()


def test_write_drops_keys_and_keeps_layout(toml: Path) -> None:
    """A dict is the whole of the document: what it lacks is removed, what it has stays as it was."""
    Document(toml).write({"title": "a", "window": {"size": 10}})

    assert "other" not in toml.read_text()
    assert "size = 10     # pixels" in toml.read_text()


def test_editor_without_lock_is_merged(json: Path) -> None:
    """What an editor saves while `edit` lasts is merged, key by key."""
    with Document(json).edit() as state:
        json.write_text('{"n": 5, "big": 7, "new": true}')
        state["big"] = 8

    assert {"n": 5, "big": 8, "new": True} == Document(json).read()


def test_threads_lose_nothing(json: Path) -> None:
    """Threads on one object, and on objects of their own, lose no update."""
    shared = Document(json)

    def work(number: int) -> None:
        document = shared if number % 2 else Document(json)
        for _ in range(10):
            document.update(lambda state: state.update(n=state["n"] + 1))

    threads = [threading.Thread(target=work, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 81 == shared.read()["n"]
