"""Modes and access lists of files, as tests make and read them."""

from __future__ import annotations

import stat
import struct
from pathlib import Path

ACL_ACCESS, ACL_DEFAULT = "system.posix_acl_access", "system.posix_acl_default"
SYNCING = {"open", "write", "sync", "close", "rename", "sync_folder", "link", "unlink"}


def access_list(user_id: int, *, mask: int) -> bytes:
    """An access list: owner rw, one named user rw, group r, mask, others nothing."""
    none = 0xFFFFFFFF
    entries = [
        (1, 6, none),
        (2, 6, user_id),
        (4, 4, none),
        (16, mask, none),
        (32, 0, none),
    ]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def mode_of(path: Path) -> int:
    """The permission bits of a file."""
    return stat.S_IMODE(path.stat().st_mode)
