"""The table of a store: every key with its value, in the memory of one process.

I1  A value of type bytes is still encoded, and decoded for each who asks; every other one is an
    immutable scalar. So no caller can change what is stored.
I2  A view shows the table as it was when the view was made: what a change replaces is put aside
    for each living view before it is replaced.
I3  Applying an entry once more changes nothing.
I4  A checkpoint holds the keys of the table itself, not those of an order that is kept of them:
    what it lacks is lost with the log that it replaces.

What is not said to take the lock of the state, or none, is for who holds it.
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
from holdfast.state.key_order import KeyOrder, Sorting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from typing import Any

    from holdfast.formats.value_codec import ValueKeeper
    from holdfast.state.replica import Rules, Slices

__all__ = ["Table", "TableView", "keys_then", "put_in_order", "rules_of"]

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

    __slots__ = ("_keep", "_sorting", "_views", "_views_max", "_where", "entries")

    def __init__(self, keeper: ValueKeeper[Any], where: str) -> None:
        self.entries: dict[str, Any] = {}
        self._keep = keeper.keep
        self._where = where
        self._sorting: Sorting | None = None
        """None: nobody asked for the keys in order, or too much has moved since."""
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
        if self._sorting is not None:
            self._note(self._sorting.moved, keys, deleted)
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
        """Remember what comes and goes while keys are sorted; if it is too much, give that up."""
        entries = self.entries
        moved.update([key for key in keys if key not in entries], deleted)
        if len(moved) > _NOTED_MAX + len(entries) // 4:
            self._sorting = None

    def unsorted(self) -> tuple[list[str], Sorting] | None:
        """Return all keys, to be sorted without the lock, and what takes their order.

        None: their order is known.
        """
        sorting = self._current_sorting()
        return None if sorting.order is not None else (list(self.entries), sorting)

    def _current_sorting(self) -> Sorting:
        sorting = self._sorting
        if sorting is None or sorting.is_torn:
            sorting = self._sorting = Sorting()
        return sorting

    def _sorted(self) -> KeyOrder:
        return self._current_sorting().settled(self.entries)

    def keys(self, prefix: str = "") -> list[str]:
        """Return the keys that begin so, in order."""
        return self._sorted().keys(prefix)

    def all_keys(self) -> tuple[list[str], bool]:
        """Return the keys as they came, and whether anybody has asked for them in order."""
        return list(self.entries), self._sorting is not None

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

    def undoing(self) -> Callable[[], Table]:
        """Return what undoes all changes from now on, and gives the table that takes its place."""
        view = self.view()

        def undo() -> Table:
            changed = view.put_back()
            if self._sorting is not None:
                self._sorting.moved.update(changed)
            return self._successor()

        return undo

    def _successor(self) -> Table:
        """Return another table of the same entries, which all views are views of from now on."""
        made = Table.__new__(Table)
        for name in Table.__slots__:
            setattr(made, name, getattr(self, name))
        for reference in self._views:
            if (view := reference()) is not None:
                view.table = made
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

    def put_back(self) -> Iterable[str]:
        """Make the entries of the table what they were; return the keys of those that changed."""
        entries = self.table.entries
        for key, kept in self._before.items():
            if kept is MISSING:
                entries.pop(key, None)
            else:
                entries[key] = kept
        return self._before

    def get(self, key: str) -> Any:
        """Return what was kept of a key, `MISSING` if it was not there; takes no lock."""
        now = self.table.entries.get(key, MISSING)  # first: what replaces it is put aside before
        return self._before.get(key, now)

    def get_all(self, keys: Sequence[str]) -> list[Any]:
        """Return what was kept of each key; takes no lock, as `get`."""
        now = list(map(self.table.entries.get, keys, repeat(MISSING)))
        before = self._before
        return list(map(before.get, keys, now)) if before else now

    def look(self, prefix: str) -> tuple[list[str], dict[str, Any]]:
        """Return the keys that begin so now, in order, and what was put aside."""
        return self.table.keys(prefix), self._before.copy()


def put_in_order(table: Table, lock: AbstractContextManager[object]) -> None:
    """Put the keys in order, if they are not; the lock of the state is taken, but not for that."""
    with lock:
        look = table.unsorted()
    if look is not None:
        keys, sorting = look
        order = KeyOrder(keys)
        with lock:
            sorting.adopt(order)


def keys_then(view: TableView, prefix: str, lock: AbstractContextManager[object]) -> list[str]:
    """Return the keys that began so, in order; takes the lock of the state for two copies."""
    put_in_order(view.table, lock)
    with lock:
        now, before = view.look(prefix)
    if not before:
        return now
    was = {key for key, kept in before.items() if kept is not MISSING and key.startswith(prefix)}
    stayed = [key for key in now if key not in before or key in was]
    gone = was.difference(now)
    return KeyOrder([*stayed, *gone]).keys() if gone else stayed


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

    return Rules(
        lambda: Table(keeper, where), Table.apply, dump, load, Table.apply_all, Table.undoing
    )


def _dumped(slices: Slices[Table], release: Callable[[Any], bytes]) -> Iterator[bytes]:
    """Yield the blocks of a checkpoint (I4); each look at the table is a short one.

    Where keys are asked for in order, they are written so: what is loaded is sorted the sooner.
    """
    keys, is_ordered = slices.locked(Table.all_keys)
    if is_ordered:
        keys = KeyOrder(keys).keys()
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
