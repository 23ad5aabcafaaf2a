"""The gates of this process, one for each lock file, and what a fork does to them.

A gate is kept alive by the lock objects of its file (and its thread while it works): with the last
of them its descriptors are closed.
"""

from __future__ import annotations

import os
from weakref import WeakValueDictionary

from holdfast.light_threading import RLock
from holdfast.primitives.lock_file import LockFile
from holdfast.primitives.lock_queue import Gate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.primitives.lock_grants import Grants
    from holdfast.vfs import VFS, Clock

__all__ = ["join", "leave", "members_of"]

_gates: WeakValueDictionary[tuple[int, int, str], Gate] = WeakValueDictionary()
_mutex = RLock()  # guards `_gates` and the members of each


def join(path: str, grants: Grants, *, permissions: int, vfs: VFS, clock: Clock) -> Gate:
    """Return the gate of this absolute path, with these grants among its members."""
    key = (id(vfs), id(clock), path)  # both live as long as the gate
    with _mutex:
        gate = _gates.get(key)
        if gate is None:
            gate = Gate(LockFile(path, permissions=permissions, vfs=vfs, clock=clock))
            _gates[key] = gate
        gate.members.add(grants)
    return gate


def leave(gate: Gate, grants: Grants) -> None:
    """Leave the gate; the last one closes what is idle."""
    with _mutex:
        gate.members.discard(grants)
        is_last = not gate.members
    if is_last:
        gate.close_idle()


def members_of(gate: Gate) -> list[Grants]:
    """Return the grants of every lock object of this gate."""
    with _mutex:
        return list(gate.members)


def _forget_parent() -> None:
    """In a forked child: nothing is held, nothing is open, and no mutex is left locked."""
    global _gates, _mutex
    gates = dict(_gates)
    _mutex = RLock()
    _gates = WeakValueDictionary(gates)
    for gate in gates.values():
        gate.forget_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parent)
