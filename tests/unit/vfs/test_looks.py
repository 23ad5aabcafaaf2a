"""Looks: trees that look the same have one number, others have another."""

from __future__ import annotations

from holdfast.vfs.looks import Looks
from holdfast.vfs.model import Disk
from holdfast.vfs.operations import ROOT, Link, Node, SetAttributes, Tree, Write

FILE = Node("file", data=b"x")


def total(tree: Tree) -> int:
    """The number of a tree."""
    return Looks(Disk(tree), {}).now().total


def folder(**entries: int) -> Node:
    """A folder with these names."""
    return Node("folder", entries=tuple(entries.items()))


def test_inode_numbers_do_not_matter() -> None:
    """Names and links do."""
    one = total({ROOT: folder(a=2, b=3), 2: FILE, 3: FILE})
    assert one == total({ROOT: folder(b=8, a=9), 8: FILE, 9: FILE})
    assert one != total({ROOT: folder(a=2, b=2), 2: FILE})


def test_places_of_names_matter() -> None:
    """A name in a folder is not a name beside it."""
    trees: list[Tree] = [
        {ROOT: folder(a=2, c=2, d=3), 2: FILE, 3: folder()},
        {ROOT: folder(a=2, d=3), 2: FILE, 3: folder(c=2)},
        {ROOT: folder(a=2, d=3), 2: FILE, 3: folder(a=2)},
    ]
    assert 3 == len({total(tree) for tree in trees})


def test_changes_change_the_number_to_that_of_the_new_tree() -> None:
    """Contents, attributes and names, one after the other."""
    disk = Disk({ROOT: folder(a=2), 2: FILE})
    looks = Looks(disk, {})
    before = looks.now().total
    operations = [Write(2, 0, b"y"), SetAttributes(2, 0o600), Link(ROOT, "b", 2)]
    for at, operation in enumerate(operations):
        disk.apply(operation, at)
        now = looks.now()
        assert before != now.total == total(now.nodes)
        before = now.total


def test_other_nodes_and_folders_without_a_change_of_the_disk() -> None:
    """The number of a tree that is not there."""
    tree = {ROOT: folder(a=2, d=3), 2: FILE, 3: folder()}
    looks = Looks(Disk(tree), {})
    now = looks.now()
    other = Node("file", 0o600, data=b"x")
    key = (1, looks._disk.contents(2).key()[1])
    assert total({**tree, 2: other}) == looks.with_nodes(now, {2: (other, key)})
    moved = looks.with_names({ROOT: folder(d=3), 3: folder(a=2)})
    assert moved is not None
    assert total({ROOT: folder(d=3), 2: FILE, 3: folder(a=2)}) == moved.total
    assert looks.with_names({3: folder(x=3)}) is None
