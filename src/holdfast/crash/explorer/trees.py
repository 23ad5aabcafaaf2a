"""A tree as paths: what is compared, and what is written as a folder.

Names in a recording are data. One that would lead out of its folder is refused here, before any
path is made of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from holdfast.crash.explorer.failures import TreeRefused
from holdfast.crash.validity import is_name
from holdfast.vfs.operations import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.vfs.operations import Node, Tree

__all__ = ["Item", "Paths", "paths_of"]

_PATHS_MAX = 100_000


class Item(NamedTuple):
    """What one path stands for.

    `node` has no entries: these are paths of their own. `first` is the first path of the same
    inode, so that two paths with one `first` are two links.
    """

    node: Node
    first: str


Paths: TypeAlias = "Mapping[str, Item]"
"""By path, folders before what is in them; the top folder is the empty path."""


def paths_of(tree: Tree) -> dict[str, Item]:
    """Return every path of the tree.

    A folder under two names, which the two halves of a rename across folders may leave, is there
    twice.

    Raises:
        TreeRefused: A name leads elsewhere, or there are too many paths; nothing was made.
    """
    found = {"": Item(tree[ROOT]._replace(entries=()), "")}
    firsts: dict[int, str] = {}
    todo = [("", ROOT)]
    for above, folder in todo:
        for name, inode in tree[folder].entries:
            if not is_name(name):
                raise TreeRefused(
                    f"{above + name!r}: not a name that a folder can hold. Nothing was made. "
                    "Record the program again."
                )
            node, path = tree[inode], above + name
            if node.kind == "folder":
                found[path] = Item(node._replace(entries=()), path)
                todo.append((path + "/", inode))
            else:
                found[path] = Item(node, firsts.setdefault(inode, path))
        if len(found) > _PATHS_MAX:
            raise TreeRefused(
                f"{above!r}: more than {_PATHS_MAX} paths, or folders in a loop. Nothing was "
                "made. Record a smaller folder."
            )
    return found
