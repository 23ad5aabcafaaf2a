"""A real folder that holds one tree after another, exactly.

I1  After `put` the folder holds that tree, whatever a check did to it before.
I2  Nothing outside the scratch folder is read, written or followed.
I3  A file that differs in anything is a new inode: nobody who kept the old one open sees a mix.
I4  No two contents of one path have the same time stamps, so a check may cache by them.

Only what differs is written. What a check changed is found by `lstat` alone: all that is written
here gets a time of modification long ago, so any later change shows. Stores through a memory map
show in no such time on a tmpfs; so a file that was looked at (its access time has moved) and is
wanted again is compared byte by byte.
"""

from __future__ import annotations

import os
from stat import S_ISDIR
from typing import TYPE_CHECKING, NamedTuple

from holdfast.crash.explorer.making import Maker
from holdfast.crash.explorer.scratch import remove_tree

if TYPE_CHECKING:
    from holdfast.crash.explorer.trees import Item, Paths
    from holdfast.vfs.operations import Kind

__all__ = ["Place"]

_NAMES_TOLD = 3
_COMPARED_BYTES = 1 << 20
_ATTRIBUTES = (1, 3, 4)  # of a signature: mode, owner, group


class _Stood(NamedTuple):
    item: Item
    signature: tuple[int, ...]


class Place:
    """The folder `folder`, which is made in an empty scratch folder of its own."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._above = os.path.dirname(folder)
        self._prefix = folder + "/"
        self._maker = Maker(folder)
        self._standing: dict[str, _Stood] = {}
        self._disturbed: set[str] = set()
        self._changes: set[str] = set()
        self._access_is_kept = bool(os.statvfs(self._above).f_flag & os.ST_NOATIME)
        self._beside = set(os.listdir(self._above))
        self._above_signature = self._settle_above()

    @property
    def notes(self) -> list[str]:
        """What could not be written, and what the checks did to the folder."""
        names = sorted(self._changes)
        more = f" and {len(names) - _NAMES_TOLD} more" if len(names) > _NAMES_TOLD else ""
        told = ", ".join(names[:_NAMES_TOLD]) + more
        changed = f"the check changes what it checks ({told}): put right before each state"
        return [*sorted(self._maker.notes), *([changed] if names else [])]

    def put(self, wanted: Paths) -> None:
        """Make the folder hold this tree.

        Raises:
            OSError: The scratch folder is full or cannot be written; what is there is not the tree.
        """
        self._look(wanted)
        for path in [*reversed(self._standing)]:
            stood, item = self._standing[path].item, wanted.get(path)
            if (
                item is None
                or stood.node.kind != item.node.kind
                or (stood != item and item.node.kind != "folder")
            ):
                self._remove(path)
        made: list[str] = []
        for path, item in wanted.items():
            stood_here = self._standing.get(path)
            if stood_here is None or stood_here.item != item:
                self._make(path, item)
                made.append(path)
        self._sign(made)

    def _make(self, path: str, item: Item) -> None:
        node = item.node
        if node.kind == "folder" and path in self._standing:
            self._maker.set_attributes(path, node)
        elif item.first != path:
            self._maker.link(item.first, path)
            self._disturbed.add(item.first)
        elif not self._maker.make(path, node):
            return
        self._standing[path] = _Stood(item, ())
        self._touch_parent(path)

    def _remove(self, path: str) -> None:
        stood = self._standing.pop(path)
        self._disturbed.add(stood.item.first)
        self._touch_parent(path)
        self._clear(self._path(path))

    def _touch_parent(self, path: str) -> None:
        parent = path.rpartition("/")[0]
        if path and parent in self._standing:
            self._standing[parent] = self._standing[parent]._replace(signature=())

    def _sign(self, made: list[str]) -> None:
        """Note how what was written looks, once nothing more is done to it."""
        fresh = set(made)
        for path, (item, signature) in self._standing.items():
            if not signature or path in fresh or item.first in self._disturbed:
                full = self._path(path)
                if item.node.kind == "folder":
                    self._maker.date(path)
                self._standing[path] = _Stood(item, _signature(os.lstat(full)))
        self._disturbed.clear()

    # What the check did.

    def _look(self, wanted: Paths) -> None:
        """Forget what is not as it was left, and remove what was not left here."""
        self._look_beside()
        for path, (item, signature) in list(self._standing.items()):
            if path not in self._standing:  # its folder is gone
                continue
            try:
                found = os.lstat(self._path(path))
            except OSError:
                self._lost(path, item.node.kind)
                continue
            if _signature(found) != signature:
                self._differs(path, found)
            elif item.node.kind == "file" and (
                found.st_atime_ns != self._maker.access_ns or self._access_is_kept
            ):
                self._compare(path, item, wanted.get(path))

    def _lost(self, path: str, kind: Kind) -> None:
        self._note(path)
        self._forget(path, kind)

    def _differs(self, path: str, found: os.stat_result) -> None:
        item, signature = self._standing[path]
        kept = item.node.kind == "folder" and S_ISDIR(found.st_mode)
        if not kept or found.st_ino != signature[0]:
            self._note(path)
            self._clear(self._path(path))
            self._forget(path, item.node.kind)
            return
        if any(_signature(found)[n] != signature[n] for n in _ATTRIBUTES):
            self._note(path)
        unknown = item._replace(node=item.node._replace(mode=-1))  # set again in any case
        self._standing[path] = _Stood(unknown, ())
        _open_up(self._path(path), found)
        for name in os.listdir(self._path(path)):
            inside = f"{path}/{name}" if path else name
            if inside not in self._standing:
                self._note(inside)
                self._clear(self._path(inside))

    def _compare(self, path: str, item: Item, wanted: Item | None) -> None:
        if wanted != item:
            return  # it goes in any case
        if _holds(self._path(path), item.node.data):
            self._maker.date(path)
            self._disturbed.add(item.first)
        else:
            self._note(path)
            self._clear(self._path(path))
            self._forget(path, "file")

    def _forget(self, path: str, kind: Kind) -> None:
        stood = self._standing.pop(path)
        self._disturbed.add(stood.item.first)
        self._touch_parent(path)
        if kind == "folder":
            below = path + "/" if path else ""
            for inside in [name for name in self._standing if name.startswith(below)]:
                del self._standing[inside]

    def _clear(self, full: str) -> None:
        try:
            if S_ISDIR(os.lstat(full).st_mode):
                remove_tree(full)
            else:
                os.unlink(full)
        except FileNotFoundError:
            pass

    def _look_beside(self) -> None:
        if _signature(os.lstat(self._above)) == self._above_signature:
            return
        _open_up(self._above, os.lstat(self._above))
        own = {*self._beside, os.path.basename(self.folder)}
        for name in sorted(set(os.listdir(self._above)) - own):
            self._changes.add(f"../{name}")
            self._clear(f"{self._above}/{name}")
        self._above_signature = self._settle_above()

    def _settle_above(self) -> tuple[int, ...]:
        os.utime(self._above, ns=(self._maker.access_ns, self._maker.next_ns()))
        return _signature(os.lstat(self._above))

    def _note(self, path: str) -> None:
        if len(self._changes) < 1000:
            self._changes.add(path or ".")

    def _path(self, path: str) -> str:
        return self._prefix + path if path else self.folder


def _signature(found: os.stat_result) -> tuple[int, ...]:
    return (
        *(found.st_ino, found.st_mode, found.st_nlink, found.st_uid, found.st_gid, found.st_size),
        *(found.st_mtime_ns, found.st_ctime_ns),
    )


def _open_up(folder: str, found: os.stat_result) -> None:
    """Take back the right to look into a folder of our own."""
    if found.st_mode & 0o700 != 0o700:
        os.chmod(folder, 0o700)


def _holds(path: str, data: bytes) -> bool:
    """Whether the file has these contents; one that cannot be read has not."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        for start in range(0, len(data), _COMPARED_BYTES):
            piece = data[start : start + _COMPARED_BYTES]
            if os.pread(file, len(piece), start) != piece:
                return False
        return not os.pread(file, 1, len(data))
    finally:
        os.close(file)
