"""What a store holds at one moment, as a mapping that does not change."""

from __future__ import annotations

from collections.abc import ItemsView, KeysView, Mapping, ValuesView
from itertools import chain

from holdfast.formats.plain import MISSING
from holdfast.state.store_table import put_in_order

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any, Protocol, TypeVar

    from holdfast.state.store_machine import StoreMachine
    from holdfast.state.store_table import TableView
    from holdfast.state.store_values import StoreValues
else:
    from holdfast.light_typing import Protocol, TypeVar

__all__ = ["Range", "Source", "StoreSnapshot", "snapshot_of"]

V = TypeVar("V")

_AT_ONCE = 500


class _Items(ItemsView[str, V]):
    """Keys with values; without a look at whether each key is there."""

    _mapping: Range[V]

    def __iter__(self) -> Iterator[tuple[str, V]]:
        return self._mapping.pairs()


class _Values(ValuesView[V]):
    """Values in the order of their keys."""

    _mapping: Range[V]

    def __iter__(self) -> Iterator[V]:
        return (value for _, value in self._mapping.pairs())


class Source(Protocol):
    """Where a range finds its keys and what is kept of them; it does not change."""

    def keys(self, prefix: str) -> list[str]:
        """The keys that begin so, in order."""
        ...

    def get(self, key: str) -> Any:
        """What is kept of a key, `MISSING` if it is not there."""
        ...

    def get_all(self, keys: Sequence[str]) -> list[Any]:
        """What is kept of each key."""
        ...


class Range(Mapping[str, V]):
    """The keys that begin with a prefix, and their values, as they were at one moment.

    Args:
        prefix: what all keys begin with.
        source: what there was.
        values: of the store.
    """

    def __init__(self, prefix: str, source: Source, *, values: StoreValues[V]) -> None:
        self._prefix = _text(prefix)
        self._source = source
        self._store_values = values
        self._keys: list[str] | None = None

    def _listed(self) -> list[str]:
        if self._keys is None:
            self._keys = self._source.keys(self._prefix)
        return self._keys

    def __getitem__(self, key: str) -> V:
        kept = self._source.get(key) if key in self else MISSING
        if kept is MISSING:
            raise KeyError(key)
        return self._store_values.give(key, kept)

    def __contains__(self, key: object) -> bool:
        return (
            isinstance(key, str)
            and key.startswith(self._prefix)
            and self._source.get(key) is not MISSING
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self._listed())

    def __len__(self) -> int:
        return len(self._listed())

    def pairs(self) -> Iterator[tuple[str, V]]:
        """Iterate over keys and values, in order.

        Raises:
            DecodeError: a value does not parse or fit the type; it names the key.
        """
        values = self._store_values
        ready, give = values.ready, values.give
        for key, kept in self.kept():
            yield key, kept if type(kept) in ready else give(key, kept)

    def kept(self) -> Iterator[tuple[str, Any]]:
        """Iterate over the keys, in order, and what is kept of their values."""
        keys, get_all = self._listed(), self._source.get_all
        pieces = (keys[at : at + _AT_ONCE] for at in range(0, len(keys), _AT_ONCE))
        return chain.from_iterable(zip(piece, get_all(piece), strict=True) for piece in pieces)

    def items(self) -> ItemsView[str, V]:
        """Return the keys, in order, with their values."""
        return _Items(self)

    def values(self) -> ValuesView[V]:
        """Return the values, in the order of their keys."""
        return _Values(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._store_values.path!r}, {len(self)} keys>"


class _Past:
    """A view of a table, whose keys are listed under the lock of the state."""

    def __init__(self, machine: StoreMachine, view: TableView) -> None:
        self._machine = machine
        self._view = view
        self.get = view.get
        self.get_all = view.get_all

    def keys(self, prefix: str) -> list[str]:
        put_in_order(self._view.table, self._machine.lock)
        with self._machine.lock:
            return self._view.keys(prefix)


class StoreSnapshot(Range[V]):
    """All of a store after the commit `sequence`; it does not change, whatever is committed later.

    It costs nothing when it is made. While it lives, the store keeps for it what later commits
    replace.
    """

    def __init__(self, machine: StoreMachine, view: TableView, *, values: StoreValues[V]) -> None:
        super().__init__("", _Past(machine, view), values=values)
        self._size = view.size
        self.sequence = machine.replica.applied
        """The last commit that it shows: `follow(snapshot.sequence + 1)` goes on from there."""

    def __len__(self) -> int:
        return self._size

    def keys(self, prefix: str = "") -> KeysView[str]:
        """Return the keys that begin so, in order."""
        return KeysView(self.range(prefix))

    def values(self, prefix: str = "") -> ValuesView[V]:
        """Return the values of the keys that begin so, in the order of their keys."""
        return _Values(self.range(prefix))

    def items(self, prefix: str = "") -> ItemsView[str, V]:
        """Return the keys that begin so, in order, with their values."""
        return _Items(self.range(prefix))

    def range(self, prefix: str) -> Range[V]:
        """Return the part of it whose keys begin so."""
        if _text(prefix) == "":
            return self
        return Range(prefix, self._source, values=self._store_values)


def _text(prefix: object) -> str:
    if not isinstance(prefix, str):
        raise TypeError(f"a prefix is text, not {type(prefix).__name__}")
    return prefix


def snapshot_of(machine: StoreMachine, values: StoreValues[V]) -> StoreSnapshot[V]:
    """Return what the store holds now.

    Raises:
        Exception: as `read` of the machine.
    """
    return machine.read(lambda table: StoreSnapshot(machine, table.view(), values=values))
