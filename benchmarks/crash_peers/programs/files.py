"""A file, by hand: in place, and by rename with and without each sync."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from benchmarks.crash_peers.states import contents, number

if TYPE_CHECKING:
    from collections.abc import Callable

VARIANTS = {
    "in-place": "`open('w')`, write",
    "in-place-synced": "`open('w')`, write, sync",
    "rename": "temporary file, rename",
    "rename-folder-synced": "temporary file, rename, sync of the folder",
    "rename-file-synced": "temporary file, sync, rename",
    "rename-synced-late": "temporary file, rename, sync of both",
    "rename-both-synced": "temporary file, sync, rename, sync of the folder",
}


def _write(path: str, n: int, *, sync: bool) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(contents(n))
        if sync:
            file.flush()
            os.fsync(file.fileno())


def _sync(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def saver(variant: str) -> Callable[[int], None]:
    def save(n: int) -> None:
        if variant.startswith("in-place"):
            _write("state", n, sync=variant == "in-place-synced")
            return
        _write("state.tmp", n, sync=variant in {"rename-file-synced", "rename-both-synced"})
        os.replace("state.tmp", "state")
        if variant == "rename-synced-late":
            _sync("state")
        if variant in {"rename-folder-synced", "rename-both-synced", "rename-synced-late"}:
            _sync(".")

    return save


def load(_variant: str) -> int:
    with open("state", encoding="ascii") as file:
        return number(file.read())
