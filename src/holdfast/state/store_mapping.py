"""What a store and a transaction of it have in common: the mapping, by prefix, and `update`."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import MutableMapping

from holdfast.formats.plain import MISSING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, ItemsView, Iterable, Iterator, KeysView, ValuesView
    from typing import Any, TypeVar, cast, overload

    from _typeshed import SupportsKeysAndGetItem

    from holdfast.state.store_snapshot import Range

else:
    from holdfast.light_typing import TypeVar, cast, overload

__all__ = ["StoreMapping", "refuse_no_text"]

V = TypeVar("V")


class StoreMapping(MutableMapping[str, V]):
    """A mapping whose keys are text, in order, and can be listed by what they begin with."""

    @abstractmethod
    def _range(self, prefix: str) -> Range[V]:
        """Return what the keys that begin so hold now."""

    @abstractmethod
    def _update_key(self, key: str, fn: Callable[[V], V], default: Any) -> V:
        """Put what `fn` makes of the value of a key."""

    @abstractmethod
    def _put_all(self, pairs: dict[str, V]) -> None:
        """Put all of these together."""

    def keys(self, prefix: str = "") -> KeysView[str]:
        """Return the keys that begin so, in order, as they are now: the view does not change.

        Raises:
            Exception: As `get`.
        """
        from collections.abc import KeysView

        return KeysView(self._range(prefix))

    def values(self, prefix: str = "") -> ValuesView[V]:
        """Return the values of the keys that begin so, in the order of their keys; as `keys`.

        Raises:
            Exception: As `get`.
        """
        return self._range(prefix).values()

    def items(self, prefix: str = "") -> ItemsView[str, V]:
        """Return the keys that begin so, in order, with their values; as `keys`.

        Raises:
            Exception: As `get`.
        """
        return self._range(prefix).items()

    def __iter__(self) -> Iterator[str]:
        return iter(self._range(""))

    # Beside the forms of a mapping, which all work, there is one more.
    @overload
    def update(self, key: str, fn: Callable[[V], V], /, *, default: V = ...) -> V: ...
    @overload
    def update(self, other: SupportsKeysAndGetItem[str, V], /, **pairs: V) -> None: ...
    @overload
    def update(self, other: Iterable[tuple[str, V]], /, **pairs: V) -> None: ...
    @overload
    def update(self, /, **pairs: V) -> None: ...

    def update(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, other: Any = (), fn: Any = MISSING, /, **pairs: Any
    ) -> Any:
        """Put what `fn` makes of the value of a key; or put all pairs of another mapping.

        `update(key, fn)`: nobody changes the key between the read and the write, in any process,
        so that no change is lost. `fn` is called once, in this thread; keep it short, and do not
        change this store in it. If it raises, nothing is written. With `default`, a missing key
        counts as that value.

        `update(mapping)`, `update(pairs)`, `update(a=1)`: as of a dict, and all of it together: a
        crash leaves all of the pairs or none.

        On return it is as durable as after `store[key] = value`.

        Returns:
            The new value of the key; None for pairs.

        Raises:
            KeyError: The key is not there, and no `default` was given; nothing was written.
            TypeError: What is no key or no value; or `fn` changed the old value in place and
                returned None; nothing was written.
            ValueError: As when a value is put; nothing was written.
            Exception: What `fn` raised; nothing was written.
        """
        if fn is not MISSING:
            default = pairs.pop("default", MISSING)
            if not callable(fn) or pairs:
                raise TypeError("update takes a key, a function and default=, or pairs")
            return self._update_key(other, cast("Callable[[V], V]", fn), default)
        together: dict[str, V] = _pairs_of(other)
        together.update(pairs)
        if together:
            self._put_all(together)
        return None


def _pairs_of(other: Any) -> dict[str, Any]:
    """Return what a dict would be updated with."""
    found: dict[str, Any] = {}
    mapping: Any = other
    found.update(mapping.items() if isinstance(other, StoreMapping) else mapping)
    return found


def refuse_no_text(key: object) -> None:
    """Raise if this cannot be a key.

    Raises:
        TypeError: it is no text.
    """
    if not isinstance(key, str):
        raise TypeError(f"the keys of a store are text, not {type(key).__name__}")
