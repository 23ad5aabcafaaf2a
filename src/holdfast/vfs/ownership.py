"""What a file may keep of its mode and access list when it cannot keep its owner or group.

Its group may read what it could; another group, which the file gets instead, may do no more than
all others could. Set-ID bits never change hands.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ACCESS_LIST", "narrowed", "narrowed_mode"]

ACCESS_LIST = "system.posix_acl_access"
"""The extended attribute of Linux that is the access list."""

_HEAD = "<I"  # the version, 2; then entries: tag, permissions, uid or gid
_HEAD_BYTES = 4
_ENTRY = "<HHI"
_ENTRY_BYTES = 8
_GROUP_OBJ, _OTHER = 0x04, 0x20


def narrowed(
    mode: int, xattrs: Mapping[str, bytes], *, uid_kept: bool, gid_kept: bool
) -> tuple[int, Mapping[str, bytes]]:
    """Return mode and attributes for a file that got another owner or group than it had."""
    if not uid_kept:
        mode &= ~0o6000
    if gid_kept:
        return mode, xattrs
    mode &= ~0o2000
    others = {key: value for key, value in xattrs.items() if key != ACCESS_LIST}
    access_list = _narrowed_list(xattrs.get(ACCESS_LIST, b""))
    if access_list is None:
        return narrowed_mode(mode), others
    # The group's bits of the mode are the mask of the list here, which holds for those it names.
    return mode, {**others, ACCESS_LIST: access_list}


def narrowed_mode(mode: int) -> int:
    """Give the group no more than all others have."""
    return mode & ~0o070 | (mode & (mode << 3) & 0o070)


def _narrowed_list(value: bytes) -> bytes | None:
    """Give the group of the file no more than all others have; None for what is no such list."""
    import struct

    head, body = value[:_HEAD_BYTES], value[_HEAD_BYTES:]
    if head != struct.pack(_HEAD, 2) or len(body) % _ENTRY_BYTES:
        return None
    entries: list[tuple[int, int, int]] = list(struct.iter_unpack(_ENTRY, body))
    others = [permissions for tag, permissions, _ in entries if tag == _OTHER]
    if len(others) != 1:
        return None
    parts = [
        struct.pack(_ENTRY, tag, permissions & others[0] if tag == _GROUP_OBJ else permissions, who)
        for tag, permissions, who in entries
    ]
    return head + b"".join(parts)
