"""Changes of several keys of a store that are committed together, or not at all.

Guarantee: what a transaction has read is the state that its changes are applied to: nobody commits
    between its first read and its end, in any process. A crash leaves all of its changes or none.
    It writes nothing if its block raises.

I1  The lock of all writers is taken with the first read, and given back when the block ends,
    however it ends. A transaction that only writes takes it at its end alone.
I2  What is put is encoded at once: who changes the value afterwards changes nothing in the store.
"""

from __future__ import annotations

import sys
from _thread import get_ident

from holdfast.formats.plain import MISSING
from holdfast.formats.store_format import encode_changes, key_bytes
from holdfast.primitives.asyncio_bridge import run
from holdfast.state.hold import Hold
from holdfast.state.store_mapping import StoreMapping, refuse_no_text
from holdfast.state.store_snapshot import Range
from holdfast.state.store_table import put_in_order

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Lock
    from collections.abc import Callable, Sequence
    from contextlib import ExitStack
    from typing import Any, Generic, TypeVar, cast

    from holdfast.state.store_machine import StoreMachine
    from holdfast.state.store_table import Table
    from holdfast.state.store_values import StoreValues
else:
    from holdfast.light_typing import Generic, TypeVar, cast

__all__ = ["AsyncTransaction", "OpenTransactions", "SyncTransaction", "Transaction"]

V = TypeVar("V")


class OpenTransactions:
    """Which threads and tasks have a transaction open: they must write through it.

    Any other way would wait for the lock that the transaction holds, forever.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._open: list[tuple[int, int]] = []
        self._gate: tuple[AbstractEventLoop, Lock] | None = None

    def gate(self) -> Lock:
        """Return what tasks of this loop wait at, one transaction at a time."""
        from asyncio import Lock, get_running_loop

        loop = get_running_loop()
        if self._gate is None or self._gate[0] is not loop:
            self._gate = (loop, Lock())
        return self._gate[1]

    def enter(self) -> tuple[int, int]:
        """Note that this thread has one open, and this task of it, if it is one."""
        mark = (get_ident(), _task())
        self._open.append(mark)
        return mark

    def leave(self, mark: tuple[int, int]) -> None:
        """Note that it is over."""
        self._open.remove(mark)

    def refuse_thread(self) -> None:
        """Raise if this thread has one open.

        Raises:
            RuntimeError: it has; nothing was written.
        """
        if self._open and get_ident() in [thread for thread, _ in self._open]:
            raise self._refused()

    def refuse_task(self) -> None:
        """Raise if this task has one open; other tasks of the thread may wait for its end.

        Raises:
            RuntimeError: it has; nothing was written.
        """
        if self._open and (get_ident(), _task()) in self._open:
            raise self._refused()

    def _refused(self) -> RuntimeError:
        return RuntimeError(
            f"{self._path}: a transaction is open here. Nothing was written but what it holds. "
            "Write through it (use `tx`), or when it is over."
        )


def _task() -> int:
    """Return what tells this task from others, 0 if this is none."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return 0
    try:
        return id(asyncio.current_task())
    except RuntimeError:
        return 0


class Transaction(StoreMapping[V]):
    """A store as it will be when the transaction is committed: a mapping to read and change.

    Args:
        machine: of the store.
        values: of the store.
        owner: who holds the lock; None: the thread that reads first.
    """

    def __init__(
        self, machine: StoreMachine, values: StoreValues[V], *, owner: int | None = None
    ) -> None:
        self._machine = machine
        self._values = values
        self._hold: Hold[Table] = Hold(machine, owner=owner)
        self._is_held = False
        self._is_over = False
        self._changed: dict[str, Any] = {}
        """What will be kept of the changed keys; `MISSING` where one is deleted."""

    # ------------------------------------------------------------ reading

    def begin(self) -> Table:
        """Take the lock, if that was not done, and return the table that changes apply to (I1).

        Raises:
            RuntimeError: the transaction is over.
            Exception: as a commit; nothing was written.
        """
        self._refuse_over()
        if not self._is_held:
            self._hold.__enter__()  # left by `finish` or `abandon`
            self._is_held = True
        return self._hold.state

    def _refuse_over(self) -> None:
        if self._is_over:
            raise RuntimeError(
                f"{self._machine.path}: the transaction is over. Nothing more was written. Begin "
                "another one."
            )

    def _find(self, key: str) -> Any:
        """Return what is kept of a key, `MISSING` if it is not there."""
        self._refuse_over()
        if key in self._changed:
            return self._changed[key]
        refuse_no_text(key)
        return self.begin().entries.get(key, MISSING)

    def __getitem__(self, key: str) -> V:
        kept = self._find(key)
        if kept is MISSING:
            raise KeyError(key)
        return self._values.give(key, kept)

    def __contains__(self, key: object) -> bool:
        return self._find(cast("str", key)) is not MISSING

    def __len__(self) -> int:
        entries = self.begin().entries
        changed = self._changed.items()
        more = sum((kept is not MISSING) - (key in entries) for key, kept in changed)
        return len(entries) + more

    def _range(self, prefix: str) -> Range[V]:
        pending = _Pending(self._machine, self.begin(), dict(self._changed))
        return Range(prefix, pending, values=self._values)

    # ------------------------------------------------------------ writing

    def __setitem__(self, key: str, value: V) -> None:
        self._refuse_over()
        key_bytes(key)
        self._changed[str.__str__(key)] = self._values.keep(value)

    def __delitem__(self, key: str) -> None:
        if self._find(key) is MISSING:
            raise KeyError(key)
        self._changed[str.__str__(key)] = MISSING

    def clear(self) -> None:
        """Delete every key."""
        self._changed = dict.fromkeys(self.begin().entries, MISSING)

    def _put_all(self, pairs: dict[str, V]) -> None:
        self._refuse_over()
        for key in pairs:
            key_bytes(key)
        keep = self._values.keep
        self._changed.update({str.__str__(key): keep(value) for key, value in pairs.items()})

    def _update_key(self, key: str, fn: Callable[[V], V], default: Any) -> V:
        new = self._values.applied(key, self._find(key), fn=fn, default=default)
        self._refuse_over()  # `fn` may have ended it
        key_bytes(key)
        self._changed[str.__str__(key)] = new
        return self._values.give(key, new)

    # ------------------------------------------------------------ the end

    def finish(self) -> None:
        """Commit what was written; the lock is given back whatever happens.

        Raises:
            Exception: as a commit; nothing was committed.
        """
        self._is_over = True
        if not self._is_held:
            if entry := self._entry(None):
                self._machine.commit_shared(lambda _: entry, size_bytes=len(entry))
            return
        with self._leaving():
            if entry := self._entry(self._hold.state):
                self._hold.commit(entry)

    def _leaving(self) -> ExitStack:
        from contextlib import ExitStack

        stack = ExitStack()
        stack.push(self._hold.__exit__)
        return stack

    def _entry(self, table: Table | None) -> bytes:
        """Return the entry of all changes, nothing if there are none."""
        release = self._values.keeper.release
        changes = [
            (key, None if kept is MISSING else release(kept))
            for key, kept in self._changed.items()
            if kept is not MISSING or table is None or key in table.entries
        ]
        return encode_changes(changes) if changes else b""

    def abandon(self) -> None:
        """Write nothing, and give back the lock."""
        self._is_over = True
        if self._is_held:
            self._hold.__exit__(RuntimeError, None, None)

    def __repr__(self) -> str:
        state = "over" if self._is_over else f"{len(self._changed)} changes"
        return f"<holdfast transaction of {self._machine.path!r}, {state}>"


class _Pending:
    """A table with changes that are not committed; nobody else changes it meanwhile."""

    def __init__(self, machine: StoreMachine, table: Table, changed: dict[str, Any]) -> None:
        self._machine = machine
        self._view = table.view()
        self._changed = changed

    def keys(self, prefix: str) -> list[str]:
        put_in_order(self._view.table, self._machine.lock)
        with self._machine.lock:
            listed = self._view.keys(prefix)
        changed = self._changed
        if not changed:
            return listed
        more = [key for key, kept in changed.items() if kept is not MISSING]
        listed = [key for key in listed if key not in changed]
        return sorted(listed + [key for key in more if key.startswith(prefix)])

    def get(self, key: str) -> Any:
        return self._changed[key] if key in self._changed else self._view.get(key)

    def get_all(self, keys: Sequence[str]) -> list[Any]:
        return list(map(self._changed.get, keys, self._view.get_all(keys)))


class SyncTransaction(Generic[V]):
    """A context that gives a transaction, and commits it when the block ends well."""

    def __init__(
        self, machine: StoreMachine, values: StoreValues[V], open_: OpenTransactions
    ) -> None:
        self._made = (machine, values)
        self._open = open_
        self._tx: Transaction[V] | None = None
        self._mark = (0, 0)

    def __enter__(self) -> Transaction[V]:
        self._open.refuse_thread()
        self._tx = Transaction(*self._made)
        self._mark = self._open.enter()
        return self._tx

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._open.leave(self._mark)
        if self._tx is not None:
            (self._tx.finish if kind is None else self._tx.abandon)()


class AsyncTransaction(Generic[V]):
    """The same for asyncio; the lock is taken at the beginning, so that no read has to wait.

    Tasks of one loop come one after another, so that those who wait leave a thread for the one who
    ends.
    """

    def __init__(
        self, machine: StoreMachine, values: StoreValues[V], open_: OpenTransactions
    ) -> None:
        self._open = open_
        self._tx: Transaction[V] = Transaction(machine, values, owner=-id(self))
        self._gate: Lock | None = None
        self._mark = (0, 0)

    async def __aenter__(self) -> Transaction[V]:
        self._open.refuse_task()
        gate = self._gate = self._open.gate()
        await gate.acquire()
        try:
            self._mark = self._open.enter()
            try:
                await run(self._tx.begin, undo=lambda _: self._tx.abandon())
            except BaseException:
                self._open.leave(self._mark)
                raise
        except BaseException:
            gate.release()
            raise
        return self._tx

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            await run(self._tx.finish if kind is None else self._tx.abandon)
        finally:
            self._open.leave(self._mark)
            if self._gate is not None:
                self._gate.release()
