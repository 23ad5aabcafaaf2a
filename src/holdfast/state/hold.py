"""A journal held for a while: nobody else commits, in any process, and one entry may be written.

Guarantee: what the block saw is the state that its entry is applied to. Leaving the block with an
    exception, or without a commit, writes nothing. When the block has ended, its entry, and all
    that it has seen, is durable as the journal promises.
"""

from __future__ import annotations

from _thread import get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Generic, Self, TypeVar

    from holdfast.primitives.log_durable import Written
    from holdfast.primitives.log_open import OpenLog
    from holdfast.state.machine import Machine
else:
    from holdfast.light_typing import Generic, TypeVar

__all__ = ["Hold"]

S = TypeVar("S")


class Hold(Generic[S]):
    """A context that holds the append lock of a journal.

    Args:
        machine: the journal.
        owner: the thread that must not commit by another way meanwhile; None: this one.
    """

    def __init__(self, machine: Machine[S], *, owner: int | None = None) -> None:
        self._machine = machine
        self._owner = owner
        self._mark = 0
        self._lock: Generator[OpenLog] | None = None
        self._log: OpenLog | None = None
        self._written: Written | None = None
        self._asks = False

    def __enter__(self) -> Self:
        machine = self._machine
        machine.refuse_nested()
        machine.make()
        self._written = None
        self._mark = self._owner or get_ident()
        lock = self._lock = machine.holding(self._mark)
        try:
            self._log = next(lock)
        except BaseException:
            self._release()
            raise
        return self

    @property
    def is_held(self) -> bool:
        """Whether the block has begun, and is not over."""
        return self._log is not None

    @property
    def state(self) -> S:
        """The state that the entry will be applied to; not to be changed.

        Raises:
            RuntimeError: the block has not begun, or is over.
            Exception: as `Machine.state_held`.
        """
        if (log := self._log) is None:
            raise RuntimeError(
                f"{self._machine.path}: the block has not begun, or is over. Nothing was written. "
                "Begin another one."
            )
        return self._machine.state_held(log)

    def commit(self, entry: bytes, *, sync: bool | None = None) -> int:
        """Apply and append the entry; it is durable, if it has to be, when the block ends.

        Returns:
            Its sequence.

        Raises:
            HandlePoisoned, Corruption, OSError: as `Log.append`; nothing was committed.
            RuntimeError: the block has committed already, or is over.
        """
        if self._log is None or self._written is not None:
            raise RuntimeError(
                f"{self._machine.path}: a block commits once. Nothing more was written. Open "
                "another one."
            )
        self._asks = self._machine.asks(sync)
        self._written = self._machine.write_held(self._log, entry, asks=self._asks)
        return self._written.last

    def __exit__(self, *_: object) -> None:
        machine = self._machine
        try:
            is_ours = self._log is not None and machine.is_log(self._log)
            seen = machine.replica.applied
            self._release()
        except BaseException:  # interrupted
            self._release()
            raise
        if not is_ours:  # a forked child leaves the block of its parent
            return
        if self._written is not None:
            machine.settle(self._written, asks=self._asks)
        else:  # what the block does now may rest on what it has seen
            machine.join(seen)

    def _release(self) -> None:
        lock, self._lock, self._log = self._lock, None, None
        try:
            if lock is not None:
                lock.close()
        finally:
            self._machine.end_hold(self._mark)  # where an interrupt has ended the other way
