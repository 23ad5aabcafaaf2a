"""Power cuts at every point of every operation of a document; what needs each sync and rename."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from holdfast import Document
from holdfast.vfs import VFS
from holdfast.vfs.fault import Without
from holdfast.vfs.memory import MemoryVFS
from tests.support.budget import scaled

OLD = b'{"n": 1, "keep": "me"}\n'
NEW = b'{"n": 2, "keep": "me"}\n'


def add(state: dict[str, Any]) -> None:
    """The change that is made."""
    state["n"] = 2


def by_edit(document: Document[dict[str, Any]]) -> None:
    """By `edit`."""
    with document.edit() as state:
        add(state)


def by_draft(document: Document[dict[str, Any]]) -> None:
    """By a draft."""
    draft = document.checkout()
    add(draft.value)
    draft.commit()


OPERATIONS: dict[str, Callable[[Document[dict[str, Any]]], object]] = {
    "update": lambda document: document.update(add),
    "edit": by_edit,
    "commit": by_draft,
    "write": lambda document: document.write({"n": 2, "keep": "me"}),
    "restore": lambda document: document.restore(7),
}


def explore(
    name: str, wrap: Callable[[MemoryVFS], VFS] = lambda vfs: vfs, **options: Any
) -> tuple[int, list[str]]:
    """Run the operation and look at the document in every state that a crash may leave."""
    vfs = MemoryVFS()
    vfs.write_tree({"/doc.json": OLD, "/doc.json.~7~": NEW})
    with Document("/doc.json", vfs=wrap(vfs), **options) as document:
        OPERATIONS[name](document)
    vfs.mark("acknowledged")
    bad: list[str] = []
    states = vfs.crash_states(limit=scaled(4096))
    for crashed in states:
        state = crashed.crash_state
        found = crashed.tree().get("doc.json")
        acknowledged = state is not None and "acknowledged" in state.marks
        if found not in ({NEW} if acknowledged else {OLD, NEW}):
            bad.append(f"{found!r} after {state and state.at} calls, acknowledged: {acknowledged}")
        elif next_reader_fails(crashed):
            bad.append(f"the next writer fails after {state and state.at} calls")
    return states.states, bad


def next_reader_fails(vfs: MemoryVFS) -> bool:
    """Whether somebody who comes after the crash cannot read and change the document."""
    with Document("/doc.json", vfs=vfs, keep=1) as document:
        return document.update(add) != {"n": 2, "keep": "me"}


@pytest.mark.parametrize(
    "options", [{}, {"keep": 2}, {"lock": False}], ids=["plain", "keep", "no lock"]
)
@pytest.mark.parametrize("name", OPERATIONS)
def test_crash_leaves_old_or_new(name: str, options: dict[str, Any]) -> None:
    """In every state after a power cut the document is old or new, and new once acknowledged."""
    states, bad = explore(name, **options)

    assert [] == bad
    assert states >= 4


@pytest.mark.parametrize("kind", ["sync", "sync_folder", "rename"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_crash_needs_each_sync_and_the_rename(name: str, kind: str) -> None:
    """Teeth: with the sync of the file or of the folder or the rename off, a crash shows it."""
    assert [] != explore(name, lambda vfs: Without(vfs, kind))[1]


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
