"""Names for states that stay the same when a program is recorded again.

An id is a digest of the model, the number of the operation at the crash, the shape of what did not
survive, and the options that change what states there are. Names, inode numbers, contents and times
have no part in it. For a state in a recovery it is the id of the state that was recovered, a dot,
and its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.vfs.micro import Attribute, Block, Entry, Move, Shrink, Size, Swap

if TYPE_CHECKING:
    from holdfast.crash.explorer.cases import Case
    from holdfast.vfs.micro import Micro
    from holdfast.vfs.states import CrashState

__all__ = ["order_of", "state_id"]

_DIGITS = 8


def state_id(case: Case, *, settings: tuple[object, ...] = (), parent: str | None = None) -> str:
    """Return the id of a state; `settings` are the options that change what states there are."""
    from hashlib import blake2b

    state = case.state
    shapes = sorted(repr(_shape(micro)) for micro in state.dropped)
    text = ascii((case.model, state.at, shapes, case.ordinal, settings))
    own = blake2b(text.encode("ascii"), digest_size=_DIGITS // 2).hexdigest()
    return own if parent is None else f"{parent}.{own}"


def order_of(state: CrashState) -> tuple[str, ...]:
    """Return what tells a state from others with as many losses, for sorting.

    Contents come before names, as the sync of a new file keeps its name too on Linux; then the
    earliest. Like an id it is the same when a program is recorded again.
    """
    return tuple(
        sorted(
            f"{isinstance(micro, Entry | Move | Swap):d} {micro.at:09} {_shape(micro)!a}"
            for micro in state.dropped
        )
    )


def _shape(micro: Micro) -> tuple[object, ...]:
    match micro:
        case Block():
            return "block", micro.at, micro.offset, len(micro.data)
        case Size() | Shrink():
            return "size", micro.at, micro.size
        case Attribute():
            return "attribute", micro.at, micro.name
        case Entry():
            return "entry", micro.at, micro.inode is None
        case Move() | Swap():
            return "move", micro.at
        case _:
            return "zeros", micro.at, micro.start
