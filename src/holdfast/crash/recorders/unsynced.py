"""Which pages of each file are not synced: whether a sync of a part leaves anything of it behind.

The model knows syncs of whole files. A synchronous write and `msync` sync what they are given and
no more, so they count as a sync once nothing else of the file is unsynced. The kernel writes whole
pages, so pages are what is counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.vfs.operations import Create, SyncAll, SyncFailed, SyncFile, Truncate, Write

if TYPE_CHECKING:
    from holdfast.vfs.operations import Operation, Tree

__all__ = ["Part", "Synced", "Unsynced"]

_PAGE_BYTES: Final = 4096


class Part(NamedTuple):
    """Some bytes of a file."""

    inode: int
    start: int
    stop: int

    @property
    def pages(self) -> range:
        """The pages that they touch."""
        return range(self.start // _PAGE_BYTES, -(-self.stop // _PAGE_BYTES))


class Unsynced:
    """What operations did to files since these were synced.

    A new size is synced with the first byte that could not be read without it: one beyond the
    smallest size that the file had since (`edges`).
    """

    def __init__(self) -> None:
        self._sizes: dict[int, int] = {}
        self._pages: dict[int, set[int]] = {}
        self._edges: dict[int, int] = {}

    def start(self, tree: Tree) -> None:
        """Take what is there for synced."""
        for inode, node in tree.items():
            self._sizes[inode] = len(node.data)

    def follow(self, operation: Operation) -> None:
        """Take over what an operation does."""
        if isinstance(operation, Write):
            inode, offset, data = operation
            stop = offset + len(data)
            pages = range(offset // _PAGE_BYTES, -(-stop // _PAGE_BYTES))
            if (known := self._pages.get(inode)) is None:
                self._pages[inode] = set(pages)
            else:
                known.update(pages)
            if stop > self._sizes.get(inode, 0):
                self._sizes[inode] = stop
        elif isinstance(operation, (SyncFile, SyncFailed)):
            self._pages.pop(operation.inode, None)
            self._edges.pop(operation.inode, None)
        elif isinstance(operation, Truncate):
            self._resize(operation.inode, operation.size)
        elif isinstance(operation, Create):
            self._sizes[operation.inode] = len(operation.node.data)
        elif isinstance(operation, SyncAll):
            self._pages.clear()
            self._edges.clear()

    def _resize(self, inode: int, size: int) -> None:
        was = self._sizes.get(inode, 0)
        self._sizes[inode] = size
        if size != was:
            self._edges[inode] = min(was, size, self._edges.get(inode, size))
        if size < was and (pages := self._pages.get(inode)):
            pages.difference_update(Part(inode, size + _PAGE_BYTES - 1, was).pages)

    def sync(self, part: Part) -> bool:
        """Take over that a part was synced; return whether nothing of the file is unsynced now."""
        inode, _, stop = part
        if stop > self._edges.get(inode, stop):
            del self._edges[inode]
        pages = self._pages.get(inode)
        if pages:
            pages.difference_update(part.pages)
        return not pages and inode not in self._edges


class Synced(NamedTuple):
    """What a call synced: a part of a file; `what` is how a note about it begins."""

    part: Part
    what: str
    data_only: bool
