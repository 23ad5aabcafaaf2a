"""How a change becomes the contents: merged, compared, repeated."""

from __future__ import annotations

import json as json_
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import holdfast
from holdfast import Conflict, Document
from holdfast.vfs import VFS
from holdfast.vfs.interpose import Call, Interposed
from holdfast.vfs.memory import MemoryVFS
from tests.support.state_files import others


def run_threads(work: Callable[[int], None], count: int) -> None:
    """Run `work` in threads at once; what one of them raises is raised."""
    with ThreadPoolExecutor(count) as pool:
        list(pool.map(work, range(count)))


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
    """A dict is the whole of the document: what it lacks is removed, what it has stays."""
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

    run_threads(work, 8)

    assert 81 == shared.read()["n"]


def test_version_is_a_digest_or_absent(json: Path) -> None:
    """A version is 32 hexadecimal digits; that of a missing file is "absent"."""
    document = Document(json, default={})
    assert re.fullmatch("[0-9a-f]{32}", document.snapshot().version)
    json.unlink()

    assert "absent" == document.snapshot().version


def test_write_with_a_version_refuses_a_deletion(json: Path) -> None:
    """A file that was deleted meanwhile is of another version, and stays missing."""
    document = Document(json)
    version = document.snapshot().version
    json.unlink()

    with pytest.raises(Conflict, match=version):
        document.write({"n": 2}, if_version=version)

    assert not json.exists()


def test_edit_of_what_is_deleted_meanwhile_starts_from_the_default(json: Path) -> None:
    """What was changed inside `edit` is written over the default; what was not is gone."""
    with Document(json, default={"kept": 0}).edit() as state:
        state["n"] = 2
        json.unlink()

    assert {"n": 2, "kept": 0} == Document(json).read()


def test_edit_that_changes_nothing_makes_no_file(json: Path) -> None:
    """I2: a file that is missing and whose default is not changed stays missing."""
    json.unlink()
    with Document(json, default={"n": 1}).edit() as state:
        assert {"n": 1} == state

    assert not json.exists()


def test_read_decodes_the_same_bytes_once(json: Path) -> None:
    """A file that is written anew with the same bytes is not decoded again."""
    with Document(json) as document:
        before = document._committer.load()
        json.write_bytes(json.read_bytes())

        assert before.plain is document._committer.load().plain


class Interfering(Interposed):
    """A filesystem on which somebody else writes the document just before each of some looks."""

    def __init__(self, inner: MemoryVFS, times: int) -> None:
        super().__init__(inner)
        self.left = times

    def around(self, call: Call, do: Callable[[], Any]) -> Any:
        """Let them write, without a lock."""
        if call.operation == "stat" and call.name == "doc.json":
            self.left -= 1
            if self.left >= 0:
                add(self.inner, "theirs")
        return do()


def add(vfs: VFS, key: str) -> None:
    """What the others do: read, change and replace, as programs without a lock do."""
    value = dict(json_.loads(contents(vfs)))
    value[key] += 1
    holdfast.write_text("/doc.json", json_.dumps(value), vfs=vfs)


def contents(vfs: VFS) -> bytes:
    """The bytes of the document."""
    folder = vfs.folder("/")
    file = folder.open("doc.json", "read")
    try:
        return file.read(1 << 20)
    finally:
        file.close()
        folder.close()


@pytest.mark.parametrize("lock", [True, False])
@pytest.mark.parametrize("times", [1, 2, 7, 50])
def test_change_is_repeated_until_nobody_interferes(lock: bool, times: int) -> None:
    """I3: a write that finds other contents than it was made from merges and tries again."""
    disk = MemoryVFS()
    disk.write_tree({"/doc.json": b'{"mine": 0, "theirs": 0}'})
    with Document("/doc.json", lock=lock, vfs=Interfering(disk, times)) as document:
        for _ in range(3):
            document.update(lambda state: state.update(mine=state["mine"] + 1))

    assert {"mine": 3, "theirs": times} == json_.loads(contents(disk))
    assert [] == disk.leftovers()


@pytest.mark.parametrize("lock", [True, False])
@pytest.mark.parametrize("way", ["update", "write"])
def test_endless_interference_is_a_conflict(lock: bool, way: str) -> None:
    """Whoever never finds the contents unchanged gives up, says so, and leaves theirs."""
    disk = MemoryVFS()
    disk.write_tree({"/doc.json": b'{"mine": 0, "theirs": 0}'})
    document = Document("/doc.json", lock=lock, vfs=Interfering(disk, 1 << 30))
    with document, pytest.raises(Conflict, match="100 times") as caught:
        if way == "update":
            document.update(lambda state: state.update(mine=1))
        else:
            document.write({"mine": 1, "theirs": 0})

    assert "/doc.json" == caught.value.path
    found = json_.loads(contents(disk))
    assert 0 == found["mine"]
    assert found["theirs"] >= 100
    assert [] == disk.leftovers()


def test_threads_without_a_lock_merge_what_they_checked_out_together(json: Path) -> None:
    """With `lock=False`, eight threads that started from one version keep all of their changes."""
    together = threading.Barrier(8)
    one_by_one = threading.Lock()  # outside, so that no two are between the look and the rename

    def work(number: int) -> None:
        draft = Document(json, lock=False).checkout()
        for step in range(5):
            draft.value[f"t{number}"] = step
            together.wait(20)
            with one_by_one:
                draft.commit(on_conflict="raise")

    run_threads(work, 8)

    assert {f"t{number}": 4 for number in range(8)} == {
        key: value for key, value in Document(json).read().items() if key.startswith("t")
    }
    assert ["state.json"] == [entry.name for entry in json.parent.iterdir()]


def test_threads_without_a_lock_leave_a_whole_file(json: Path) -> None:
    """With `lock=False` and no order at all, the file is whole, and holds the last change."""

    def work(number: int) -> None:
        document = Document(json, lock=False)
        for step in range(20):
            document.update(lambda state, step=step: state.update({f"t{number}": step}))
            assert 1 == document.read()["n"]

    run_threads(work, 4)

    assert 19 in Document(json).read().values()
    assert [] == others(json)
