"""What inodes are called while operations go by, for those who have to name them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from holdfast.vfs import operations as ops

if TYPE_CHECKING:
    from holdfast.vfs.operations import Operation, Tree

    _OfInode: TypeAlias = (
        ops.Write | ops.Truncate | ops.SetAttributes | ops.SyncFile | ops.SyncFailed
    )

__all__ = ["Names", "describe"]

_DEPTH_MAX = 100
_NAME_VERBS: dict[type, str] = {
    ops.Link: "link",
    ops.MakeFolder: "mkdir",
    ops.Unlink: "unlink",
    ops.RemoveFolder: "rmdir",
}


class Names:
    """The last name of each inode, also of one that has none any more."""

    def __init__(self, tree: Tree) -> None:
        self.moved: dict[int, int] = {}
        """By the number of a rename, the inode that it has moved."""
        self._places: dict[int, tuple[int, str]] = {}
        self._inodes: dict[tuple[int, str], int] = {}
        for folder, node in tree.items():
            for name, inode in node.entries:
                self._name(folder, name, inode)

    def _name(self, folder: int, name: str, inode: int) -> None:
        self._inodes[folder, name] = inode
        self._places[inode] = folder, name

    def apply(self, operation: Operation, at: int) -> None:
        """Go on by one operation, the `at`th."""
        if isinstance(operation, ops.Link | ops.MakeFolder):
            self._name(operation.folder, operation.name, operation.inode)
        elif isinstance(operation, ops.Exchange):
            places = (operation.folder, operation.name), (operation.to_folder, operation.to_name)
            inodes = [self._inodes.get(place) for place in places]
            for (folder, name), inode in zip(places, reversed(inodes), strict=True):
                if inode is not None:
                    self._name(folder, name, inode)
        elif isinstance(operation, ops.Rename):
            inode = self._inodes.pop((operation.folder, operation.name), None)
            if inode is not None:
                self.moved[at] = inode
                self._name(operation.to_folder, operation.to_name, inode)

    def knows(self, inode: int) -> bool:
        """Whether it has, or had, a name."""
        return inode == ops.ROOT or inode in self._places

    def path(self, inode: int) -> str:
        """Return the path from the top folder, which is `.`."""
        parts: list[str] = []
        while inode != ops.ROOT and inode in self._places and len(parts) < _DEPTH_MAX:
            inode, name = self._places[inode]
            parts.append(name)
        if inode != ops.ROOT:
            parts.append(f"(inode {inode})")
        return "/".join(reversed(parts)) or "."

    def below(self, folder: int, name: str) -> str:
        """Return the path of a name in a folder."""
        above = self.path(folder)
        return name if above == "." else f"{above}/{name}"


def describe(operation: Operation, names: Names) -> str:
    """Say an operation as a call; `names` are those before it."""
    match operation:
        case ops.Create():
            return f"create({operation.node.kind})"
        case ops.SyncAll():
            return "sync()"
        case ops.Mark():
            return f"mark({operation.text!r})"
        case ops.Write() | ops.Truncate() | ops.SetAttributes() | ops.SyncFile() | ops.SyncFailed():
            return _about_inode(operation, names.path(operation.inode))
        case ops.SyncFolder():
            return f"sync({names.path(operation.folder)!r})"
        case ops.Rename() | ops.Exchange():
            verb = "rename" if isinstance(operation, ops.Rename) else "exchange"
            to = names.below(operation.to_folder, operation.to_name)
            return f"{verb}({names.below(operation.folder, operation.name)!r}, {to!r})"
        case _:
            path = names.below(operation.folder, operation.name)
            return f"{_NAME_VERBS[type(operation)]}({path!r})"


def _about_inode(operation: _OfInode, path: str) -> str:
    match operation:
        case ops.Write():
            stop = operation.offset + len(operation.data)
            return f"write({path!r}, {operation.offset}..{stop - 1})"
        case ops.Truncate():
            return f"truncate({path!r}, {operation.size})"
        case ops.SetAttributes():
            return f"set_attributes({path!r})"
        case ops.SyncFailed():
            return f"sync({path!r}) failed"
        case _:
            return f"sync({path!r})"
