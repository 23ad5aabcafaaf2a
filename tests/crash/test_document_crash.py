"""Crashes of documents, by name, and what their lock is for; `test_seam.py` takes all of them."""

from __future__ import annotations

import threading
from typing import Any

from holdfast import Document
from holdfast.vfs import VFS
from holdfast.vfs.fault import Without
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


def updates_kept(vfs: VFS, *, threads: int = 4, each: int = 40) -> int:
    """Add to one counter from several threads with a document each, and return what it says."""

    def work() -> None:
        with Document("/doc.json", vfs=vfs) as document:
            for _ in range(each):
                document.update(lambda state: state.update(n=state["n"] + 1))

    running = [threading.Thread(target=work) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return int(Document("/doc.json", vfs=vfs).read()["n"]) - 1


def test_no_update_is_lost_and_that_needs_the_lock() -> None:
    """Teeth: with the lock on, 160 updates of four threads are kept; with it off, some are lost."""
    kept, lost = [], []
    for wrap, results in ((lambda vfs: vfs, kept), (lambda vfs: Without(vfs, "lock"), lost)):
        for _ in range(5):
            vfs = MemoryVFS()
            vfs.write_tree({"/doc.json": OLD})
            results.append(updates_kept(wrap(vfs)))

    assert [160] * 5 == kept
    assert min(lost) < 160
