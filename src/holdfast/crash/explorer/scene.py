"""Facts about one state: which calls were lost, where the crash struck, what things are called."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from holdfast.crash.explorer.names import Names
from holdfast.vfs import operations as ops
from holdfast.vfs.micro import Attribute, Block, Entry, Move, Swap

if TYPE_CHECKING:
    from holdfast.crash.recording import Call, Recording
    from holdfast.vfs.micro import Micro, Part
    from holdfast.vfs.states import CrashState

__all__ = ["Scene", "Target", "part_of"]


class Target(NamedTuple):
    """What a sync would have covered: one part of one inode."""

    part: Part
    inode: int


def part_of(micro: Micro) -> Target:
    """What this micro-operation changes."""
    if isinstance(micro, Move | Swap):
        return Target("entries", micro.to_folder)
    if isinstance(micro, Entry):
        return Target("entries", micro.folder)
    return Target("attributes" if isinstance(micro, Attribute) else "data", micro.inode)


class Scene:
    """A state, seen with the recording that it comes from."""

    def __init__(self, recording: Recording, state: CrashState) -> None:
        self.recording = recording
        self.state = state
        self.operations = recording.operations

    @property
    def at(self) -> int:
        """How many operations had been done, the last perhaps half."""
        return self.state.at

    @property
    def last(self) -> ops.Operation | None:
        """The last operation before the crash."""
        return self.operations[self.at - 1] if self.at else None

    @property
    def next(self) -> ops.Operation | None:
        """The first that was not done."""
        return self.operations[self.at] if self.at < len(self.operations) else None

    def call(self, operation: int) -> Call:
        """Return the call that an operation is a part of."""
        return self.recording.calls[self.recording.origins[operation]]

    @cached_property
    def lost(self) -> dict[int, tuple[Micro, ...]]:
        """What did not survive, by the number of its operation."""
        found: dict[int, tuple[Micro, ...]] = {}
        for micro in sorted(self.state.dropped, key=lambda micro: micro.at):
            found[micro.at] = (*found.get(micro.at, ()), micro)
        return found

    @cached_property
    def lost_calls(self) -> frozenset[int]:
        """The calls, by index, of which something did not survive."""
        return frozenset(self.recording.origins[at] for at in self.lost)

    @cached_property
    def targets(self) -> dict[Target, list[int]]:
        """What was lost, by what a sync would have covered, each with its operations."""
        found: dict[Target, list[int]] = {}
        for at, micros in self.lost.items():
            for micro in micros:
                numbers = found.setdefault(part_of(micro), [])
                if at not in numbers:
                    numbers.append(at)
        return found

    @property
    def is_half_written(self) -> bool:
        """Whether the last write stopped on its way, and nothing was lost."""
        return not self.lost and self.state.inside is not None

    @cached_property
    def is_inside(self) -> bool:
        """Whether the crash struck inside a call, or what was lost is of the last call alone."""
        if not self.at or isinstance(self.last, ops.Mark):
            return False
        origins = self.recording.origins
        if self.lost:
            return self.lost_calls == frozenset((origins[self.at - 1],))
        continues = self.at < len(origins) and origins[self.at] == origins[self.at - 1]
        return continues or self.is_half_written

    @cached_property
    def tears(self) -> int:
        """How many operations survived in part: the fewer, the easier to see what happened."""
        torn = int(self.is_half_written)
        for at in self.lost:
            write = self.operations[at]
            if isinstance(write, ops.Write):
                torn += 0 < self._gone_bytes(at) < len(write.data)
        return torn

    def _gone_bytes(self, at: int) -> int:
        return sum(len(micro.data) for micro in self.lost[at] if isinstance(micro, Block))

    def is_empty_write(self, at: int) -> bool:
        """Whether this is a write of which something was lost, and all of its bytes were."""
        write = self.operations[at]
        if at not in self.lost or not isinstance(write, ops.Write):
            return False
        return self._gone_bytes(at) == len(write.data)

    @cached_property
    def rank(self) -> tuple[int, int, int]:
        """Minimal first: what was lost, what was torn, how early."""
        return len(self.state.dropped), self.tears, self.at

    # What things are called.

    @cached_property
    def _names(self) -> Names:
        return self._names_after(self.at - 1)

    def _names_after(self, last: int) -> Names:
        names = Names(self.recording.before)
        for at, operation in enumerate(self.operations[: last + 1]):
            names.apply(operation, at)
        return names

    def moved_by(self, operation: int) -> int | None:
        """Return the inode that a rename before the crash has moved."""
        return self._names.moved.get(operation)

    def path(self, inode: int, *, after: int) -> str:
        """Return the path of an inode after an operation, the last one if it has lost its name.

        One that has no name as yet has that of the crash. `.` is the top.
        """
        names = self._names_after(after)
        return (names if names.knows(inode) else self._names).path(inode)
