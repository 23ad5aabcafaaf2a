"""What remains of mode and access list when a file gets another owner or group."""

from __future__ import annotations

import struct

import pytest

from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.ownership import ACCESS_LIST, narrowed, narrowed_mode

NOBODY = 0xFFFFFFFF


def access_list(*entries: tuple[int, int, int]) -> bytes:
    """The bytes that Linux keeps."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [(0o640, 0o600), (0o664, 0o644), (0o644, 0o644), (0o671, 0o611), (0o604, 0o604)],
)
def test_group_gets_no_more_than_all_others(mode: int, expected: int) -> None:
    """Bit by bit; owner and others keep theirs."""
    assert expected == narrowed_mode(mode)


@pytest.mark.parametrize(
    ("uid_kept", "gid_kept", "expected"),
    [(True, True, 0o6775), (False, True, 0o775), (True, False, 0o4755), (False, False, 0o755)],
)
def test_set_id_bits_never_change_hands(uid_kept, gid_kept, expected) -> None:
    """Without its owner both go, without its group that of the group."""
    mode, _ = narrowed(0o6775, {}, uid_kept=uid_kept, gid_kept=gid_kept)

    assert expected == mode


def test_group_of_the_file_is_narrowed_in_its_access_list() -> None:
    """Those that the list names keep what they have: the mode's bits are its mask."""
    before = access_list((1, 6, NOBODY), (2, 4, 1005), (4, 6, NOBODY), (16, 6, NOBODY), (32, 4, 0))
    after = access_list((1, 6, NOBODY), (2, 4, 1005), (4, 4, NOBODY), (16, 6, NOBODY), (32, 4, 0))
    xattrs = {ACCESS_LIST: before, "user.a": b"1"}

    assert (0o664, {ACCESS_LIST: after, "user.a": b"1"}) == narrowed(
        0o664, xattrs, uid_kept=True, gid_kept=False
    )


@pytest.mark.parametrize(
    "value", [b"", b"acl", access_list(), access_list((4, 7, 0)) + b"x", b"\3\0\0\0"]
)
def test_list_that_cannot_be_read_is_left_out(value: bytes) -> None:
    """And the mode is narrowed instead."""
    assert (0o600, {}) == narrowed(0o660, {ACCESS_LIST: value}, uid_kept=True, gid_kept=False)


def test_memory_narrows_as_well() -> None:
    """A caller without privileges who gives a file away keeps it, and its group gains nothing."""
    disk = MemoryVFS()
    disk.core.privileged = False
    folder = disk.folder("/")
    file = folder.open("a", "new")
    uid = file.stat().st_uid
    file.set_attributes(mode=0o2640, owner=(uid, 4242), xattrs={})
    mode = file.stat().st_mode & 0o7777
    file.close()
    folder.close()

    assert 0o600 == mode
