"""Modes, owners, extended attributes and access lists."""

from __future__ import annotations

import os
import subprocess

import pytest

from holdfast.vfs.operations import SetAttributes


def set_attributes(recording):
    """Return the attribute operations."""
    return [o for o in recording.operations if isinstance(o, SetAttributes)]


@pytest.fixture
def file(recorded):
    """A file in the recorded folder."""
    path = recorded.folder / "f"
    path.write_text("x")
    path.chmod(0o644)
    return path


def test_modes(recorded, file):
    """By path, by descriptor, and of the recorded folder itself."""
    recorded.folder.chmod(0o755)

    def program():
        os.chmod("f", 0o600)
        os.chmod(os.open("f", os.O_RDONLY), 0o640)
        os.chmod(".", 0o700)

    expected = [SetAttributes(2, 0o600), SetAttributes(2, 0o640), SetAttributes(1, 0o700)]
    assert expected == set_attributes(recorded.call(program))


@pytest.mark.root
def test_owners(recorded, file):
    """A new owner takes the set-id bits away, in one operation."""
    file.chmod(0o4755)

    def program():
        os.chown("f", 1, 2)
        os.symlink("f", "l")
        os.lchown("l", 3, 4)

    expected = [SetAttributes(2, 0o755, (1, 2)), SetAttributes(3, None, (3, 4))]
    assert expected == set_attributes(recorded.call(program))


def test_extended_attributes(recorded, file):
    """Set by path and descriptor, replaced and removed."""

    def program():
        os.setxattr("f", "user.a", b"1")
        os.setxattr(os.open("f", os.O_RDONLY), "user.a", b"2")
        os.removexattr("f", "user.a")
        with pytest.raises(OSError, match="No data"):
            os.removexattr("f", "user.b")

    try:
        os.setxattr(file, "user.probe", b"")
        os.removexattr(file, "user.probe")
    except OSError:
        pytest.skip("no extended attributes here")
    values = [o.xattrs for o in set_attributes(recorded.call(program))]
    assert [(("user.a", b"1"),), (("user.a", b"2"),), (("user.a", None),)] == values


def test_access_list_that_is_no_more_than_a_mode(recorded, file):
    """What the kernel keeps counts, not what was asked for."""
    entries = bytes.fromhex("02000000 01000600ffffffff 04000400ffffffff 20000000ffffffff")

    def program():
        os.setxattr("f", "system.posix_acl_access", entries)

    try:
        os.setxattr(file, "system.posix_acl_access", entries)
    except OSError:
        pytest.skip("no access lists here")
    file.chmod(0o644)
    assert [SetAttributes(2, 0o640)] == set_attributes(recorded.call(program))


def test_failing_changes(recorded, file):
    """A change of what is not there is no operation."""

    def program():
        with pytest.raises(FileNotFoundError):
            os.chmod("gone", 0o600)

    assert () == recorded.call(program).operations


def test_touch_is_no_change(recorded, file):
    """Times are not modelled: setting them is not recorded."""

    def program():
        subprocess.run(["touch", "f"], check=True)

    assert () == recorded.call(program).operations
