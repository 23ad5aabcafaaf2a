"""Names, attributes and syncs, from logs."""

from __future__ import annotations

import os

import pytest

from holdfast.crash.recorders.errors import RecordingRefused
from holdfast.vfs.operations import (
    Create,
    Exchange,
    Link,
    MakeFolder,
    Node,
    RemoveFolder,
    Rename,
    SetAttributes,
    SyncAll,
    SyncFailed,
    SyncFile,
    SyncFolder,
    Unlink,
)
from tests.support.strace_logs import ONE, Replayed, operations

OWN = (os.geteuid(), os.getegid())
CHANGES = {
    'rename("a", "d/x")': [Rename(1, "a", 3, "x")],
    'renameat(AT_FDCWD</r>, "a", 5</r/d>, "x")': [Rename(1, "a", 3, "x")],
    'renameat2(AT_FDCWD</r>, "a", AT_FDCWD</r>, "s", RENAME_EXCHANGE)': [Exchange(1, "a", 1, "s")],
    'rename("a", "a")': [],
    'rename("a", "/tmp/x")': [Unlink(1, "a")],
    'rename("d", "/tmp/x")': [RemoveFolder(1, "d")],
    'link("a", "d/x")': [Link(3, "x", 2)],
    'linkat(3</r/a>, "", AT_FDCWD</r>, "x", AT_EMPTY_PATH)': [Link(1, "x", 2)],
    'linkat(AT_FDCWD</r>, "s", AT_FDCWD</r>, "x", 0)': [Link(1, "x", 4)],
    'unlink("s/b")': [Unlink(3, "b")],
    'unlinkat(5</r/d>, "b", 0)': [Unlink(3, "b")],
    'unlinkat(AT_FDCWD</r>, "d", AT_REMOVEDIR)': [RemoveFolder(1, "d")],
    'rmdir("d")': [RemoveFolder(1, "d")],
    'unlink("socket")': [],
    'mkdir("n", 0777)': [MakeFolder(1, "n", 6, Node("folder", 0o755, *OWN))],
    'mkdirat(5</r/d>, "n", 0700)': [MakeFolder(3, "n", 6, Node("folder", 0o700, *OWN))],
    'symlink("to", "n")': [Create(6, Node("symlink", 0o777, *OWN, b"to")), Link(1, "n", 6)],
    'mknodat(AT_FDCWD</r>, "n", S_IFIFO|0666)': [
        Create(6, Node("fifo", 0o644, *OWN)),
        Link(1, "n", 6),
    ],
    'mknod("n", S_IFSOCK|0666)': [],
    'chmod("a", 0600)': [SetAttributes(2, 0o600)],
    'chmod("a", 0644)': [SetAttributes(2)],
    "fchmod(3</r/a>, 0600)": [SetAttributes(2, 0o600)],
    "fchmod(5</r/d>, 0700)": [SetAttributes(3, 0o700)],
    'fchmodat(5</r/d>, "b", 0600)': [SetAttributes(5, 0o600)],
    'chown("s", 7, -1)': [SetAttributes(3, None, (7, 0))],
    'lchown("s", 7, 8)': [SetAttributes(4, None, (7, 8))],
    "fchown(3</r/a>, -1, 4294967295)": [SetAttributes(2)],
    'fchownat(AT_FDCWD</r>, "s", 7, 8, AT_SYMLINK_NOFOLLOW)': [SetAttributes(4, None, (7, 8))],
    'setxattr("a", "user.x", "v", 1, 0)': [SetAttributes(2, xattrs=(("user.x", b"v"),))],
    'fsetxattr(3</r/a>, "user.x", "v", 1, 0)': [SetAttributes(2, xattrs=(("user.x", b"v"),))],
    'lremovexattr("s", "user.x")': [SetAttributes(4, xattrs=(("user.x", None),))],
    "fsync(3</r/a>)": [SyncFile(2)],
    "fdatasync(3</r/a>)": [SyncFile(2, data_only=True)],
    "fsync(5</r/d>)": [SyncFolder(3)],
    "fsync(9</tmp/x>)": [],
    "sync()": [SyncAll()],
    "syncfs(9</nowhere/x>)": [],
}
OPEN = """
1 openat(AT_FDCWD</r>, "a", O_RDWR) = 3</r/a>
1 openat(AT_FDCWD</r>, "d", O_RDONLY|O_DIRECTORY) = 5</r/d>
"""


@pytest.mark.parametrize("call", CHANGES)
def test_each_call_is_one_change(call):
    """`a` is open as 3, the folder `d` as 5; `s` is a symlink to `d`."""
    assert CHANGES[call] == operations(f"{OPEN}1 {call} = 0", ONE)


ELSEWHERE = (
    'rename("/tmp/x", "/tmp/y")',
    'link("a", "/tmp/x")',
    'unlink("/tmp/x")',
    'mkdir("/tmp/x", 0700)',
    'symlink("a", "/tmp/x")',
    'mknod("/tmp/x", S_IFIFO|0600)',
    'chmod("/tmp/x", 0600)',
    'chown("/tmp/x", 1, 1)',
    'setxattr("/tmp/x", "user.x", "v", 1, 0)',
    'removexattr("/tmp/x", "user.x")',
    'fsetxattr(9</tmp/x>, "user.x", "v", 1, 0)',
    "fchmod(9</tmp/x>, 0600)",
    "fsync(9<pipe:[7]>)",
    'truncate("/tmp/x", 1)',
    "ftruncate(9</tmp/x>, 1)",
    "fallocate(9</tmp/x>, 0, 0, 1)",
    "sendfile(9</tmp/x>, 3</r/a>, NULL, 4)",
    'openat(AT_FDCWD</r>, "/tmp", O_RDWR|O_TMPFILE, 0600)',
    'openat(AT_FDCWD</r>, "a", O_PATH)',
)


@pytest.mark.parametrize("call", ELSEWHERE)
def test_calls_on_other_files_are_none_of_the_recording(call):
    """Outside of the folder, or without an effect in it."""
    assert Replayed(OPEN, ONE).texts == Replayed(f"{OPEN}1 {call} = 0", ONE).texts


def test_a_link_that_failed_is_told_if_its_file_is_known():
    """From outside, it would have been refused had it been made."""
    failed = "= -1 EXDEV (Invalid cross-device link)"
    assert [] == Replayed(f'1 link("/tmp/x", "n") {failed}', ONE).texts
    assert ["link('a', 'n')"] == Replayed(f'1 link("a", "n") {failed}', ONE).texts


def test_a_socket_is_moved_as_it_was_made():
    """It is in no recording; what it takes the place of is gone all the same."""
    assert [] == operations('1 rename("socket", "/tmp/x") = 0', ONE)
    assert [] == operations('1 rename("socket", "other") = 0', ONE)
    assert [Unlink(1, "a")] == operations('1 rename("socket", "a") = 0', ONE)


def test_a_program_with_set_id_bits_that_changes_hands_is_refused():
    """Its bits go, or stay, by rights that are not told."""
    before = {1: Node("folder", entries=(("a", 2),)), 2: Node("file", 0o4755)}
    with pytest.raises(RecordingRefused, match="another owner"):
        operations('1 chown("a", 7, 7) = 0', before)


@pytest.mark.parametrize("call", ['rename("a", "b")', 'mkdir("n", 0777)', 'symlink("a", "n")'])
def test_a_call_that_failed_changed_nothing(call):
    """It is written down with its error."""
    it = Replayed(f"1 {call} = -1 EACCES (Permission denied)", ONE)
    assert [] == it.operations
    assert ["EACCES"] == [made.error for made in it.ledger.calls]


@pytest.mark.parametrize(("devices", "expected"), [(1, [SyncAll(), SyncAll()]), (2, [SyncAll()])])
def test_syncfs_of_one_of_several_filesystems_is_no_sync_of_all(devices, expected):
    """A note says so; `sync` syncs them all."""
    it = Replayed(f"{OPEN}1 syncfs(3</r/a>) = 0\n1 sync() = 0", ONE, devices=devices)
    assert expected == it.operations
    assert (devices > 1) is ("several filesystems" in "".join(it.world.notes))


def test_a_sync_that_failed_is_told():
    """The kernel takes the pages for clean from then on."""
    found = operations(f"{OPEN}1 fsync(3</r/a>) = -1 EIO (Input/output error)", ONE)
    assert [SyncFailed(2)] == found


@pytest.mark.parametrize("call", ['rename("/tmp/x", "a")', 'link("/tmp/x", "n")'])
def test_what_comes_from_outside_is_refused(call):
    """What was in it is not told."""
    with pytest.raises(RecordingRefused, match="came from outside"):
        operations(f"1 {call} = 0", ONE)


def test_access_lists_are_refused():
    """They change the mode by rules that are not followed."""
    with pytest.raises(RecordingRefused, match=r"system\.posix_acl_default was set"):
        operations('1 setxattr("d", "system.posix_acl_default", "v", 1, 0) = 0', ONE)
