"""The filesystems that are tried: how each is made and mounted, and what it needs."""

from __future__ import annotations

import os
import shutil
from typing import NamedTuple

__all__ = ["FILESYSTEMS", "Filesystem", "Variant", "missing", "variant"]

_MIB = 1 << 20


class Filesystem(NamedTuple):
    """A kind of filesystem. `make` is the command that makes one, without the path."""

    name: str
    size_bytes: int
    make: tuple[str, ...]
    options: str
    never_torn: frozenset[int] = frozenset()
    package: str = ""


class Variant(NamedTuple):
    """A filesystem with mount options; `unsafe` ones break every promise, which must show."""

    filesystem: Filesystem
    options: str = ""
    unsafe: bool = False

    @property
    def name(self) -> str:
        """As it is written in tables."""
        return f"{self.filesystem.name} {self.options}".rstrip()

    @property
    def mount_options(self) -> str:
        """What mount(2) gets."""
        return ",".join(filter(None, (self.filesystem.options, self.options)))


FILESYSTEMS = {
    each.name: each
    for each in (
        Filesystem(
            "ext4",
            48 * _MIB,
            (
                *("mkfs.ext4", "-q", "-F", "-b", "4096", "-m", "0"),
                *("-E", "lazy_itable_init=0,lazy_journal_init=0,nodiscard"),
            ),
            "",
            package="e2fsprogs",
        ),
        Filesystem(
            "xfs",
            304 * _MIB,
            ("mkfs.xfs", "-q", "-f", "-K", "-s", "size=4096"),
            "nouuid",
            package="xfsprogs",
        ),
        Filesystem(
            "btrfs",
            128 * _MIB,
            ("mkfs.btrfs", "-q", "-f", "-K", "-m", "single", "-d", "single"),
            "nodiscard",
            frozenset({64 << 10, 64 << 20}),
            package="btrfs-progs",
        ),
    )
}

_UNSAFE = frozenset({"barrier=0", "nobarrier"})


def variant(text: str) -> Variant:
    """Read a filesystem and its mount options, such as `ext4 data=journal`.

    Raises:
        ValueError: There is no such filesystem here. Nothing was done.
    """
    name, _, options = text.partition(" ")
    if name not in FILESYSTEMS:
        known = ", ".join(FILESYSTEMS)
        raise ValueError(f"{name}: no filesystem that is known here. Known are {known}.")
    return Variant(FILESYSTEMS[name], options, unsafe=bool(_UNSAFE & set(options.split(","))))


def missing(names: list[str]) -> list[str]:
    """What this machine lacks for these filesystems, each with what to do; empty: all is there."""
    lacks: list[str] = []
    if os.name != "posix" or os.uname().sysname != "Linux":
        return ["Linux: block devices are recorded on Linux alone"]
    if os.geteuid() != 0:
        lacks.append("root: run it with sudo")
    lacks += [
        f"{path}: load the kernel module {module}, or give the container the device"
        for path, module in (("/dev/fuse", "fuse"), ("/dev/loop-control", "loop"))
        if not os.path.exists(path)
    ]
    for name in names:
        made = FILESYSTEMS[name]
        if shutil.which(made.make[0]) is None:
            lacks.append(f"{made.make[0]}: install the package {made.package}")
        elif not _in_kernel(name):
            lacks.append(f"{name}: this kernel cannot mount it (try: modprobe {name})")
    return lacks


def _in_kernel(name: str) -> bool:
    with open("/proc/filesystems", encoding="ascii") as table:
        known = {line.split()[-1] for line in table}
    modules = f"/lib/modules/{os.uname().release}"
    return name in known or os.path.isdir(f"{modules}/kernel/fs/{name}")
