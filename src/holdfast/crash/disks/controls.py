"""Programs that are broken in known ways, and one that is not: they prove the harness.

Each replaces the file `state` four times and acknowledges each. `unrelated` is another file, synced
between, as other programs do all the time: it makes a journal commit what it has.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from holdfast.crash.disks.harness import CONTENT, Workload

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["CONTROLS", "VERSIONS", "check_state", "contents"]

VERSIONS = 4
_SIZE_BYTES = 9000
_EVERYWHERE = frozenset({"ext4", "xfs", "btrfs"})


def contents(version: int) -> bytes:
    """The contents of one version: three blocks, each different from those of other versions."""
    line = CONTENT + b"in version %d\n" % version
    return (line * (_SIZE_BYTES // len(line) + 1))[:_SIZE_BYTES]


def _prepare(folder: str) -> None:
    _put(folder, "state", 0, sync=True)
    _put(folder, "unrelated", 0, sync=True)


def check_state(folder: str, acked: Sequence[str]) -> None:
    """The file is whole, and not older than what was acknowledged last.

    Raises:
        ValueError: It is not.
    """
    with open(os.path.join(folder, "state"), "rb") as file:
        data = file.read()
    found = [version for version in range(VERSIONS + 1) if data == contents(version)]
    if not found:
        zeros = data.count(0)
        raise ValueError(f"torn: {len(data)} bytes, {zeros} of them zeros")
    if found[0] < len(acked):
        raise ValueError(f"lost: version {found[0]} after {len(acked)} was acknowledged")


def _put(folder: str, name: str, version: int, *, sync: bool, truncate: bool = True) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | (os.O_TRUNC if truncate else 0)
    descriptor = os.open(os.path.join(folder, name), flags, 0o644)
    try:
        os.write(descriptor, contents(version))
        if sync:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _replace(folder: str, version: int, *, sync: bool) -> None:
    _put(folder, "state.part", version, sync=sync)
    os.replace(os.path.join(folder, "state.part"), os.path.join(folder, "state"))


def _in_place(folder: str, version: int) -> None:
    _put(folder, "state", version, sync=True, truncate=False)


def _truncated(folder: str, version: int) -> None:
    descriptor = os.open(os.path.join(folder, "state"), os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC)
    try:
        _put(folder, "unrelated", version, sync=True)
        os.write(descriptor, contents(version))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _no_file_sync(folder: str, version: int) -> None:
    _replace(folder, version, sync=False)
    _sync_folder(folder)


def _no_folder_sync(folder: str, version: int) -> None:
    _replace(folder, version, sync=True)


def _no_sync(folder: str, version: int) -> None:
    _replace(folder, version, sync=False)
    _put(folder, "unrelated", version, sync=True)


def _correct(folder: str, version: int) -> None:
    _replace(folder, version, sync=True)
    _sync_folder(folder)


def _workload(
    name: str, step: Callable[[str, int], None], *, caught_on: frozenset[str] = frozenset()
) -> Workload:
    def run(folder: str, mark: Callable[[str], None]) -> None:
        for version in range(1, VERSIONS + 1):
            step(folder, version)
            mark(str(version))

    return Workload(name, _prepare, run, check_state, caught_on)


CONTROLS = (
    _workload("control: correct", _correct),
    _workload("control: write in place", _in_place, caught_on=frozenset({"ext4", "xfs"})),
    _workload("control: truncate and write", _truncated, caught_on=frozenset({"ext4", "xfs"})),
    _workload("control: replace, file not synced", _no_file_sync, caught_on=_EVERYWHERE),
    _workload("control: replace, folder not synced", _no_folder_sync, caught_on=_EVERYWHERE),
    _workload(
        "control: replace, nothing synced",
        _no_sync,
        caught_on=frozenset({"xfs", "ext4 noauto_da_alloc"}),
    ),
)
"""Workloads; those with `caught_on` must be caught there."""
