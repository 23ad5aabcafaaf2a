"""`Store`: a durable mapping of text to values that threads, tasks and processes share.

Guarantee: every change that returned is in the store, once, in one order that all agree on; with
    `sync="always"` it survives a power cut. The changes of a transaction are in it all together or
    not at all. A read sees every change that was acknowledged before it began, whoever made it,
    and nothing that a power cut can take back.
Not guaranteed: that a change that raised `OSError`, or was interrupted, is not there.

I1  A value that is got is the caller's own: what is stored changes by a commit alone.
I2  User code (codecs, types, the function of an update) runs in the caller's thread alone.
I3  A missing store reads as an empty one, and reading does not make it.

The files are on the page docs/reference/journal-format.md.
"""

from __future__ import annotations

from holdfast.formats.plain import MISSING
from holdfast.formats.store_format import encode_changes, key_bytes
from holdfast.primitives.folders import absolute_path
from holdfast.state.journal import options_of
from holdfast.state.open_transactions import OpenTransactions
from holdfast.state.store_async import AsyncStore
from holdfast.state.store_deletion import Deletion
from holdfast.state.store_following import Commit, StoreFollowing
from holdfast.state.store_machine import UNSURE, StoreMachine
from holdfast.state.store_mapping import StoreMapping, refuse_no_text
from holdfast.state.store_snapshot import Range, StoreSnapshot, listed
from holdfast.state.store_table import Table, put_in_order, rules_of
from holdfast.state.store_values import StoreValues
from holdfast.state.transaction import SyncTransaction, Transaction
from holdfast.vfs import CLOCK, SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from typing import Any, Literal, TypeVar, cast, overload

    from holdfast.formats.value_codec import ValueCodec
    from holdfast.primitives.log import LogSync
    from holdfast.vfs import VFS, Clock

    T = TypeVar("T")
else:
    from holdfast.light_typing import TypeVar, cast, overload

__all__ = ["Commit", "Store", "StoreSnapshot", "Transaction"]

V = TypeVar("V")

_MAX_UNSYNCED_BYTES = 4 << 20


class Store(AsyncStore[V], StoreMapping[V]):
    """A mapping of text to values in a folder, open in any number of threads and processes.

    All of it is in memory, in each process that uses it; what is on disk is a log of the commits
    and checkpoints of the whole. After a crash the store holds every commit that was acknowledged,
    and of the one that was being made all or nothing. Keys are in the order of their code points.

    Opening is lazy: a missing store reads as empty, and the first write makes it. One object serves
    all threads and tasks; a forked child may go on using it.

    Args:
        path: The folder; made with its parents, durably, by the first write.
        type: What the values are, stored as JSON: a dataclass, a `TypedDict`, a `msgspec.Struct`, a
            pydantic model, or anything that may stand in one, as `int` or `list[User]`. None: plain
            data (dict, list, str, int, float, bool, None).
        codec: `"json"`, `"bytes"`, `"text"`, or an object with `name`, `encode` and `decode`. The
            store remembers the name, and is opened with that codec alone.
        sync: `"always"`: a change is durable when it returns. `"never"`: every process sees it
            then, and a power cut may take the last ones that no `barrier` covered. A number of
            seconds: the same, synced at most so long afterwards.
        keep: How many replaced checkpoints stay, with the log since.
        checkpoint_bytes: How large the log may grow before a checkpoint is written by itself, if
            the last one is no larger; None: only by `checkpoint`.
        read_only: Read without a lock, and refuse to write; may stand on a disk that is read-only.
        permissions: The mode of files that are made, less the umask.
        vfs: The filesystem.
        clock: For ages.

    Raises:
        ValueError: An argument is out of its range; nothing was done.
        TypeError: A type or codec that is none; nothing was done.
    """

    @overload
    def __init__(
        self: Store[Any],
        path: str | os.PathLike[str],
        type: None = None,
        *,
        codec: Literal["json"] = ...,
        sync: LogSync = ...,
        keep: int = ...,
        checkpoint_bytes: int | None = ...,
        read_only: bool = ...,
        permissions: int = ...,
        vfs: VFS = ...,
        clock: Clock = ...,
    ) -> None: ...
    @overload
    def __init__(
        self: Store[T],
        path: str | os.PathLike[str],
        type: type[T],
        *,
        codec: Literal["json", "bytes", "text"] = ...,
        sync: LogSync = ...,
        keep: int = ...,
        checkpoint_bytes: int | None = ...,
        read_only: bool = ...,
        permissions: int = ...,
        vfs: VFS = ...,
        clock: Clock = ...,
    ) -> None: ...
    @overload
    def __init__(
        self: Store[bytes],
        path: str | os.PathLike[str],
        type: None = None,
        *,
        codec: Literal["bytes"],
        sync: LogSync = ...,
        keep: int = ...,
        checkpoint_bytes: int | None = ...,
        read_only: bool = ...,
        permissions: int = ...,
        vfs: VFS = ...,
        clock: Clock = ...,
    ) -> None: ...
    @overload
    def __init__(
        self: Store[str],
        path: str | os.PathLike[str],
        type: None = None,
        *,
        codec: Literal["text"],
        sync: LogSync = ...,
        keep: int = ...,
        checkpoint_bytes: int | None = ...,
        read_only: bool = ...,
        permissions: int = ...,
        vfs: VFS = ...,
        clock: Clock = ...,
    ) -> None: ...
    @overload
    def __init__(
        self: Store[T],
        path: str | os.PathLike[str],
        type: None = None,
        *,
        codec: ValueCodec[T],
        sync: LogSync = ...,
        keep: int = ...,
        checkpoint_bytes: int | None = ...,
        read_only: bool = ...,
        permissions: int = ...,
        vfs: VFS = ...,
        clock: Clock = ...,
    ) -> None: ...

    def __init__(
        self,
        path: str | os.PathLike[str],
        type: Any = None,
        *,
        codec: str | ValueCodec[Any] = "json",
        sync: LogSync = "always",
        keep: int = 0,
        checkpoint_bytes: int | None = 4 << 20,
        read_only: bool = False,
        permissions: int = 0o666,
        vfs: VFS = SYSTEM,
        clock: Clock = CLOCK,
    ) -> None:
        self._path = absolute_path(path)
        self._values = StoreValues(self._path, codec, type)
        options = options_of(
            "store",
            self._values.keeper.name,
            sync=sync,
            keep=keep,
            checkpoint_bytes=checkpoint_bytes,
            max_unsynced_bytes=_MAX_UNSYNCED_BYTES,
            read_only=read_only,
            permissions=permissions,
            vfs=vfs,
            clock=clock,
        )
        self._machine = StoreMachine(self._path, rules_of(self._values.keeper, self._path), options)
        self._following = StoreFollowing(self._machine.log_path, self._values, vfs=vfs)
        self._transactions = OpenTransactions(self._path, self._machine.key)

    # ------------------------------------------------------------ reading

    def __getitem__(self, key: str) -> V:
        kept = self._machine.glance(key)
        if type(kept) in self._values.ready:
            value: V = kept
            return value
        kept = self._settled(key, kept)
        if kept is MISSING:
            raise KeyError(key)
        return self._values.give(key, kept)

    @overload
    def get(self, key: str, /) -> V | None: ...
    @overload
    def get(self, key: str, /, default: V) -> V: ...
    @overload
    def get(self, key: str, /, default: T) -> V | T: ...

    def get(self, key: str, /, default: Any = None) -> Any:
        """Return the value of a key, or `default`; the value is the caller's own.

        It is the newest that was acknowledged to anybody, and durable if its writer waits for that.

        Raises:
            TypeError: The key is no text.
            DecodeError: The value does not parse or fit the type; it is untouched.
            HandlePoisoned: A sync failed, in any process: the value may not be on the disk.
            Corruption: The store is damaged; nothing was changed.
            OSError: It cannot be read, or what is to be shown could not be synced.
            Closed: After `close`.
        """
        kept = self._machine.glance(key)
        if type(kept) in self._values.ready:
            return kept
        kept = self._settled(key, kept)
        return default if kept is MISSING else self._values.give(key, kept)

    def _settled(self, key: str, kept: Any) -> Any:
        """Return what is kept of a key, of which a glance gave `kept`."""
        if kept is MISSING or kept is UNSURE:
            refuse_no_text(key)
            return self._machine.settled(key, kept)
        return kept

    def __contains__(self, key: object) -> bool:
        refuse_no_text(key)
        return self._machine.look_up(cast("str", key)) is not MISSING

    def __len__(self) -> int:
        return self._machine.read(lambda table: len(table.entries))

    def _range(self, prefix: str) -> Range[V]:
        return Range(listed(self._machine, self._values)[0].part(prefix))

    # ------------------------------------------------------------ changing

    def _commit(self, decide: Callable[[Table], bytes | None], size_bytes: int) -> bool:
        """Commit by a function of our own; False: it had nothing to write, for a durable reason."""
        self._transactions.refuse_thread()
        if self._machine.commit_shared(decide, size_bytes=size_bytes) is not None:
            return True
        self._machine.refresh()
        return False

    def _commit_here(self, decide: Callable[[Table], bytes | None]) -> bool:
        """The same by one that runs code of the user (I2)."""
        self._transactions.refuse_thread()
        if self._machine.commit(decide) is not None:
            return True
        self._machine.refresh()
        return False

    def __setitem__(self, key: str, value: V) -> None:
        values = self._values
        entry = values.entry(((key, values.encode(key, value)),))
        self._transactions.refuse_thread()
        self._machine.commit_shared(lambda _: entry, size_bytes=len(entry))

    def __delitem__(self, key: str) -> None:
        entry = self._values.entry(((key, None),))
        if not self._machine.may_have(key) or not self._commit(
            lambda table: entry if key in table.entries else None, len(entry)
        ):
            raise KeyError(key)

    def setdefault(self, key: str, default: Any = None) -> V:
        """Return the value of a key; put `default` if it is not there. As `update`, in one step.

        Raises:
            Exception: As `get`, and as when a value is put.
        """
        kept = self._machine.look_up(key)
        if kept is not MISSING:
            return self._values.give(key, kept)
        entry = self._values.entry(((key, self._values.encode(key, default)),))
        there: list[Any] = []

        def decide(table: Table) -> bytes | None:
            there[:] = [table.entries[key]] if key in table.entries else []
            return None if there else entry

        self._commit(decide, len(entry))
        kept = there[0] if there else self._values.keep(key, default)
        return self._values.give(key, kept)

    @overload
    def pop(self, key: str, /) -> V: ...
    @overload
    def pop(self, key: str, /, default: V) -> V: ...
    @overload
    def pop(self, key: str, /, default: T) -> V | T: ...

    def pop(self, key: str, /, default: Any = MISSING) -> Any:
        """Delete a key and return its value, or `default`; only one caller gets it.

        Raises:
            KeyError: It is not there, and no `default` was given.
            DecodeError: The value does not parse or fit the type; it stays.
            Exception: As `get`, and as when a value is put.
        """
        refuse_no_text(key)
        if self._machine.may_have(key) and (
            taken := self._take(lambda table: key if key in table.entries else None)
        ):
            return taken[1]
        if default is MISSING:
            raise KeyError(key)
        return default

    def popitem(self) -> tuple[str, V]:
        """Delete the first key and return it with its value; only one caller gets it.

        Raises:
            KeyError: The store is empty.
            DecodeError: The value does not parse or fit the type; it stays.
            Exception: As `get`, and as when a value is put.
        """
        if self._machine.may_have():
            put_in_order(self._machine.state, self._machine.lock)
            if taken := self._take(Table.first):
                return taken
        raise KeyError(f"{self._path}: the store is empty")

    def _take(self, choose: Callable[[Table], str | None]) -> tuple[str, V] | None:
        """Delete the key that is chosen, and return it with its value; None: there is none."""
        taken: list[tuple[str, V]] = []

        def decide(table: Table) -> bytes | None:
            key = choose(table)
            if key is None:
                return None
            taken.append((key, self._values.give(key, table.entries[key])))
            return encode_changes(((key, None),))

        return taken[0] if self._commit_here(decide) else None

    def clear(self) -> None:
        """Delete every key; all in one commit, so that a crash leaves all of them or none.

        Keys that have more than 60 MiB together, and 8 bytes each, go in several commits: a crash,
        or an exception, may then leave some of them.

        Raises:
            Exception: As when a value is put.
        """
        if self._machine.may_have():
            deletion = Deletion()
            while not deletion.is_done:
                self._commit_here(deletion.decide)

    def _put_all(self, pairs: dict[str, V]) -> None:
        encode = self._values.encode
        entry = self._values.entry([(key, encode(key, value)) for key, value in pairs.items()])
        self._commit(lambda _: entry, len(entry))

    def _update_key(self, key: str, fn: Callable[[V], V], default: Any) -> V:
        key_bytes(key)
        if default is MISSING and not self._machine.may_have(key):
            raise KeyError(key)
        new: list[Any] = []

        def decide(table: Table) -> bytes:
            kept = table.entries.get(key, MISSING)
            new[:] = [self._values.applied(key, kept, fn=fn, default=default)]
            return self._values.entry(((key, self._values.keeper.release(new[0])),))

        self._commit_here(decide)
        return self._values.give(key, new[0])

    def transaction(self) -> AbstractContextManager[Transaction[V]]:
        """Change several keys together: `with store.transaction() as tx: tx["a"] = tx["b"] + 1`.

        What is read and written through `tx` is committed when the block ends, all of it or
        nothing, also after a crash; an exception inside writes nothing. Nobody else commits between
        the first read through `tx` and the end, in any process: keep it short. A block that only
        writes keeps nobody waiting.

        Raises:
            RuntimeError: This thread has one open; or, inside, it wrote by another way than `tx`.
            Exception: As when a value is put; nothing of the transaction was committed.
        """
        return SyncTransaction(self._machine, self._values, self._transactions)
