"""Every public operation of a document, with every error and a sudden death at every call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from holdfast import CommittedNotDurable, Document, HoldfastError
from holdfast.vfs.fault import Faulty, Stopped, each_fault
from holdfast.vfs.memory import MemoryVFS

EFFECTS = (
    "EIO",
    "ENOSPC",
    "EACCES",
    "EPERM",
    "EROFS",
    "EDQUOT",
    "ENOLCK",
    "ESTALE",
    "ENOENT",
    "short 1",
    "stop",
)
OLD = '# kept\nn = 1  # number\n[other]\nx = "y"\n'
NEW = OLD.replace("n = 1", "n = 2")
SETTLED = {"doc.toml", "doc.toml.lock", "doc.toml.~1~", "doc.toml.~2~"}


def add(state: dict[str, Any]) -> None:
    """The change that is made."""
    state["n"] = 2


def edit(document: Document[dict[str, Any]]) -> None:
    """By `edit`."""
    with document.edit() as state:
        add(state)


def commit(document: Document[dict[str, Any]]) -> None:
    """By a draft."""
    draft = document.checkout()
    add(draft.value)
    draft.commit()


def write(document: Document[dict[str, Any]]) -> None:
    """By `write` on a version."""
    snapshot = document.snapshot()
    document.write({**snapshot.value, "n": 2}, if_version=snapshot.version)


OPERATIONS: dict[str, Callable[[Document[dict[str, Any]]], object]] = {
    "update": lambda document: document.update(add),
    "edit": edit,
    "commit": commit,
    "write": write,
    "restore": lambda document: document.restore(1),
}


def disk() -> MemoryVFS:
    """A disk with a document, and an old version that is what the change would make of it."""
    made = MemoryVFS()
    made.write_tree({"/d/doc.toml": OLD.encode(), "/d/doc.toml.~1~": NEW.encode()})
    return made


@pytest.mark.parametrize(
    "options", [{}, {"keep": 2}, {"lock": False}], ids=["plain", "keep", "no lock"]
)
@pytest.mark.parametrize("name", OPERATIONS)
def test_document_is_old_or_new_after_any_fault(name: str, options: dict[str, Any]) -> None:
    """Whatever fails: old or new, new if it returned, told by the error; nothing is left behind."""
    tried = 0
    for fault in each_fault(*EFFECTS):
        vfs = disk()
        faulty = Faulty(vfs, fault)
        document = Document("/d/doc.toml", vfs=faulty, **options)
        error: BaseException | None = None
        try:
            with document:
                OPERATIONS[name](document)
        except (OSError, HoldfastError, Stopped) as caught:
            error = caught
        text = text_of(vfs)
        context = f"{name} {options} {fault}: {error!r}"

        assert text in {OLD, NEW}, context
        if error is None or isinstance(error, CommittedNotDurable):
            assert text == NEW, context
        assert [] == vfs.held_locks, context
        if not faulty.stopped:
            assert (
                [] == [f for f in vfs.open_files if not f.endswith(".lock")] + vfs.open_folders
            ), context
            unlink_failed = fault.fired and fault.operation == "call" and "unlink" in repr(error)
            assert unlink_failed or beside(vfs) <= SETTLED, context
        assert NEW == changed_afterwards(vfs), context
        tried += 1

    assert tried > 100


def beside(vfs: MemoryVFS) -> set[str]:
    """The names in the folder of the document."""
    return {path.removeprefix("d/") for path in vfs.tree() if path != "d"}


def changed_afterwards(vfs: MemoryVFS) -> str:
    """What the next writer makes of it: nothing that was left stops it."""
    document = Document("/d/doc.toml", vfs=vfs)
    document.update(add, timeout_s=5)
    document.close()
    return text_of(vfs)


def text_of(vfs: MemoryVFS) -> str:
    """What the document holds."""
    data = vfs.tree()["d/doc.toml"]
    return data.decode() if isinstance(data, bytes) else f"no file: {data!r}"


@pytest.mark.parametrize("effect", ["EIO", "ENOSPC", "EACCES", "ENOENT", "stop"])
def test_quarantine_never_loses_the_bytes(effect: str) -> None:
    """Whatever fails, the damaged bytes are under one of the two names."""
    for fault in each_fault(effect):
        vfs = MemoryVFS()
        vfs.write_tree({"/d/doc.toml": b"= broken"})
        document = Document("/d/doc.toml", default={}, vfs=Faulty(vfs, fault))
        try:
            with document:
                document.quarantine()
        except (OSError, HoldfastError, Stopped):
            pass
        tree = vfs.tree()

        assert b"= broken" in (tree.get("d/doc.toml"), tree.get("d/doc.toml.corrupt-1")), str(fault)
        assert [] == vfs.held_locks, str(fault)
