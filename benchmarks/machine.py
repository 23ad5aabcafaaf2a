"""What the figures were taken on: machine, kernel, filesystem, mount options, cost of a sync."""

from __future__ import annotations

import ctypes
import os
import platform
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.runner import spread

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Bystanders", "Place", "describe_machine", "describe_place", "flushes_of", "settler"]

_SYNCS = 40


class Place(NamedTuple):
    """A folder to work in, and the filesystem under it."""

    label: str
    folder: str
    filesystem: str
    options: str
    device: str
    journal: str
    sync_us: float
    sync_p90_us: float

    @property
    def is_disk(self) -> bool:
        """False for a filesystem in memory, where a sync costs nothing and keeps nothing."""
        return self.filesystem not in {"tmpfs", "ramfs"}

    def __str__(self) -> str:
        sync = f"one sync {self.sync_us:,.0f} µs (p90 {self.sync_p90_us:,.0f})"
        return f"{self.label}: {self.filesystem} ({self.options}), {self.journal}, {sync}"


def describe_place(label: str, folder: str) -> Place:
    """Read the mount table for `folder` and time a few syncs in it."""
    device, filesystem, options, source = _mount_of(folder)
    syncs = spread(_time_syncs(folder))
    journal = _journal(filesystem, source)
    return Place(label, folder, filesystem, options, device, journal, syncs.median, syncs.p90)


class Bystanders:
    """How much of the processors everybody else used since this object was made."""

    def __init__(self) -> None:
        self._begin = _busy_s(), _own_s(), time.monotonic()

    def share(self) -> float | None:
        """A share of all processors, 0 to 1; None where the system does not tell."""
        busy_s, own_s = _busy_s(), _own_s()
        if busy_s is None or self._begin[0] is None:
            return None
        others_s = (busy_s - self._begin[0]) - (own_s - self._begin[1])
        passed_s = (time.monotonic() - self._begin[2]) * (os.cpu_count() or 1)
        return min(1.0, max(0.0, others_s / passed_s)) if passed_s else 0.0


def _busy_s() -> float | None:
    try:
        with open("/proc/stat", encoding="ascii") as file:
            ticks = [int(field) for field in file.readline().split()[1:9]]
    except OSError:
        return None
    idle, waiting = ticks[3], ticks[4]
    return (sum(ticks) - idle - waiting) / os.sysconf("SC_CLK_TCK")


def _own_s() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def describe_machine() -> dict[str, object]:
    """Name the machine, the software and the commit."""
    return {
        "kernel": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "processor": _first_match("/proc/cpuinfo", r"model name\s*:\s*(.+)") or "unknown",
        "cores": os.cpu_count(),
        "memory": _first_match("/proc/meminfo", r"MemTotal:\s*(.+)") or "unknown",
        "load_before": list(os.getloadavg()),
        "python": sys.version.split()[0],
        "commit": _commit(),
    }


def settler(folder: str) -> Callable[[], None]:
    """Return a call that empties the write-back queue of the filesystem of `folder`."""
    try:
        syncfs = ctypes.CDLL(None, use_errno=True).syncfs
    except (OSError, AttributeError):
        return os.sync

    def settle() -> None:
        fd = os.open(folder, os.O_RDONLY)
        try:
            syncfs(fd)
        finally:
            os.close(fd)

    return settle


def flushes_of(device: str) -> int | None:
    """Count the cache flushes asked of this block device (major:minor), if the kernel says."""
    try:
        with open(f"/sys/dev/block/{device}/stat", encoding="ascii") as file:
            fields = file.read().split()
    except OSError:
        return None
    return int(fields[15]) if len(fields) > 15 else None


def _time_syncs(folder: str) -> list[float]:
    path = os.path.join(folder, "one-sync")
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    found = []
    try:
        for _ in range(_SYNCS):
            os.write(fd, b"x" * 4096)
            begin = time.perf_counter_ns()
            os.fsync(fd)
            found.append((time.perf_counter_ns() - begin) / 1e3)
    finally:
        os.close(fd)
    return found


def _mount_of(folder: str) -> tuple[str, str, str, str]:
    """Device, type, options and source of the mount that holds `folder`; the last is on top."""
    real = os.path.realpath(folder)
    best, found = -1, ("", "unknown", "unknown", "")
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as table:
            lines = table.readlines()
    except OSError:
        return found
    for line in lines:
        head, _, tail = line.partition(" - ")
        fields, kind = head.split(), tail.split()
        point = fields[4].encode().decode("unicode_escape")
        if os.path.commonpath((real, point)) == point and len(point) >= best:
            best = len(point)
            options = sorted({*fields[5].split(","), *kind[2].split(",")})
            found = (fields[2], kind[0], ",".join(options), kind[1])
    return found


def _journal(filesystem: str, source: str) -> str:
    if filesystem == "ext4":
        name = os.path.basename(os.path.realpath(source))
        running = os.listdir("/proc/fs/jbd2") if os.path.isdir("/proc/fs/jbd2") else []
        has = any(entry.rpartition("-")[0] == name for entry in running)
        return "journal" if has else "NO journal"
    return {"xfs": "log", "btrfs": "copy on write", "tmpfs": "in memory"}.get(filesystem, "unknown")


def _first_match(path: str, pattern: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            match = re.search(pattern, file.read())
    except OSError:
        return None
    return match[1].strip() if match else None


def _commit() -> str | None:
    def git(*words: str) -> str | None:
        try:
            done = subprocess.run(
                ("git", *words), capture_output=True, text=True, check=False, timeout=20
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    commit = git("rev-parse", "HEAD")
    return commit and commit + (" and changes" if git("status", "--porcelain") else "")
