"""A recording: what was there, what a program then did to it, and from which lines.

All recorders give this one value, and the explorer needs nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from holdfast.vfs.operations import Operation, Tree

__all__ = ["Call", "Recording", "Site"]


class Site(NamedTuple):
    """A line of the program."""

    path: str
    line: int
    function: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path


class Call(NamedTuple):
    """One system call that changed something, or tried to: the unit that a report names.

    `text` reads as the program's author would say it, such as `rename('state.part', 'state')`, with
    paths relative to the recorded folder. `sites` are the lines of the program that led to it,
    innermost first; empty where they could not be found out. `error` is the name of its errno.
    """

    number: int
    text: str
    process: int
    thread: int
    sites: tuple[Site, ...] = ()
    error: str | None = None


class Recording(NamedTuple):
    """What `operations` did to `before`, in the order in which the kernel saw them.

    `origins[n]` is the index in `calls` of the call that operation `n` is a part of. An
    acknowledgement is a `Mark` among the operations. `after` is the tree that the program left: it
    was compared with a replay of the operations before the recording was given out. `status` is how
    the program ended: its exit code, or minus the signal. `recorder` says how it was recorded.
    """

    before: Tree
    operations: tuple[Operation, ...]
    origins: tuple[int, ...]
    calls: tuple[Call, ...]
    after: Tree
    status: int
    recorder: str
    notes: tuple[str, ...] = ()
