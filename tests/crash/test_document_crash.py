"""Crashes of documents, by name, and what their lock is for; `test_seam.py` takes all of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from holdfast import Document, LockTimeout
from holdfast.vfs import VFS
from holdfast.vfs.fault import Without
from holdfast.vfs.interpose import Call, Interposed
from holdfast.vfs.memory import MemoryVFS

OLD = b'{"n": 1, "keep": "me"}\n'
NEW = b'{"n": 2, "keep": "me"}\n'


def add(state: dict[str, Any]) -> None:
    """The change that is made."""
    state["n"] = 2


def test_kept_version_survives_with_its_successor() -> None:
    """In every state in which the document is new, its predecessor is whole under its number."""
    vfs = MemoryVFS()
    vfs.write_tree({"/doc.json": OLD})
    with Document("/doc.json", vfs=vfs, keep=2) as document:
        document.update(add)

    for crashed in vfs.crash_states():
        tree = crashed.tree()
        if tree["doc.json"] == NEW:
            assert OLD == tree.get("doc.json.~1~")


def test_quarantine_survives_a_crash() -> None:
    """In every state the damaged bytes are under one of the two names."""
    vfs = MemoryVFS()
    vfs.write_tree({"/doc.json": b"{damage"})
    with Document("/doc.json", vfs=vfs) as document:
        document.quarantine()

    for crashed in vfs.crash_states():
        tree = crashed.tree()
        assert b"{damage" in (tree.get("doc.json"), tree.get("doc.json.corrupt-1"))


def count_up(state: dict[str, Any]) -> None:
    """The change that two make at once."""
    state["n"] += 1


class Rival(Interposed):
    """A filesystem on which somebody else updates the document just before each rename."""

    def __init__(self, inner: VFS) -> None:
        super().__init__(inner)
        self.acknowledged = 0

    def around(self, call: Call, do: Callable[[], Any]) -> Any:
        """Update, without waiting, on the filesystem beneath."""
        if call.operation == "rename":
            try:
                with Document("/doc.json", vfs=self.inner) as document:
                    document.update(count_up, timeout_s=0)
                self.acknowledged += 1
            except LockTimeout:
                pass
        return do()


@pytest.mark.parametrize("locked", [True, False])
def test_no_update_is_lost_and_that_needs_the_lock(locked: bool) -> None:
    """Teeth: who comes in between is kept out by the lock; with it off, their update is lost."""
    disk = MemoryVFS()
    disk.write_tree({"/doc.json": OLD})
    rival = Rival(disk if locked else Without(disk, "lock"))
    with Document("/doc.json", vfs=rival) as document:
        for _ in range(5):
            document.update(count_up)
    kept = Document("/doc.json", vfs=disk).read()["n"] - 1

    assert (5, 0 if locked else 5) == (kept, rival.acknowledged)


def test_threads_lose_no_update() -> None:
    """Four threads with a document each, 40 updates each: all are kept."""
    disk = MemoryVFS()
    disk.write_tree({"/doc.json": OLD})

    def work() -> None:
        with Document("/doc.json", vfs=disk) as document:
            for _ in range(40):
                document.update(count_up)

    running = [threading.Thread(target=work) for _ in range(4)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()

    assert 160 == Document("/doc.json", vfs=disk).read()["n"] - 1
