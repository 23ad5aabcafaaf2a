"""Stores with a log and two checkpoints in memory, as files that can be damaged one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from holdfast.errors import HoldfastError
from holdfast.state.store import Store
from holdfast.vfs.clock import ManualClock
from holdfast.vfs.memory import MemoryVFS

PATH = "/s"
BEFORE_FIRST = {"a": 1, "b": "two"}
EXPECTED: Mapping[str, Any] = {"a": 3, "b": "two", "c": [1, 2], "d": None, "user/1": "x" * 40}
REFUSED = "refused"


def opened(disk: Any, **options: Any) -> Store[Any]:
    """Open it; each time at the same time."""
    return Store(PATH, vfs=disk, checkpoint_bytes=None, clock=ManualClock(), **options)


def written(*, keep: int = 0, checkpoints: int = 2) -> MemoryVFS:
    """A closed store: commits, with checkpoints between them."""
    disk = MemoryVFS()
    with opened(disk, keep=keep) as store:
        store.update(BEFORE_FIRST)
        if checkpoints:
            store.checkpoint()
        store["c"] = [1, 2]
        if checkpoints > 1:
            store.checkpoint()
        store["a"] = 3
        with store.transaction() as tx:
            tx["d"] = None
            tx["user/1"] = "x" * 40
    return disk


def trimmed(disk: MemoryVFS) -> MemoryVFS:
    """The same after a start of the machine; slots without most of their zeros, to be quick."""
    tree = dict(disk.tree())
    for name, data in tree.items():
        if isinstance(data, bytes) and "checkpoint" in name:
            tree[name] = data[: len(data.rstrip(b"\0")) + 64]
        if isinstance(data, bytes) and name.endswith("segment"):
            tree[name] = data[: len(data.rstrip(b"\0")) + 640]
    other = MemoryVFS()
    other.write_tree(tree)
    return other


def files_of(disk: MemoryVFS) -> dict[str, bytes]:
    """The contents of all files that matter after a start of the machine."""
    tree = disk.tree().items()
    return {name: data for name, data in tree if isinstance(data, bytes) and "/lock" not in name}


def with_file(disk: MemoryVFS, name: str, data: bytes | None) -> MemoryVFS:
    """Another disk, after a power cut, with other contents of one file; None: without it."""
    other = MemoryVFS()
    tree = {**disk.tree(), name: data}
    if data is None:
        del tree[name]
    other.write_tree(tree)
    return other


def flipped(data: bytes, at: int, *, bit: int) -> bytes:
    """The bytes with one bit changed."""
    changed = bytearray(data)
    changed[at] ^= 1 << bit
    return bytes(changed)


def read(disk: MemoryVFS, **options: Any) -> dict[str, Any] | str:
    """All that a store shows, or that it is refused."""
    try:
        with opened(disk, **options) as store:
            return dict(store)
    except HoldfastError:
        return REFUSED
