"""Whether a list of operations can have happened to a tree: the rule that a stored recording keeps.

Whoever replays a recording may rely on it: every inode and name that an operation speaks of is
there, of the right kind; names lead nowhere else; folders form no loop; files keep to the bounds of
`sizes`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.crash.sizes import Sizes
from holdfast.vfs import operations as ops

if TYPE_CHECKING:
    from holdfast.vfs.operations import Node, Operation, Tree

__all__ = ["Validity", "is_name", "tree_complaint"]


def is_name(name: str) -> bool:
    """Whether a folder can hold this name."""
    return name not in {"", ".", ".."} and "/" not in name and "\0" not in name


def tree_complaint(tree: Tree) -> str | None:
    """Say what is wrong with a tree; None if it can be."""
    if ops.ROOT not in tree or tree[ops.ROOT].kind != "folder":
        return "there is no top folder"
    parents: dict[int, int] = {}
    for folder, node in tree.items():
        if node.entries and node.kind != "folder":
            return f"inode {folder} is a {node.kind} and has names in it"
        if len(dict(node.entries)) != len(node.entries):
            return f"folder {folder} has one name twice"
        for name, inode in node.entries:
            if not is_name(name) or inode not in tree:
                return f"folder {folder}: {name!r} cannot stand for inode {inode}"
            if tree[inode].kind == "folder":
                if inode in parents or inode == ops.ROOT:
                    return f"folder {inode} has two names"
                parents[inode] = folder
    return _loop(parents)


def _loop(parents: dict[int, int]) -> str | None:
    sound = {ops.ROOT}
    for start in parents:
        path, here = set[int](), start
        while here in parents and here not in sound:
            if here in path:
                return f"folder {start} lies in itself"
            path.add(here)
            here = parents[here]
        sound |= path
    return None


class Validity:
    """Follows operations, and says which one cannot be."""

    def __init__(self, tree: Tree) -> None:
        self._kinds = {inode: node.kind for inode, node in tree.items()}
        self._names = {
            inode: dict(node.entries) for inode, node in tree.items() if node.kind == "folder"
        }
        self._parents = {
            inode: folder
            for folder, names in self._names.items()
            for inode in names.values()
            if self._kinds[inode] == "folder"
        }
        self._sizes = Sizes(
            (inode, len(node.data)) for inode, node in tree.items() if node.kind == "file"
        )

    def complaint(self, operation: Operation) -> str | None:
        """Say why this cannot be the next operation; None if it can, and it is taken for done."""
        match operation:
            case ops.Create():
                return self._create(operation.inode, operation.node)
            case ops.Write():
                return self._file(operation.inode) or self._sizes.write(
                    operation.inode, operation.offset, len(operation.data)
                )
            case ops.Truncate():
                return self._file(operation.inode) or self._sizes.truncate(
                    operation.inode, operation.size
                )
            case ops.SetAttributes() | ops.SyncFile() | ops.SyncFailed():
                return self._known(operation.inode)
            case ops.SyncFolder():
                return self._folder(operation.folder)
            case ops.MakeFolder():
                return self._make_folder(operation)
            case ops.Link():
                return self._link(operation)
            case ops.Unlink() | ops.RemoveFolder():
                return self._remove(operation)
            case ops.Rename() | ops.Exchange():
                return self._move(operation)
            case ops.SyncAll() | ops.Mark():
                return None

    def _known(self, inode: int) -> str | None:
        return None if inode in self._kinds else f"there is no inode {inode}"

    def _folder(self, inode: int) -> str | None:
        return None if inode in self._names else f"there is no folder {inode}"

    def _file(self, inode: int) -> str | None:
        return None if self._kinds.get(inode) == "file" else f"inode {inode} is no file"

    def _create(self, inode: int, node: Node) -> str | None:
        if inode in self._kinds:
            return f"inode {inode} is there already"
        if node.kind == "folder" or node.entries:
            return "a folder is made with its name"
        self._kinds[inode] = node.kind
        if node.kind == "file":
            self._sizes.make(inode, len(node.data))
        return None

    def _make_folder(self, operation: ops.MakeFolder) -> str | None:
        folder, name, inode, node = operation
        if folder not in self._names or not is_name(name):
            return f"folder {folder} cannot hold {name!r}"
        if inode in self._kinds or node.kind != "folder" or node.entries:
            return f"inode {inode} cannot be a new, empty folder"
        self._kinds[inode], self._names[inode] = "folder", {}
        self._names[folder][name], self._parents[inode] = inode, folder
        return None

    def _link(self, operation: ops.Link) -> str | None:
        folder, name, inode = operation
        if folder not in self._names or not is_name(name):
            return f"folder {folder} cannot hold {name!r}"
        if self._kinds.get(inode) in {None, "folder"}:
            return f"inode {inode} cannot get a name"
        self._names[folder][name] = inode
        return None

    def _remove(self, operation: ops.Unlink | ops.RemoveFolder) -> str | None:
        folder, name = operation
        inode = self._names.get(folder, {}).pop(name, None)
        if inode is None:
            return f"there is no name {name!r} in folder {folder}"
        self._parents.pop(inode, None)
        return None

    def _move(self, operation: ops.Rename | ops.Exchange) -> str | None:
        folder, name, to_folder, to_name = operation
        inode = self._names.get(folder, {}).get(name)
        if inode is None:
            return f"there is no name {name!r} in folder {folder}"
        if to_folder not in self._names or not is_name(to_name):
            return f"folder {to_folder} cannot hold {to_name!r}"
        other = self._names[to_folder].get(to_name)
        swaps = isinstance(operation, ops.Exchange)
        if swaps and other is None:
            return f"there is no name {to_name!r} in folder {to_folder}"
        if self._lies_in(to_folder, inode) or (swaps and self._lies_in(folder, other)):
            return f"folder {inode} would lie in itself"
        if inode == other:
            return None
        del self._names[folder][name]
        self._put(to_folder, to_name, inode)
        if swaps and other is not None:
            self._put(folder, name, other)
        return None

    def _put(self, folder: int, name: str, inode: int) -> None:
        self._names[folder][name] = inode
        if inode in self._names:
            self._parents[inode] = folder

    def _lies_in(self, inode: int, folder: int | None) -> bool:
        here: int | None = inode
        while here is not None:
            if here == folder:
                return True
            here = self._parents.get(here)
        return False
