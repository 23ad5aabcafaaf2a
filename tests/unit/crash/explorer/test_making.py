"""Single nodes: what a note says is left out, and what is set exactly."""

from __future__ import annotations

import os

import pytest

from holdfast.crash.explorer.making import Maker
from holdfast.vfs.operations import Node


@pytest.fixture
def maker(tmp_path):
    return Maker(str(tmp_path))


@pytest.mark.parametrize("kind", ["character", "block"])
def test_device_nodes_are_left_out_with_a_note(maker, tmp_path, kind) -> None:
    """Nobody's device is made in a scratch folder."""
    assert not maker.make("d", Node(kind))
    assert {"device nodes are left out (d)"} == maker.notes
    assert [] == os.listdir(tmp_path)


def test_mode_has_its_special_bits(maker, tmp_path) -> None:
    """Set after the owner, which would clear them."""
    maker.make("f", Node("file", 0o4755, os.geteuid(), os.getegid()))

    assert 0o4755 == os.stat(tmp_path / "f").st_mode & 0o7777


def test_extended_attributes_are_set_or_noted(maker, tmp_path) -> None:
    """Where the filesystem refuses one, a note names it."""
    maker.make("f", Node("file", xattrs=(("user.colour", b"red"),)))
    maker.make("g", Node("file", xattrs=(("nonsense", b"x"),)))

    noted = any("user.colour" in note for note in maker.notes)
    assert noted or b"red" == os.getxattr(tmp_path / "f", "user.colour")
    assert any("the attribute nonsense is left out" in note for note in maker.notes)


@pytest.mark.root
def test_owners_are_set(maker, tmp_path) -> None:
    """Of a file, and of a symlink itself."""
    maker.make("f", Node("file", 0o644, 1234, 2345))
    maker.make("l", Node("symlink", 0o777, 1234, 2345, b"f"))

    for name in "fl":
        found = os.lstat(tmp_path / name)
        assert (1234, 2345) == (found.st_uid, found.st_gid)


def test_times_are_long_ago_and_all_different(maker, tmp_path) -> None:
    """So that whatever happens later shows, and a cache by time is never wrong."""
    for name in "ab":
        maker.make(name, Node("file"))
    times = [os.stat(tmp_path / name).st_mtime_ns for name in "ab"]

    assert 2 == len(set(times))
    assert all(time < 1_100_000_000 * 10**9 for time in times)


def test_existing_file_is_not_overwritten(maker, tmp_path) -> None:
    """A name that is taken is an error, not a file with a mix."""
    (tmp_path / "f").write_bytes(b"there")

    with pytest.raises(FileExistsError):
        maker.make("f", Node("file", data=b"x"))
    assert b"there" == (tmp_path / "f").read_bytes()
