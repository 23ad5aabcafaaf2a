"""What a store holds at one moment, as a mapping that does not change."""

from __future__ import annotations

from collections.abc import ItemsView, KeysView, Mapping, ValuesView
from itertools import chain

from holdfast.formats.plain import MISSING
from holdfast.state.store_table import Table, keys_then

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any, Generic, Protocol, TypeVar

    from holdfast.state.store_machine import StoreMachine
    from holdfast.state.store_table import TableView
    from holdfast.state.store_values import StoreValues
else:
    from holdfast.light_typing import Generic, Protocol, TypeVar

__all__ = ["Listing", "Range", "Source", "StoreSnapshot", "listed"]

V = TypeVar("V")

_AT_ONCE = 500


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


class Listing(Generic[V]):
    """The keys that begin with a prefix, and what is kept of them, as they were at one moment.

    Args:
        prefix: what all keys begin with.
        source: what there was.
        values: of the store.
        size: how many keys there are; None: it is counted.
    """

    def __init__(
        self, prefix: str, source: Source, *, values: StoreValues[V], size: int | None = None
    ) -> None:
        self.prefix = _text(prefix)
        self.values = values
        self._source = source
        self._size = size
        self._keys: list[str] | None = None

    def keys(self) -> list[str]:
        """Return the keys, in order; not to be changed."""
        if self._keys is None:
            self._keys = self._source.keys(self.prefix)
        return self._keys

    def __len__(self) -> int:
        return len(self.keys()) if self._size is None else self._size

    def find(self, key: object) -> Any:
        """Return what is kept of a key, `MISSING` if it is not among them."""
        if isinstance(key, str) and key.startswith(self.prefix):
            return self._source.get(key)
        return MISSING

    def part(self, prefix: str) -> Listing[V]:
        """Return those of them whose keys begin so."""
        if _text(prefix) == self.prefix:
            return self
        return Listing(prefix, self._source, values=self.values)

    def pairs(self) -> Iterator[tuple[str, V]]:
        """Iterate over keys and values, in order.

        Raises:
            DecodeError: a value does not parse or fit the type; it names the key.
        """
        ready, give = self.values.ready, self.values.give
        for key, kept in self.kept():
            yield key, kept if type(kept) in ready else give(key, kept)

    def kept(self) -> Iterator[tuple[str, Any]]:
        """Iterate over the keys, in order, and what is kept of their values."""
        keys, get_all = self.keys(), self._source.get_all
        pieces = (keys[at : at + _AT_ONCE] for at in range(0, len(keys), _AT_ONCE))
        return chain.from_iterable(zip(piece, get_all(piece), strict=True) for piece in pieces)


class _Items(ItemsView[str, V]):
    """Keys with values; without a look at whether each key is there."""

    def __init__(self, listing: Listing[V]) -> None:
        super().__init__(Range(listing))
        self._pairs = listing.pairs

    def __iter__(self) -> Iterator[tuple[str, V]]:
        return self._pairs()


class _Values(ValuesView[V]):
    """Values in the order of their keys."""

    def __init__(self, listing: Listing[V]) -> None:
        super().__init__(Range(listing))
        self._pairs = listing.pairs

    def __iter__(self) -> Iterator[V]:
        return (value for _, value in self._pairs())


class Range(Mapping[str, V]):
    """A listing as a mapping that does not change."""

    def __init__(self, listing: Listing[V]) -> None:
        self._listing = listing

    def __getitem__(self, key: str) -> V:
        kept = self._listing.find(key)
        if kept is MISSING:
            raise KeyError(key)
        return self._listing.values.give(key, kept)

    def __contains__(self, key: object) -> bool:
        return self._listing.find(key) is not MISSING

    def __iter__(self) -> Iterator[str]:
        return iter(self._listing.keys())

    def __len__(self) -> int:
        return len(self._listing)

    def items(self) -> ItemsView[str, V]:
        """Return the keys, in order, with their values."""
        return _Items(self._listing)

    def values(self) -> ValuesView[V]:
        """Return the values, in the order of their keys."""
        return _Values(self._listing)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._listing.values.path!r}, {len(self)} keys>"


class _Past:
    """A view of a table, whose keys are listed when they are asked for."""

    def __init__(self, machine: StoreMachine, view: TableView) -> None:
        self._machine = machine
        self._view = view
        self.get = view.get
        self.get_all = view.get_all

    def keys(self, prefix: str) -> list[str]:
        return keys_then(self._view, prefix, self._machine.lock)


class StoreSnapshot(Range[V]):
    """All of a store after the commit `sequence`; it does not change, whatever is committed later.

    It costs nothing when it is made. While it lives, the store keeps for it what later commits
    replace.
    """

    def __init__(self, listing: Listing[V], sequence: int) -> None:
        super().__init__(listing)
        self.sequence = sequence
        """The last commit that it shows: `follow(snapshot.sequence + 1)` goes on from there."""

    def keys(self, prefix: str = "") -> KeysView[str]:
        """Return the keys that begin so, in order."""
        return KeysView(Range(self._listing.part(prefix)))

    def values(self, prefix: str = "") -> ValuesView[V]:
        """Return the values of the keys that begin so, in the order of their keys."""
        return _Values(self._listing.part(prefix))

    def items(self, prefix: str = "") -> ItemsView[str, V]:
        """Return the keys that begin so, in order, with their values."""
        return _Items(self._listing.part(prefix))


def _text(prefix: object) -> str:
    if not isinstance(prefix, str):
        raise TypeError(f"a prefix is text, not {type(prefix).__name__}")
    return prefix


def listed(machine: StoreMachine, values: StoreValues[V]) -> tuple[Listing[V], int]:
    """Return what the store holds now, and the last commit that it shows.

    Raises:
        Exception: as `read` of the machine.
    """
    view, sequence = machine.read_numbered(Table.view)
    return Listing("", _Past(machine, view), values=values, size=view.size), sequence
