"""Measures what one folder really gives, and leaves nothing behind.

All happens in a private folder within the one that is asked about, which is removed at the end,
also after an error. At most some hundred small syncs are all the load. Facts that the seam does not
carry (free space, mounts) are read when `vfs` is the system.

A sync that takes less than 15 us has synced nothing: no device is that fast, and tmpfs,
libeatmydata and a volatile overlay all are. A disk whose own cache is not emptied (`nobarrier`)
cannot be told by time; the mount options tell, by `VFS.promises`.
"""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING, NamedTuple

from holdfast.vfs import CLOCK, SYSTEM, features

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.vfs import VFS, Clock, File, Folder, Promises

__all__ = ["NOTHING_SYNCED_US", "Facts", "Latency", "Space", "probe"]

NOTHING_SYNCED_US = 15.0
"""A sync whose median is below this many microseconds did nothing."""

_RECORD = bytes(range(128))
_CONTENTS = bytes(range(256)) * 16  # 4 KiB
_SECTOR_BYTES = 512
_SECTORS = 64
_FEWEST, _MOST = 5, 100
_ATTEMPTS = 100


class Latency(NamedTuple):
    """How long one thing took, over so many `samples`."""

    p50_us: float
    p99_us: float
    samples: int

    @property
    def per_s(self) -> float:
        """How many one after the other fit into a second."""
        return 1e6 / max(self.p50_us, 0.001)


class Space(NamedTuple):
    """What is free for this user; `files` is None where files are not counted."""

    size_bytes: int
    files: int | None


class Facts(NamedTuple):
    """What is known about one folder.

    Measured: `append` (128 bytes and a sync), `overwrite` (512 bytes of a zero-filled file and a
    sync of its data), `replace` (4 KiB: write, sync, rename, sync of the folder), and whether there
    are `unnamed` files, `hard_links` (which never replace a name: `no_clobber`), locks that exclude
    another open file (`locks_exclude`) and user `attributes`; `name_max_bytes`; `folds_case`.
    Read: `promises`, `space`, `mounted_files` (names here that are mounts of single files).
    """

    path: str
    promises: Promises
    append: Latency
    overwrite: Latency
    replace: Latency
    unnamed: bool
    hard_links: bool
    no_clobber: bool
    locks_exclude: bool
    attributes: bool
    name_max_bytes: int
    folds_case: bool
    space: Space | None
    mounted_files: tuple[str, ...]

    @property
    def is_synced(self) -> bool:
        """Whether a sync takes long enough to have done something."""
        return self.append.p50_us >= NOTHING_SYNCED_US

    @property
    def zero_fill_ratio(self) -> float:
        """What a sync over zero-filled blocks costs, as a part of one that appends."""
        return self.overwrite.p50_us / max(self.append.p50_us, 0.001)


def probe(path: str, *, vfs: VFS = SYSTEM, clock: Clock = CLOCK, seconds: float = 0.3) -> Facts:
    """Measure and read what the folder gives, within about so many seconds, leaving nothing behind.

    Args:
        path: a folder that this process may write to.
        vfs: the filesystem.
        clock: what the times are measured with.
        seconds: the budget of the measurements; a slow disk takes more, for 15 syncs at least.

    Raises:
        OSError: the folder is missing, is none, or cannot be written to. Nothing was left in it.
    """
    resolved = vfs.resolve(path)
    parent = vfs.folder(resolved)
    try:
        name, work, guard = _enter(parent, resolved, vfs)
        try:
            return _measure(resolved, _Probe(work, vfs, clock, seconds))
        finally:
            _clear(work, guard=name)
            guard.close()
            parent.rmdir(name)
    finally:
        parent.close()


def _enter(parent: Folder, path: str, vfs: VFS) -> tuple[str, Folder, File]:
    """Make a private folder, and in it the locked file of its name that tells that this lives.

    This is the form of temporary names: what a probe that was killed left is swept as a leftover.
    """
    for left in reversed(range(_ATTEMPTS)):
        name = f".holdfast-probe.{vfs.token()}.holdfast-tmp"
        parent.mkdir(name, permissions=0o700)
        work = None
        try:
            work = vfs.folder(os.path.join(path, name))
            guard = _locked(work, name, insist=left > 0)
        except BaseException as error:
            _leave(parent, name, work)
            if not isinstance(error, FileNotFoundError):
                raise
        else:
            return name, work, guard
    raise OSError(errno.EAGAIN, f"{_ATTEMPTS} private folders were swept away", path)


def _locked(work: Folder, name: str, *, insist: bool) -> File:
    """Make and lock the guard; `FileNotFoundError` if a sweeper was faster."""
    guard = work.open(name, "new", permissions=0o600)
    try:
        if guard.lock(block=False):
            if guard.stat().st_nlink:
                return guard
        elif not insist:
            return guard  # after so many tries: nobody gets a lock here, and so no sweeper
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
    except OSError as error:
        if error.errno in features.NO_LOCKS:
            return guard
        guard.close()
        raise


def _leave(parent: Folder, name: str, work: Folder | None) -> None:
    try:
        if work is not None:
            _clear(work, guard=name)
        parent.rmdir(name)
    except FileNotFoundError:
        pass  # it was swept


class _Probe(NamedTuple):
    folder: Folder
    vfs: VFS
    clock: Clock
    seconds: float


def _measure(path: str, here: _Probe) -> Facts:
    work, vfs = here.folder, here.vfs
    return Facts(
        path=path,
        promises=vfs.promises(path),
        append=_append(here),
        overwrite=_overwrite(here),
        replace=_replace(here),
        unnamed=features.has_unnamed(work),
        hard_links=features.has_links(work),
        no_clobber=features.spares_taken_names(work),
        locks_exclude=features.locks_exclude(work),
        attributes=features.has_attributes(work),
        name_max_bytes=features.longest_name(work),
        folds_case=features.folds_case(work),
        space=_space(path) if vfs is SYSTEM else None,
        mounted_files=_mounted_files(path) if vfs is SYSTEM else (),
    )


def _clear(work: Folder, *, guard: str) -> None:
    """Remove all files, the guard last, and close."""
    try:
        for name in sorted(work.names(), key=lambda name: name == guard):
            work.unlink(name)
    finally:
        work.close()


def _timed(here: _Probe, share: float, work: Callable[[int], None]) -> Latency:
    """Time `work(0)`, `work(1)` ... until the share of the budget is used."""
    clock, times = here.clock, list[float]()
    end = clock.monotonic() + here.seconds * share
    work(0)  # the first one allocates and loads: not a figure
    for turn in range(1, _MOST + 1):
        began = clock.monotonic()
        if turn > _FEWEST and began >= end:
            break
        work(turn)
        times.append((clock.monotonic() - began) * 1e6)
    times.sort()
    return Latency(times[len(times) // 2], times[(len(times) * 99) // 100], len(times))


def _append(here: _Probe) -> Latency:
    def once(_: int) -> None:
        file.write(_RECORD)
        file.sync()

    file = here.folder.open("append", "new", permissions=0o600)
    try:
        return _timed(here, 0.25, once)
    finally:
        file.close()


def _overwrite(here: _Probe) -> Latency:
    def once(turn: int) -> None:
        file.write(_CONTENTS[:_SECTOR_BYTES], offset=turn % _SECTORS * _SECTOR_BYTES)
        _sync_data(file)

    file = here.folder.open("zeros", "new", permissions=0o600)
    try:
        _write_all(file, bytes(_SECTORS * _SECTOR_BYTES))
        file.sync()
        return _timed(here, 0.25, once)
    finally:
        file.close()


def _sync_data(file: File) -> None:
    """Sync the data and not the times, where the system can: what a log does."""
    if sys.platform == "linux":
        try:
            fd = file.fileno()
        except OSError:
            pass  # a file of no system: its own sync below
        else:
            return os.fdatasync(fd)
    return file.sync()


def _replace(here: _Probe) -> Latency:
    folder = here.folder

    def once(_: int) -> None:
        file = folder.open("new contents", "new", permissions=0o600)
        try:
            _write_all(file, _CONTENTS)
            file.sync()
        finally:
            file.close()
        folder.rename("new contents", "contents")
        folder.sync()

    return _timed(here, 0.5, once)


def _write_all(file: File, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def _space(path: str) -> Space:
    if sys.platform == "win32":
        from shutil import disk_usage

        return Space(disk_usage(path).free, None)
    else:  # noqa: RET505 (the type checkers see one branch a platform)
        facts = os.statvfs(path)
        return Space(facts.f_bavail * facts.f_frsize, facts.f_favail if facts.f_files else None)


def _mounted_files(path: str) -> tuple[str, ...]:
    """Find the names here that are mounts of single files: renaming over one is EBUSY."""
    found: list[str] = []
    if sys.platform == "linux":
        from holdfast.vfs.mounts import parse_mountinfo

        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as table:
            mounts = parse_mountinfo(table.read())
        for mount in mounts:
            folder, name = os.path.split(mount.point)
            if folder == path and name and not os.path.isdir(mount.point):
                found.append(name)
    return tuple(found)
