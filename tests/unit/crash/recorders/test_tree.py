"""Reading a folder."""

from __future__ import annotations

import os
import socket

import pytest

from holdfast.crash.recorders import tree
from holdfast.crash.recorders.errors import RecordingRefused
from holdfast.crash.recorders.tree import read_tree


def numbered():
    """Give each inode the next number."""
    numbers = {}
    return lambda identity: numbers.setdefault(identity, len(numbers) + 1)


def test_everything_is_read(tmp_path):
    """Kinds, modes, contents, targets, hard links."""
    (tmp_path / "d").mkdir(mode=0o700)
    (tmp_path / "d" / "f").write_bytes(b"abc")
    os.link(tmp_path / "d" / "f", tmp_path / "g")
    os.symlink("d/f", tmp_path / "l")
    os.mkfifo(tmp_path / "p")

    nodes = read_tree(str(tmp_path), numbered())
    top = dict(nodes[1].entries)
    assert ["d", "g", "l", "p"] == sorted(top)
    assert ("folder", 0o700) == nodes[top["d"]][:2]
    assert top["g"] == dict(nodes[top["d"]].entries)["f"]
    assert (b"abc", b"d/f") == (nodes[top["g"]].data, nodes[top["l"]].data)
    assert "fifo" == nodes[top["p"]].kind


def test_names_that_are_no_text(tmp_path):
    """Any bytes come back as they were."""
    (tmp_path / os.fsdecode(b"\xff\n")).touch()
    ((name, _),) = read_tree(str(tmp_path), numbered())[1].entries
    assert b"\xff\n" == os.fsencode(name)


def test_sockets_are_left_out(tmp_path, monkeypatch):
    """They outlive no restart."""
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("s")
        assert () == read_tree(".", numbered())[1].entries


def test_extended_attributes(tmp_path):
    """Those of users count."""
    (tmp_path / "f").touch()
    try:
        os.setxattr(tmp_path / "f", "user.a", b"1")
    except OSError:
        pytest.skip("no extended attributes here")
    assert (("user.a", b"1"),) == read_tree(str(tmp_path), numbered())[2].xattrs


def test_too_much_is_refused(tmp_path):
    """Also a file that is long and empty, before it is read."""
    with open(tmp_path / "f", "wb") as file:
        file.truncate(tree.TREE_BYTES_MAX + 1)
    with pytest.raises(RecordingRefused, match="more than 512 MiB"):
        read_tree(str(tmp_path), numbered())
