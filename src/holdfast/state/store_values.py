"""Values of one store: its codec, with errors that name the store and the key."""

from __future__ import annotations

from holdfast.errors import DecodeError
from holdfast.formats.plain import MISSING
from holdfast.formats.store_format import MAX_ENTRY_BYTES, encode_changes
from holdfast.formats.value_codec import keeper_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Generic, TypeVar, cast

    from holdfast.formats.value_codec import ValueCodec
else:
    from holdfast.light_typing import Generic, TypeVar, cast

__all__ = ["StoreValues"]

V = TypeVar("V")


class StoreValues(Generic[V]):
    """Encodes and decodes the values of a store.

    Args:
        path: of the store.
        codec: a name, or one of the user's own.
        type: of the values.
    """

    def __init__(self, path: str, codec: str | ValueCodec[Any], type: Any) -> None:
        self.path = path
        self.keeper = keeper_for(codec, type)
        self.ready = self.keeper.ready
        """Types of which what is kept is the value."""

    def give(self, key: str, kept: Any) -> V:
        """Return the value of what is kept of a key, its own for the caller.

        Raises:
            DecodeError: it does not parse or does not fit the type; the store is untouched.
        """
        if type(kept) in self.ready:
            value: V = kept
            return value
        try:
            given: V = self.keeper.give(kept)
        except DecodeError as error:
            raise self._located(key, error) from error
        return given

    def encode(self, key: str, value: V) -> bytes:
        """Return the bytes of a value that is to be put.

        Raises:
            TypeError: it is none that the store can hold; nothing was written.
            ValueError: it would be read back as another one; nothing was written.
            Exception: what the codec of a user raises; nothing was written.
        """
        try:
            return self.keeper.encode(value)
        except Exception as error:
            self._tell_place(key, error)
            raise

    def _tell_place(self, key: str, error: Exception) -> None:
        """Make an error say where it arose; a codec of the user's own keeps its words."""
        place = f"{self.path}: the value of {key[:64]!r}"
        if type(error) not in {TypeError, ValueError} or self.keeper.is_foreign:
            error.add_note(f"{place} could not be encoded. Nothing was written.")
            return
        reason = str(error).removeprefix(".: ").rstrip(".")
        if not reason.endswith("Nothing was written"):
            error.args = (f"{place}: {reason}. Nothing was written.",)

    def keep(self, key: str, value: V) -> Any:
        """Return what would be kept of a value.

        Raises:
            Exception: as `encode`.
        """
        return self.keeper.keep([self.encode(key, value)])[0]

    def entry(self, changes: Sequence[tuple[str, bytes | None]]) -> bytes:
        """Return the entry that makes changes of each key once; None: the key is deleted.

        Raises:
            TypeError: a key is no text; nothing was written.
            ValueError: a key or a value is too large, or all of them are together; nothing was
                written.
        """
        try:
            entry = encode_changes(changes)
        except (TypeError, ValueError) as error:
            error.args = (f"{self.path}: {error}. Nothing was written.",)
            raise
        if len(entry) > MAX_ENTRY_BYTES:
            raise ValueError(
                f"{self.path}: {len(changes)} changes have {len(entry)} bytes together, and one "
                f"commit takes at most {MAX_ENTRY_BYTES}. Nothing was written. Make them in "
                "several commits, or with `import_lines`, which does."
            )
        return entry

    def applied(self, key: str, kept: Any, *, fn: Callable[[V], V], default: Any) -> Any:
        """Return what is to be kept of a key when a function was applied to its value.

        Args:
            kept: what is kept of it now, `MISSING` if it is not there.
            fn: gets the value, and returns the new one.
            default: the value of a key that is not there; `MISSING`: there is none.

        Raises:
            KeyError: the key is not there, and there is no default.
            TypeError: the function changed the value in place and returned None.
            Exception: what it raises, and as `encode`.
        """
        if kept is MISSING:
            if default is MISSING:
                raise KeyError(key)
            kept = self.keep(key, default)  # so that `fn` gets one of its own, as it would be read
        old = self.give(key, kept)
        new = fn(old)
        if cast("object", new) is None:
            self._refuse_lost_change(key, kept, old)
        return self.keep(key, new)

    def _refuse_lost_change(self, key: str, kept: Any, old: V) -> None:
        if type(kept) in self.ready:
            return
        try:
            is_same = self.keeper.encode(old) == self.keeper.release(kept)
        except (TypeError, ValueError):
            is_same = False
        if not is_same:
            raise TypeError(
                f"{self.path}: the function changed the value of {key[:64]!r} and returned None. "
                "Nothing was written. Return the new value."
            )

    def _located(self, key: str, error: DecodeError) -> DecodeError:
        place = f"{self.path}: the value of {key[:64]!r}"
        if error.key:
            what, remedy = "does not fit the type", "Mend the value, or the type."
        else:
            what, remedy = f"is not readable as {self.keeper.name}", "Put another one."
        reason = error.message.removeprefix(".: ").rstrip(".")
        return DecodeError(
            f"{place} {what}: {reason}. The store is untouched. {remedy}",
            path=self.path,
            line=error.line,
            column=error.column,
            key=(key, *(error.key or ())),
        )
