"""One call of a log in the world in which it was made, and what it may be turned into.

A handler looks at a call that returned and says what it did: nothing, or an `Effect`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from holdfast.crash.recorders.errors import RecordingRefused
from holdfast.crash.recorders.strace_parser import descriptor_of, flags_of, number_of, text_of
from holdfast.crash.recorders.syscalls import SHAPES

if TYPE_CHECKING:
    from holdfast.crash.recorders.strace_parser import Descriptor, Finished
    from holdfast.crash.recorders.strace_world import Found, OpenFile, Process, World
    from holdfast.crash.recorders.unsynced import Synced
    from holdfast.vfs.operations import Node, Operation

__all__ = ["Effect", "Step", "new_node"]


class Effect(NamedTuple):
    """What a call did, or would have done; `failed` is what it did by failing.

    `synced`: the part of a file that it also made durable. `is_meant_to_fail`: its failure is no
    error.
    """

    text: str
    operations: tuple[Operation, ...] = ()
    failed: tuple[Operation, ...] = ()
    is_meant_to_fail: bool = False
    synced: Synced | None = None


class Step:
    """One call, in the world in which it was made."""

    def __init__(self, world: World, process: Process, call: Finished) -> None:
        self.world = world
        self.process = process
        self.call = call
        shape = SHAPES.get(call.name)
        self._shape = shape.arguments if shape else ""

    def descriptor(self, at: int) -> Descriptor:
        """A descriptor that was given."""
        return descriptor_of(self.call.arguments[at])

    def file(self, at: int) -> OpenFile | None:
        """What stands behind it, if it is recorded."""
        return self.world.open_file(self.process, self.descriptor(at))

    def regular(self, at: int) -> OpenFile | None:
        """The same, if it is a file that holds bytes."""
        file = self.file(at)
        return file if file and self.world.ledger.kinds[file.inode] == "file" else None

    def find(self, at: int, *, follow: bool) -> Found:
        """Where a path leads that was given."""
        folder = self.descriptor(at - 1) if at and self._shape[at - 1] == "d" else None
        path = text_of(self.call.arguments[at])
        return self.world.find(self.process, path, folder, follow=follow)

    def number(self, at: int) -> int:
        """A number that was given; 0 where the call has no such argument."""
        arguments = self.call.arguments
        return number_of(arguments[at]) if at < len(arguments) else 0

    def flags(self, at: int) -> frozenset[str]:
        """The names of flags that were given; none where the call has no such argument."""
        arguments = self.call.arguments
        return flags_of(arguments[at]) if at < len(arguments) else frozenset()

    def label(self, inode: int) -> str:
        """How a report names an inode."""
        return repr(self.world.ledger.path_of(inode))

    def refused(self, inode: int, what: str) -> RecordingRefused:
        """Say that a way of writing is not modelled."""
        return RecordingRefused(
            f"{self.world.ledger.path_of(inode)}: {what}, which is not modelled. "
            "The files stand. Test it with this way of writing switched off."
        )


def new_node(step: Step, node: Node, folder: int) -> tuple[int, Node]:
    """Give what is new a number, and the mode and owner that the kernel gave it."""
    mode, _, group = step.world.attributes[folder]
    uid, gid = os.geteuid(), os.getegid()
    own = node.mode & 0o7777
    if node.kind != "symlink":
        own &= ~step.process.around.umask
    if mode & 0o2000:  # the group of the folder, and its bit for folders in it
        gid = group
        own |= 0o2000 if node.kind == "folder" else 0
    ledger = step.world.ledger
    inode = ledger.born((-1, len(ledger.calls) << 8 | len(ledger.operations) & 0xFF))
    return inode, node._replace(mode=own, uid=uid, gid=gid)
