"""Failures on order: the Nth call of a name fails, is cut short, or is where the process dies.

A call counts if it concerns a recorded file; `rename` stands for `renameat` and `renameat2` too,
and so with every family of calls (`syscalls.FAMILIES`).
"""

from __future__ import annotations

import errno
from collections import Counter
from typing import TYPE_CHECKING, Literal, NamedTuple

from holdfast.crash.recorders.syscalls import SHAPES, family

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["NOT_MET", "CallFault", "Fault", "Faults"]

NOT_MET = "no call met the fault at "
"""How the note of a recording begins that had an order and no call for it."""


class CallFault(NamedTuple):
    """`do` this at the `nth` call of `call`, counted from 1 over all processes and threads.

    `do` is the name of an errno (the call is not carried out; a sync that fails so is a failed
    sync), `kill` (the process gets SIGKILL in place of the call) or `short:N` (a write carries out
    no more than N bytes and says so).
    """

    call: str
    nth: int
    do: str


class Fault(NamedTuple):
    """What is to happen to a call."""

    kind: Literal["error", "kill", "short"]
    value: int = 0


class Faults:
    """Counts the calls and says which is to fail."""

    def __init__(self, faults: Sequence[CallFault]) -> None:
        self._planned = {(fault.call, fault.nth): parse(fault) for fault in faults}
        self._counts = Counter[str]()

    def next(self, name: str) -> Fault | None:
        """Count one call."""
        if not self._planned:
            return None
        found: Fault | None = None
        for counted in {name, family(name)}:
            self._counts[counted] += 1
            found = self._planned.pop((counted, self._counts[counted]), found)
        return found

    def left(self) -> list[str]:
        """Name those that no call has met."""
        return [f"{name} number {nth}" for name, nth in self._planned]


def parse(fault: CallFault) -> Fault:
    """Understand an order.

    Raises:
        ValueError: no such call, number or failure.
    """
    if fault.call not in SHAPES and fault.call not in {family(name) for name in SHAPES}:
        raise ValueError(f"{fault.call!r} is no call that changes files")
    if fault.nth < 1:
        raise ValueError(f"calls are counted from 1, not {fault.nth}")
    if fault.do == "kill":
        return Fault("kill")
    head, colon, count = fault.do.partition(":")
    if head == "short" and colon and count.isdecimal():
        return Fault("short", int(count))
    number = getattr(errno, fault.do, None)
    if number is None:
        raise ValueError(f"{fault.do!r} is neither an errno nor kill nor short:N")
    return Fault("error", number)
