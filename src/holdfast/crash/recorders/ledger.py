"""The book of one recording: the names as they are now, and what was done to them so far.

I1 An inode is known by (device, number) as long as it has a name or is held here; a new one that
   the system gives the same number is another inode.
I2 `names` equals what the folders hold after the last operation, sockets apart.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Any, Final

from holdfast.crash.recorders.unsynced import Unsynced
from holdfast.crash.recording import Call
from holdfast.vfs import operations as ops
from holdfast.vfs.operations import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.crash.recorders.tree import Identity
    from holdfast.crash.recorders.unsynced import Synced
    from holdfast.crash.recording import Site
    from holdfast.vfs.operations import Kind, Node, Operation, Tree

__all__ = ["Ledger"]

_HELD_MAX: Final = 64


class Ledger:
    """Operations, calls and the tree of names."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.origins: list[int] = []
        self.calls: list[Call] = []
        self.names: dict[int, dict[str, int]] = {}
        self.kinds: dict[int, Kind] = {}
        self.watcher: Callable[[Operation], None] | None = None
        self.special_modes: dict[int, int] = {}
        self.unsynced = Unsynced()
        self._numbers: dict[Identity, int] = {}
        self._identities: dict[int, Identity] = {}
        self._parents: dict[int, tuple[int, str]] = {}
        self._links: dict[int, int] = {}
        self._held: dict[int, int] = {}
        self._fresh: list[int] = []
        self._last = ROOT - 1

    def number(self, identity: Identity) -> int:
        """Return the number of an inode; a new one if it was not met before."""
        found = self._numbers.get(identity)
        return self.born(identity) if found is None else found

    def find(self, identity: Identity) -> int | None:
        """Return the number of an inode that lies in the recorded folder."""
        return self._numbers.get(identity)

    def devices(self) -> set[int]:
        """Return the devices that the recorded inodes are on."""
        return {device for device, _ in self._numbers}

    def born(self, identity: Identity) -> int:
        """Give a new inode its number."""
        self._last += 1
        self._numbers[identity] = self._last
        self._identities[self._last] = identity
        return self._last

    def start(self, tree: Tree) -> None:
        """Take over the names that are there."""
        self.unsynced.start(tree)
        for inode, node in tree.items():
            self._enter(inode, node)
        for inode, node in tree.items():
            for name, entry in node.entries:
                self._link(inode, name, entry)

    def _enter(self, inode: int, node: Node) -> None:
        self.kinds[inode] = node.kind
        self._links.setdefault(inode, 0)
        self._note_mode(inode, node.mode)
        if node.kind == "folder":
            self.names[inode] = {}

    def _note_mode(self, inode: int, mode: int) -> None:
        if mode & (stat.S_ISUID | stat.S_ISGID):
            self.special_modes[inode] = mode
        else:
            self.special_modes.pop(inode, None)

    def begin(self, text: str, place: tuple[int, int], sites: tuple[Site, ...]) -> None:
        """Write down a call of (process, thread); operations belong to it from now on."""
        self.calls.append(Call(len(self.calls) + 1, text, *place, sites))

    def fail(self, error: str) -> None:
        """The last call failed."""
        self.calls[-1] = self.calls[-1]._replace(error=error)

    def emit(self, *operations: Operation) -> None:
        """Write down operations of the last call."""
        call = len(self.calls) - 1
        for operation in operations:
            self.operations.append(operation)
            self.origins.append(call)
            self.unsynced.follow(operation)
            if self.watcher is not None:
                self.watcher(operation)
            if (step := _STEPS.get(type(operation))) is not None:
                step(self, operation)

    def emit_synced(self, synced: Synced, notes: dict[str, None]) -> None:
        """Write down that a part was synced: a sync of the file if that leaves nothing behind."""
        inode = synced.part.inode
        if self.unsynced.sync(synced.part):
            self.emit(ops.SyncFile(inode, data_only=synced.data_only))
        else:
            notes[
                f"{synced.what} {self.path_of(inode)}, which holds other unsynced data, is counted "
                "as not synced: the model knows syncs of whole files"
            ] = None

    def hold(self, inode: int, descriptor: int) -> None:
        """Keep an inode that is about to lose a name, so that its number is not given again."""
        if inode in self._held:
            os.close(descriptor)
        else:
            self._held[inode] = descriptor
            self._fresh.append(inode)

    def release(self) -> None:
        """Let go of held inodes that have a name after all, and of the oldest of the others."""
        for inode in self._fresh:
            if self._links.get(inode):
                os.close(self._held.pop(inode))
        self._fresh.clear()
        while len(self._held) > _HELD_MAX:
            oldest = next(iter(self._held))
            os.close(self._held.pop(oldest))
            self._forget(oldest)

    def close(self) -> None:
        """Let go of everything."""
        for descriptor in self._held.values():
            os.close(descriptor)
        self._held.clear()

    def path_of(self, inode: int) -> str:
        """Return the path below the recorded folder, as it is or was last."""
        parts: list[str] = []
        while inode != ROOT and len(parts) < 256:
            if inode not in self._parents:
                parts.append("(no name)")
                break
            inode, name = self._parents[inode]
            parts.append(name)
        return "/".join(reversed(parts)) or "."

    def entry_path(self, folder: int, name: str) -> str:
        """Return the path of a name in a folder."""
        return name if folder == ROOT else f"{self.path_of(folder)}/{name}"

    def _link(self, folder: int, name: str, inode: int) -> None:
        displaced = self.names[folder].get(name)
        self.names[folder][name] = inode
        self._parents[inode] = (folder, name)
        self._links[inode] = self._links.get(inode, 0) + 1
        if displaced is not None:
            self._lose(displaced)

    def _lose(self, inode: int) -> None:
        self._links[inode] -= 1
        if self._links[inode] == 0 and inode not in self._held:
            self._forget(inode)

    def _forget(self, inode: int) -> None:
        identity = self._identities.pop(inode, None)
        if identity is not None and self._numbers.get(identity) == inode:
            del self._numbers[identity]

    def _unlink(self, folder: int, name: str) -> None:
        inode = self.names[folder].pop(name)
        self._lose(inode)
        if self.kinds.get(inode) == "folder":
            for below in list(self.names[inode]):  # a whole folder was moved away
                self._unlink(inode, below)

    def on_create(self, operation: ops.Create) -> None:
        """A new inode."""
        self._enter(operation.inode, operation.node)

    def on_make_folder(self, operation: ops.MakeFolder) -> None:
        """A new folder."""
        self._enter(operation.inode, operation.node)
        self._link(operation.folder, operation.name, operation.inode)

    def on_link(self, operation: ops.Link) -> None:
        """A new name."""
        self._link(operation.folder, operation.name, operation.inode)

    def on_unlink(self, operation: ops.Unlink | ops.RemoveFolder) -> None:
        """A name less."""
        self._unlink(operation.folder, operation.name)

    def on_rename(self, operation: ops.Rename) -> None:
        """A name moved."""
        folder, name, to_folder, to_name = operation
        inode = self.names[folder].pop(name)
        self._links[inode] -= 1
        self._link(to_folder, to_name, inode)

    def on_exchange(self, operation: ops.Exchange) -> None:
        """Two names swapped."""
        folder, name, to_folder, to_name = operation
        one, other = self.names[folder][name], self.names[to_folder][to_name]
        self.names[folder][name], self.names[to_folder][to_name] = other, one
        self._parents[one], self._parents[other] = (to_folder, to_name), (folder, name)

    def on_attributes(self, operation: ops.SetAttributes) -> None:
        """Other attributes."""
        if operation.mode is not None:
            self._note_mode(operation.inode, operation.mode)


_STEPS: Final[dict[type, Callable[[Ledger, Any], None]]] = {
    ops.Create: Ledger.on_create,
    ops.MakeFolder: Ledger.on_make_folder,
    ops.Link: Ledger.on_link,
    ops.Unlink: Ledger.on_unlink,
    ops.RemoveFolder: Ledger.on_unlink,
    ops.Rename: Ledger.on_rename,
    ops.Exchange: Ledger.on_exchange,
    ops.SetAttributes: Ledger.on_attributes,
}
