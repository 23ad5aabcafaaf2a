"""The table of a store: every key with its value, in the memory of one process.

I1  A value of type bytes is still encoded, and decoded for each who asks; every other one is an
    immutable scalar. So no caller can change what is stored.
I2  A view shows the table as it was when the view was made: what a change replaces is put aside
    for each living view before it is replaced.
I3  Applying an entry once more changes nothing.

All but `get` and `get_all` of a view is for who holds the lock of the state.
"""

from __future__ import annotations

from itertools import repeat
from weakref import ref

from holdfast.formats.plain import MISSING
from holdfast.formats.store_format import (
    decode_blocks,
    encode_block,
    framed,
    gathered,
    key_bytes,
    split_changes,
)
from holdfast.state.key_order import KeyOrder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from typing import Any

    from holdfast.formats.value_codec import ValueKeeper
    from holdfast.state.replica import Rules, Slices

__all__ = ["Table", "TableView", "put_in_order", "rules_of"]

_DUMPED_KEYS = 2000
_DUMPED_BYTES = 256 << 10
_NOTED_MAX = 4096
_VIEWS_MAX = 64


class Table:
    """Keys and what is kept of their values.

    Args:
        keeper: of the values.
        where: what errors call the place that entries come from.
    """

    __slots__ = ("_keep", "_moved", "_order", "_views", "_views_max", "_where", "entries")

    def __init__(self, keeper: ValueKeeper[Any], where: str) -> None:
        self.entries: dict[str, Any] = {}
        self._keep = keeper.keep
        self._where = where
        self._order: KeyOrder | None = None
        self._moved: set[str] | None = None
        """What came or went since the keys were looked at for `_order`; None: nobody did."""
        self._views: list[ref[TableView]] = []
        self._views_max = _VIEWS_MAX

    def apply(self, entry: bytes) -> None:
        """Make the changes of one commit.

        Raises:
            BadFrame: it is no entry of a store; the table is as it was.
        """
        self._change(*split_changes(entry, where=self._where))

    def apply_all(self, entries: Sequence[bytes]) -> None:
        """Make the changes of several commits, in order.

        Raises:
            BadFrame: one is no entry of a store; those before it are made.
        """
        for keys, values, deleted in gathered(entries, where=self._where):
            self._change(keys, values, deleted)

    def _change(self, keys: list[str], values: list[bytes], deleted: list[str]) -> None:
        kept = self._keep(values)
        if self._views:
            self._put_aside(keys, deleted)
        if self._moved is not None:
            self._note(self._moved, keys, deleted)
        if len(keys) == 1:
            self.entries[keys[0]] = kept[0]
        else:
            self.entries.update(zip(keys, kept, strict=True))
        for key in deleted:
            self.entries.pop(key, None)

    def _put_aside(self, *changed: Sequence[str]) -> None:
        living: list[ref[TableView]] = []
        for reference in self._views:
            if (view := reference()) is not None:
                living.append(reference)
                for keys in changed:
                    view.put_aside(keys, self.entries)
        self._views = living

    def _note(self, moved: set[str], keys: Sequence[str], deleted: Sequence[str]) -> None:
        """Remember what comes and goes since keys were put in order; if it is too much, forget."""
        entries = self.entries
        moved.update([key for key in keys if key not in entries], deleted)
        if len(moved) > _NOTED_MAX + len(entries) // 4:
            self._order = self._moved = None

    def unsorted(self) -> list[str] | None:
        """Return all keys, to be put in order without the lock and `adopt`ed; None: they are."""
        if self._order is not None:
            return None
        if self._moved is None:
            self._moved = set()
        return list(self.entries)

    def adopt(self, order: KeyOrder) -> None:
        """Take the order of what `unsorted` gave, unless too much has changed since."""
        if self._order is None and self._moved is not None:
            self._order = order

    def _sorted(self) -> KeyOrder:
        if (unsorted := self.unsorted()) is not None:
            self.adopt(KeyOrder(unsorted))
        order, moved, entries = self._order, self._moved, self.entries
        if order is None or moved is None:
            return KeyOrder(list(entries))
        if moved:
            for key in moved:
                order.place(key, is_there=key in entries)
            moved.clear()
        return order

    def keys(self, prefix: str = "") -> list[str]:
        """Return the keys that begin so, in order."""
        return self._sorted().keys(prefix)

    def all_keys(self) -> list[str]:
        """Return the keys, in order if that is known: a table that is loaded so is sorted soon."""
        return list(self.entries) if self._order is None else self.keys()

    def first(self) -> str | None:
        """Return the first key; None if there is none."""
        return self._sorted().first()

    def view(self) -> TableView:
        """Return the table as it is now; it costs nothing until something changes."""
        made = TableView(self)
        if len(self._views) >= self._views_max:  # most of them are gone, while nobody committed
            self._views = [one for one in self._views if one() is not None]
            self._views_max = max(2 * len(self._views), _VIEWS_MAX)
        self._views.append(ref(made))
        return made


class TableView:
    """A table as it was at one moment, while it goes on changing (I2)."""

    __slots__ = ("__weakref__", "_before", "size", "table")

    def __init__(self, table: Table) -> None:
        self.table = table
        self._before: dict[str, Any] = {}
        self.size = len(table.entries)

    def put_aside(self, keys: Iterable[str], entries: dict[str, Any]) -> None:
        """Keep what the keys have now."""
        before = self._before
        for key in keys:
            if key not in before:
                before[key] = entries.get(key, MISSING)

    def get(self, key: str) -> Any:
        """Return what was kept of a key, `MISSING` if it was not there; takes no lock."""
        now = self.table.entries.get(key, MISSING)  # first: what replaces it is put aside before
        return self._before.get(key, now)

    def get_all(self, keys: Sequence[str]) -> list[Any]:
        """Return what was kept of each key, as `get`."""
        now = list(map(self.table.entries.get, keys, repeat(MISSING)))
        before = self._before
        return list(map(before.get, keys, now)) if before else now

    def keys(self, prefix: str = "") -> list[str]:
        """Return the keys that began so, in order."""
        now = self.table.keys(prefix)
        before = self._before
        if not before:
            return now
        entries = self.table.entries
        was = [key for key in now if before.get(key) is not MISSING]
        gone = [
            key
            for key, kept in before.items()
            if kept is not MISSING and key not in entries and key.startswith(prefix)
        ]
        return sorted(was + gone) if gone else was


def put_in_order(table: Table, lock: AbstractContextManager[object]) -> None:
    """Put the keys in order, if they are not, without holding the lock of the state meanwhile."""
    with lock:
        unsorted = table.unsorted()
    if unsorted is not None:
        order = KeyOrder(unsorted)
        with lock:
            table.adopt(order)


def rules_of(keeper: ValueKeeper[Any], where: str) -> Rules[Table]:
    """Return what makes a table of a journal's commits, and a checkpoint of a table.

    Args:
        keeper: of the values.
        where: what errors call the journal.
    """
    from holdfast.state.replica import Rules

    def load(pieces: Iterator[bytes]) -> Table:
        table = Table(keeper, where)
        for block in decode_blocks(pieces, where=where):
            table.apply(block)
        return table

    def dump(slices: Slices[Table]) -> Iterator[bytes]:
        return _dumped(slices, keeper.release)

    return Rules(lambda: Table(keeper, where), Table.apply, dump, load, Table.apply_all)


def _dumped(slices: Slices[Table], release: Callable[[Any], bytes]) -> Iterator[bytes]:
    """Yield the blocks of a checkpoint; each look at the table is a short one."""
    keys = slices.locked(Table.all_keys)
    for at in range(0, len(keys), _DUMPED_KEYS):
        part = keys[at : at + _DUMPED_KEYS]
        yield from _blocks(slices.locked(_lookup(part)), release)


def _lookup(keys: Sequence[str]) -> Callable[[Table], list[tuple[str, Any]]]:
    def look(table: Table) -> list[tuple[str, Any]]:
        entries = table.entries
        return [(key, entries[key]) for key in keys if key in entries]

    return look


def _blocks(found: Iterable[tuple[str, Any]], release: Callable[[Any], bytes]) -> Iterator[bytes]:
    names: list[bytes] = []
    values: list[bytes] = []
    size = 0
    for key, kept in found:
        names.append(key_bytes(key))
        values.append(release(kept))
        size += len(names[-1]) + len(values[-1])
        if size > _DUMPED_BYTES:
            yield framed(encode_block(names, values))
            names, values, size = [], [], 0
    if names:
        yield framed(encode_block(names, values))
