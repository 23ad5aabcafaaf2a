"""Folders as trees of the model."""

from __future__ import annotations

import os

from holdfast.crash.disks.trees import canonical, contents_by_path, describe_bytes, read_tree
from holdfast.vfs.operations import ROOT, Node


def test_folder_is_read_with_modes_links_and_contents(tmp_path) -> None:
    """Two names of one file are one inode; a symlink is what it points to."""
    (tmp_path / "d").mkdir(mode=0o755)
    (tmp_path / "a").write_bytes(b"data")
    os.chmod(tmp_path / "a", 0o640)
    os.link(tmp_path / "a", tmp_path / "d" / "b")
    (tmp_path / "s").symlink_to("a")
    tree = read_tree(str(tmp_path))
    names = dict(tree[ROOT].entries)

    assert ["a", "d", "s"] == sorted(names)
    assert (("b", names["a"]),) == tree[names["d"]].entries
    assert (0o640, b"data") == (tree[names["a"]].mode, tree[names["a"]].data)
    assert ("symlink", b"a") == (tree[names["s"]].kind, tree[names["s"]].data)


def test_numbers_do_not_matter_and_links_do() -> None:
    """Equal looks are equal values; one file with two names is not two equal files."""
    file, other = Node("file", data=b"x"), Node("file", data=b"x")

    def tree(**names: int) -> dict[int, Node]:
        return {ROOT: Node("folder", entries=tuple(names.items())), 5: file, 9: other}

    assert canonical(tree(a=5, b=9)) == canonical(tree(b=5, a=9))
    assert canonical(tree(a=5, b=5)) == canonical(tree(a=9, b=9))
    assert canonical(tree(a=5, b=5)) != canonical(tree(a=5, b=9))


def test_what_no_name_leads_to_is_not_part_of_the_look() -> None:
    """An inode without a name cannot be seen."""
    tree = {ROOT: Node("folder"), 7: Node("file")}

    assert (Node("folder"),) == canonical(tree)


def test_contents_are_described_in_runs() -> None:
    """Zeros are named, as they are what a crash leaves."""
    assert "7 bytes: 3 x 'a', 4 x zero" == describe_bytes(b"aaa" + bytes(4))
    assert "0 bytes" == describe_bytes(b"")


def test_tree_is_described_by_path(tmp_path) -> None:
    """Folders end in a slash; each path has its mode and contents."""
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "f").write_bytes(b"zz")
    found = contents_by_path(read_tree(str(tmp_path)))

    assert ["d/", "d/f"] == list(found)
    assert found["d/f"].endswith("2 bytes: 2 x 'z'")
