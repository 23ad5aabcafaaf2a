"""What a transaction of a store has changed, and the lock that it holds, until it ends.

I1  The lock of all writers is taken with the first read, and given back by the end, however it
    comes: it goes with this object, which only the block itself holds.
I2  Threads that read through one transaction see one state: who comes while another one takes the
    lock waits for that.
I3  What is put is encoded at once: who changes the value afterwards changes nothing in the store.
"""

from __future__ import annotations

import os
import sys

from holdfast.formats.plain import MISSING
from holdfast.formats.store_format import key_bytes
from holdfast.light_threading import RLock
from holdfast.state.hold import Hold
from holdfast.state.store_snapshot import Listing, Range
from holdfast.state.store_table import keys_then

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, Generic, TypeVar

    from holdfast.state.store_machine import StoreMachine
    from holdfast.state.store_table import Table
    from holdfast.state.store_values import StoreValues
else:
    from holdfast.light_typing import Generic, TypeVar

__all__ = ["Changes", "over"]

V = TypeVar("V")


class Changes(Generic[V]):
    """Changes of several keys that are committed together, or not at all.

    Args:
        machine: of the store.
        values: of the store.
        is_task: the lock is held by a task; else by the thread that reads first.
    """

    def __init__(
        self, machine: StoreMachine, values: StoreValues[V], *, is_task: bool = False
    ) -> None:
        self._machine = machine
        self._values = values
        self._hold: Hold[Table] = Hold(machine, owner=-id(self) if is_task else None)
        self._process = os.getpid()
        self._taking = RLock()
        self._is_over = False
        self._kept: dict[str, Any] = {}
        """What will be kept of the changed keys; `MISSING` where one is deleted."""

    # ------------------------------------------------------------ reading

    def begin(self) -> Table:
        """Take the lock, if that was not done, and return the table that changes apply to (I1, I2).

        Raises:
            RuntimeError: the transaction is over.
            Exception: as a commit; nothing was written.
        """
        self.refuse_over()
        if not self._hold.is_held:
            with self._taking:
                if not self._hold.is_held:
                    self._hold.__enter__()  # left by `finish` or `abandon`
        return self._hold.state

    def refuse_over(self) -> None:
        """Raise if it is over.

        Raises:
            RuntimeError: it is.
        """
        if self._is_over:
            raise over(self._machine.path)

    def find(self, key: str) -> Any:
        """Return what is kept of a key, `MISSING` if it is not there; as `begin`."""
        self.refuse_over()
        if key in self._kept:
            return self._kept[key]
        return self.begin().entries.get(key, MISSING)

    def __len__(self) -> int:
        entries = self.begin().entries
        changed = self._kept.items()
        more = sum((kept is not MISSING) - (key in entries) for key, kept in changed)
        return len(entries) + more

    def range(self, prefix: str) -> Range[V]:
        """Return the keys that begin so and their values, as they are now; as `begin`."""
        pending = _Pending(self._machine, self.begin(), dict(self._kept))
        return Range(Listing(prefix, pending, values=self._values))

    # ------------------------------------------------------------ changing

    def put_all(self, pairs: Mapping[str, V]) -> None:
        """Put all of these (I3).

        Raises:
            TypeError, ValueError: a key or a value cannot be stored; none of them was put.
            RuntimeError: the transaction is over.
        """
        self.refuse_over()
        for key in pairs:
            key_bytes(key)
        keep = self._values.keep
        self._kept.update({str.__str__(key): keep(key, value) for key, value in pairs.items()})

    def delete(self, key: str) -> None:
        """Delete a key, if it is there."""
        self._kept[str.__str__(key)] = MISSING

    def delete_all(self) -> None:
        """Delete every key; as `begin`."""
        self._kept = dict.fromkeys(self.begin().entries, MISSING)

    def apply(self, key: str, fn: Callable[[V], V], default: Any) -> Any:
        """Put what a function makes of the value of a key, and return what is kept of that.

        Raises:
            KeyError: the key is not there, and there is no default.
            Exception: what the function raises, and as `begin` and `put_all`.
        """
        new = self._values.applied(key, self.find(key), fn=fn, default=default)
        self.refuse_over()  # `fn` may have ended it
        key_bytes(key)
        self._kept[str.__str__(key)] = new
        return new

    # ------------------------------------------------------------ the end

    def finish(self) -> None:
        """Commit what was written; the lock is given back whatever happens.

        Raises:
            Exception: as a commit; nothing was committed.
        """
        self._is_over = True
        if not self._hold.is_held:
            return self._commit_blindly()
        try:
            if entry := self._entry(self._hold.state):
                self._hold.commit(entry)
        except BaseException:
            self._hold.__exit__(*sys.exc_info())
            raise
        return self._hold.__exit__(None, None, None)

    def _commit_blindly(self) -> None:
        if entry := self._entry(None):
            if self._process != os.getpid():
                raise RuntimeError(
                    f"{self._machine.path}: this block was begun in another process, which commits "
                    "it. Nothing was written here. Begin one here."
                )
            self._machine.commit_shared(lambda _: entry, size_bytes=len(entry))

    def _entry(self, table: Table | None) -> bytes:
        """Return the entry of all changes, nothing if there are none."""
        release = self._values.keeper.release
        changes = [
            (key, None if kept is MISSING else release(kept))
            for key, kept in self._kept.items()
            if kept is not MISSING or table is None or key in table.entries
        ]
        return self._values.entry(changes) if changes else b""

    def abandon(self) -> None:
        """Write nothing, and give back the lock; once it is given back, nothing more happens."""
        self._is_over = True
        self._hold.__exit__(RuntimeError, None, None)

    def __repr__(self) -> str:
        return "over" if self._is_over else f"{len(self._kept)} changes"


class _Pending:
    """A table with changes that are not committed; nobody else changes it meanwhile."""

    def __init__(self, machine: StoreMachine, table: Table, changed: dict[str, Any]) -> None:
        self._machine = machine
        self._view = table.view()
        self._changed = changed

    def keys(self, prefix: str) -> list[str]:
        listed = keys_then(self._view, prefix, self._machine.lock)
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


def over(path: str) -> RuntimeError:
    """Return the error for a transaction that is used after its end."""
    return RuntimeError(
        f"{path}: the transaction is over. Nothing more was written. Begin another one."
    )
