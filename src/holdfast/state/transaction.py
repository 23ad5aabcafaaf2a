"""Changes of several keys of a store that are committed together, or not at all.

Guarantee: what a transaction has read is the state that its changes are applied to: nobody commits
    between its first read and its end, in any process. A crash leaves all of its changes or none.
    It writes nothing if its block raises.

I1  What a block has changed, and the lock that it holds, belong to its context alone, and go with
    it: not even an interrupt at the first instruction of its end leaves the lock behind.
I2  What gives back the lock waits for no other call, and is never cancelled.
"""

from __future__ import annotations

from weakref import ref

from holdfast.formats.plain import MISSING
from holdfast.primitives.asyncio_bridge import run, run_now
from holdfast.state.store_mapping import StoreMapping, refuse_no_text
from holdfast.state.transaction_changes import Changes, over

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import Lock
    from collections.abc import Callable
    from typing import Any, Generic, TypeVar, cast

    from holdfast.state.open_transactions import Mark, OpenTransactions
    from holdfast.state.store_machine import StoreMachine
    from holdfast.state.store_snapshot import Range
    from holdfast.state.store_values import StoreValues
else:
    from holdfast.light_typing import Generic, TypeVar, cast

__all__ = ["AsyncTransaction", "SyncTransaction", "Transaction"]

V = TypeVar("V")


class Transaction(StoreMapping[V]):
    """A store as it will be when the transaction is committed: a mapping to read and change.

    Args:
        changes: of the block; held by its context.
        values: of the store.
    """

    def __init__(self, changes: Changes[V], values: StoreValues[V]) -> None:
        self._of = ref(changes)
        self._values = values

    def _changes(self) -> Changes[V]:
        changes = self._of()
        if changes is None:
            raise over(self._values.path)
        return changes

    def _found(self, key: str) -> Any:
        refuse_no_text(key)
        return self._changes().find(key)

    def __getitem__(self, key: str) -> V:
        kept = self._found(key)
        if kept is MISSING:
            raise KeyError(key)
        return self._values.give(key, kept)

    def __contains__(self, key: object) -> bool:
        return self._found(cast("str", key)) is not MISSING

    def __len__(self) -> int:
        return len(self._changes())

    def _range(self, prefix: str) -> Range[V]:
        return self._changes().range(prefix)

    def __setitem__(self, key: str, value: V) -> None:
        self._changes().put_all({key: value})

    def __delitem__(self, key: str) -> None:
        if self._found(key) is MISSING:
            raise KeyError(key)
        self._changes().delete(key)

    def clear(self) -> None:
        """Delete every key."""
        self._changes().delete_all()

    def _put_all(self, pairs: dict[str, V]) -> None:
        self._changes().put_all(pairs)

    def _update_key(self, key: str, fn: Callable[[V], V], default: Any) -> V:
        refuse_no_text(key)
        return self._values.give(key, self._changes().apply(key, fn, default))

    def __repr__(self) -> str:
        changes = self._of()
        state = "over" if changes is None else repr(changes)
        return f"<holdfast transaction of {self._values.path!r}, {state}>"


class SyncTransaction(Generic[V]):
    """A context that gives a transaction, and commits it when the block ends well."""

    def __init__(
        self, machine: StoreMachine, values: StoreValues[V], open_: OpenTransactions
    ) -> None:
        self._machine = machine
        self._values = values
        self._open = open_
        self._changes: Changes[V] | None = None
        self._mark: Mark | None = None

    def __enter__(self) -> Transaction[V]:
        self._open.refuse_thread()
        self._mark = self._open.enter()
        changes = self._changes = Changes(self._machine, self._values)
        return Transaction(changes, self._values)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if self._changes is not None:
                _end(self._changes, kind)
        finally:
            self._changes = self._mark = None


def _end(changes: Changes[Any], kind: type[BaseException] | None) -> None:
    """Commit, or not; the lock is given back, also after an interrupt."""
    try:
        (changes.finish if kind is None else changes.abandon)()
    except BaseException:
        changes.abandon()
        raise


class AsyncTransaction(Generic[V]):
    """The same for asyncio; the lock is taken at the beginning, so that no read has to wait.

    Tasks of one loop come one after another, so that those who wait take no thread each.
    """

    def __init__(
        self, machine: StoreMachine, values: StoreValues[V], open_: OpenTransactions
    ) -> None:
        self._open = open_
        self._values = values
        self._changes: Changes[V] = Changes(machine, values, is_task=True)
        self._gate: Lock | None = None
        self._mark: Mark | None = None

    async def __aenter__(self) -> Transaction[V]:
        self._open.refuse_task()
        gate, changes = self._open.gate(), self._changes
        await gate.acquire()
        try:
            self._mark = self._open.enter(held_by_task=True)
            await run(changes.begin, undo=lambda _: changes.abandon(), waits=True)
        except BaseException:
            self._mark = None
            gate.release()
            raise
        self._gate = gate
        return Transaction(changes, self._values)

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        changes = self._changes
        try:
            await run_now(lambda: _end(changes, kind))
        finally:
            self._mark = None
            if self._gate is not None:
                self._gate.release()
