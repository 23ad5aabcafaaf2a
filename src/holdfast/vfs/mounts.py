"""Reads Linux's mount table and says what a mount gives.

Facts from mount(8), tmpfs(5), overlayfs and NFS manuals.
"""

from __future__ import annotations

import errno
import os

from holdfast.vfs.api import Promises

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import NamedTuple
else:
    from holdfast.light_typing import NamedTuple

__all__ = [
    "Mount",
    "has_fine_stamps",
    "mount_of",
    "mounted",
    "parse_mountinfo",
    "promises_of",
    "stores_in_place",
    "writes_in_place",
]

_MEMORY = frozenset({"tmpfs", "ramfs", "devtmpfs", "rootfs"})
_NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "afs"}
    | {"glusterfs", "lustre", "virtiofs", "vboxsf"}
)
_NOT_SYNCED = {
    "nobarrier": "mounted nobarrier: the disk's own cache is not flushed",
    "barrier=0": "mounted barrier=0: the disk's own cache is not flushed",
    "volatile": "overlay mounted volatile: nothing is synced",
    "fsync=volatile": "overlay mounted volatile: nothing is synced",
}
_WRITEBACK = "mounted data=writeback: unsynced files may show old disk contents after a power cut"
_FINE_SINCE = (6, 13)
_FINE_STAMPS = frozenset({"btrfs", "ext4", "tmpfs", "xfs"})
_IN_PLACE = frozenset(
    {"ext2", "ext3", "ext4", "xfs", "jfs", "vfat", "exfat", "ntfs3", "tmpfs", "ramfs"}
)
_COPY_ON_WRITE = frozenset({"btrfs", "zfs", "bcachefs", "nilfs2", "f2fs"})
_LOCAL_LOCKS = ("nolock", "local_lock=all", "local_lock=flock")


class Mount(NamedTuple):
    """One line of /proc/self/mountinfo."""

    device: str
    root: str
    point: str
    filesystem: str
    options: frozenset[str]

    @property
    def is_network(self) -> bool:
        """Whether other machines may see the files."""
        return self.filesystem in _NETWORK or self.filesystem.startswith("fuse")


def parse_mountinfo(text: str) -> list[Mount]:
    """Parse the table (proc(5)); a line of another shape is left out."""
    mounts: list[Mount] = []
    for line in text.split("\n"):  # splitlines() would cut names at other separators
        head, _, tail = line.partition(" - ")
        fields, rest = head.split(" "), tail.split(" ")
        if len(fields) >= 6 and len(rest) >= 3:
            options = frozenset(fields[5].split(",") + rest[2].split(","))
            mounts.append(Mount(fields[2], _plain(fields[3]), _plain(fields[4]), rest[0], options))
    return mounts


def _plain(field: str) -> str:
    r"""Undo the `\040` escapes."""
    if "\\" not in field:
        return field
    for code, char in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        field = field.replace(code, char)
    return field


def mount_of(path: str, mounts: list[Mount]) -> Mount | None:
    """Return the mount of a resolved path: the longest mount point, the last of equals."""
    best: Mount | None = None
    for mount in mounts:
        inside = path == mount.point or path.startswith(mount.point.rstrip("/") + "/")
        if inside and (best is None or len(mount.point) >= len(best.point)):
            best = mount
    return best


def has_fine_stamps(mount: Mount | None, kernel: str) -> bool:
    """Say whether a change after a look always shows in the times of a file.

    So it is since Linux 6.13 on the filesystems that have multigrain time stamps
    (Documentation/filesystems/multigrain-ts.rst). `kernel` is its release, as `6.18.4-generic`.
    """
    if mount is None or mount.filesystem not in _FINE_STAMPS:
        return False
    major, _, rest = kernel.partition(".")
    digits = len(rest) - len(rest.lstrip("0123456789"))
    if not (major.isdecimal() and digits):
        return False
    return (int(major), int(rest[:digits])) >= _FINE_SINCE


def mounted(path: str) -> Mount | None:
    """Return the mount of a resolved path."""
    return mount_of(path, _mounts())


def _mounts() -> list[Mount]:
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        return parse_mountinfo(file.read())


def stores_in_place(device: int) -> bool:
    """Say whether a store into a mapping of blocks that were written needs no new room.

    Where it does (copying on write, FUSE, network), a full disk or a lost server ends the process
    with SIGBUS. False for a device that the table does not name: subvolumes of btrfs, overlays.
    The table is read each time: the number of a device goes to another one when it is unmounted.

    Args:
        device: the `st_dev` of the file.
    """
    try:
        return writes_in_place(device, _mounts())
    except OSError:  # no /proc
        return False


def writes_in_place(device: int, mounts: list[Mount]) -> bool:
    """Say whether the table names the device, and a filesystem that never copies on write."""
    number = f"{os.major(device)}:{os.minor(device)}"
    found = {mount.filesystem for mount in mounts if mount.device == number}
    return bool(found) and found <= _IN_PLACE


def promises_of(path: str) -> Promises:
    """Say what the mount under a resolved path gives."""
    mount = mounted(path)
    folder_sync = _folder_sync(path)
    if mount is None:
        weak = ("the mount table does not name this place",)
        return Promises("unknown", True, folder_sync, True, True, weak)
    not_synced = tuple(_not_synced(mount))
    weaknesses = list(not_synced)
    local = mount.is_network and not mount.options.isdisjoint(_LOCAL_LOCKS)
    if local:
        weaknesses.append("locks exclude this machine only")
    if not folder_sync:
        weaknesses.append("folders cannot be synced: a new name may not survive a power cut")
    if mount.is_network:
        weaknesses.append(f"{mount.filesystem}: changes made elsewhere raise no events here")
    if "data=writeback" in mount.options:
        weaknesses.append(_WRITEBACK)
    events = not mount.is_network and mount.filesystem != "overlay"
    zero_filling = not mount.is_network and mount.filesystem not in _MEMORY | _COPY_ON_WRITE
    return Promises(
        mount.filesystem,
        not not_synced,
        folder_sync,
        not local,
        events,
        tuple(weaknesses),
        zero_filling,
    )


def _not_synced(mount: Mount) -> Iterator[str]:
    if mount.filesystem in _MEMORY:
        yield f"{mount.filesystem} lives in memory: nothing survives a power cut"
    for option, sentence in _NOT_SYNCED.items():
        if option in mount.options:
            yield sentence
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
        if "libeatmydata" in maps.read():
            yield "libeatmydata is loaded: syncs are swallowed"


def _folder_sync(path: str) -> bool:
    folder = path if os.path.isdir(path) else os.path.dirname(path)
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return True
    try:
        os.fsync(fd)
    except OSError as error:
        return error.errno not in {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
    finally:
        os.close(fd)
    return True
