"""Journaled ext4, xfs and btrfs in image files, mounted for one run (root, Linux)."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["KINDS", "SLOW", "Skipped", "mounted", "mounted_slow", "why_not"]

_SIZE = 3 << 30  # sparse; 1,000 new files a round need room for names, not bytes
KINDS = {
    "ext4": ("mkfs.ext4", "-q", "-F", "-O", "has_journal"),
    "xfs": ("mkfs.xfs", "-q", "-f"),
    "btrfs": ("mkfs.btrfs", "-q", "-f"),
}


SLOW = "slow disk"
"""The label of an ext4 on a device whose flush takes its time."""
_FLUSH_S = 0.003


class Skipped(Exception):
    """This filesystem cannot be had here; the text says why."""


def why_not(kind: str) -> str | None:
    """Say what is missing for an image of this kind; None when nothing is."""
    if sys.platform != "linux":
        return "loop mounts are made on Linux only"
    if os.geteuid() != 0:
        return "mounting needs root"
    program = KINDS[kind][0]
    if _which(program) is None:
        return f"{program} is not installed"
    return None


@contextmanager
def mounted(kind: str, folder: str) -> Iterator[str]:
    """Make an image in `folder`, mount it, and always unmount and detach it again.

    Raises:
        Skipped: it could not be made or mounted; nothing is left behind.
    """
    if reason := why_not(kind):
        raise Skipped(reason)
    with tempfile.TemporaryDirectory(prefix=f"{kind}-", dir=folder) as work:
        image, point = os.path.join(work, "image"), os.path.join(work, "mount")
        os.mkdir(point)
        with open(image, "wb") as file:
            file.truncate(_SIZE)
        _call(_which(KINDS[kind][0]) or kind, *KINDS[kind][1:], image)
        try:
            _call("mount", "-o", "loop", image, point)  # the loop device goes with the mount
            yield point
        finally:
            _unmount(point)


@contextmanager
def mounted_slow() -> Iterator[str]:
    """An ext4 on a device of our own, in memory, where one flush takes three milliseconds.

    Raises:
        Skipped: it could not be made; nothing is left behind.
    """
    from holdfast.crash.disks.faults import DeviceFaults
    from holdfast.crash.disks.filesystems import missing, variant
    from holdfast.crash.disks.recorded_disk import RecordedDisk

    if lacks := missing(["ext4"]):
        raise Skipped("; ".join(lacks))
    ext4 = variant("ext4")
    large = ext4._replace(filesystem=ext4.filesystem._replace(size_bytes=_SIZE))
    faults = DeviceFaults(delay_flush_s=_FLUSH_S)
    with RecordedDisk(large, lambda _: None) as disk, disk.recorded(faults=faults) as folder:
        yield folder
        gc.collect()


def _which(program: str) -> str | None:
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def _call(*words: str) -> None:
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, start_new_session=True
    )
    if done.returncode != 0:
        raise Skipped(f"{words[0]}: {done.stderr.strip() or done.returncode}")


def _unmount(point: str) -> None:
    """Unmount whatever happens; a second Ctrl-C waits until it is done."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.collect()  # a contender in a cycle may still hold a lock file open
    try:
        for _ in range(50):
            if not os.path.ismount(point):
                return
            try:
                _call("umount", point)
            except Skipped:
                time.sleep(0.1)  # a worker that is ending may still have a file open
        _call("umount", "--lazy", point)
        print(f"{point}: was busy for 5 s, unmounted lazily", file=sys.stderr)
    finally:
        signal.signal(signal.SIGINT, before)
