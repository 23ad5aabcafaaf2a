"""Reads a folder of a real filesystem as the tree that the persistence model speaks of."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from holdfast.vfs.operations import ROOT, Kind, Node, Tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["canonical", "contents_by_path", "read_tree"]

_KINDS: dict[int, Kind] = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "folder",
    stat.S_IFLNK: "symlink",
    stat.S_IFIFO: "fifo",
}


def read_tree(folder: str) -> dict[int, Node]:
    """Return all inodes below a folder, numbered from the top in the order of their names.

    Modes, owners, contents and the extended attributes of files are read; times are not.

    Raises:
        OSError: Something in it cannot be read.
    """
    numbers: dict[int, int] = {}
    tree: dict[int, Node] = {}
    _read(folder, (numbers, tree))
    return tree


def _read(path: str, found: tuple[dict[int, int], dict[int, Node]]) -> int:
    numbers, tree = found
    status = os.lstat(path)
    if status.st_ino in numbers:
        return numbers[status.st_ino]
    number = numbers[status.st_ino] = ROOT + len(numbers)
    kind = _KINDS[stat.S_IFMT(status.st_mode)]
    node = Node(kind, stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)
    tree[number] = node
    if kind == "folder":
        names = sorted(os.listdir(path))
        entries = tuple((name, _read(os.path.join(path, name), found)) for name in names)
        tree[number] = node._replace(entries=entries)
    elif kind == "file":
        xattrs = tuple((name, os.getxattr(path, name)) for name in sorted(os.listxattr(path)))
        with open(path, "rb") as file:
            tree[number] = node._replace(data=file.read(), xattrs=xattrs)
    elif kind == "symlink":
        tree[number] = node._replace(data=os.fsencode(os.readlink(path)))
    return number


def canonical(tree: Tree) -> tuple[Node, ...]:
    """A value that is equal for trees which look the same, whatever their inode numbers."""
    numbers, todo = {ROOT: ROOT}, [ROOT]
    nodes: list[Node] = []
    for inode in todo:
        for _, entry in sorted(tree[inode].entries):
            if entry not in numbers:
                numbers[entry] = ROOT + len(numbers)
                todo.append(entry)
        entries = tuple((name, numbers[entry]) for name, entry in sorted(tree[inode].entries))
        nodes.append(tree[inode]._replace(entries=entries))
    return tuple(nodes)


def contents_by_path(tree: Tree) -> Mapping[str, str]:
    """What is where, in a few words each, for people."""

    def below(inode: int, path: str) -> Iterator[tuple[str, str]]:
        for name, entry in tree[inode].entries:
            node, place = tree[entry], f"{path}{name}"
            what = f"inode {entry}, mode {node.mode:o}"
            if node.kind == "folder":
                yield f"{place}/", what
                yield from below(entry, f"{place}/")
            else:
                yield place, f"{what}, {describe_bytes(node.data)}"

    return dict(below(ROOT, ""))


def describe_bytes(data: bytes) -> str:
    """Runs of equal bytes, such as `9000 bytes: 4096 x 'a', 4904 x zero`."""
    runs: list[tuple[int, int]] = []
    for value in data:
        if runs and runs[-1][0] == value:
            runs[-1] = (value, runs[-1][1] + 1)
        else:
            runs.append((value, 1))
    text = ", ".join(f"{n} x {chr(v)!r}" if v else f"{n} x zero" for v, n in runs[:12])
    return f"{len(data)} bytes" + (f": {text}" if runs else "")
