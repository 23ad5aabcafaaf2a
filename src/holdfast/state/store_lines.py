"""A store as lines of JSON, one a key: to look at, to keep, and to put into another store.

A line is `{"key": ..., "value": ...}`; where the values are no JSON, and no text, it is
`{"key": ..., "base64": ...}` with the bytes that the codec made.
"""

from __future__ import annotations

from holdfast.errors import DecodeError
from holdfast.formats.json_scan import quoted
from holdfast.formats.store_format import MAX_VALUE_BYTES, encode_changes, key_bytes, too_large
from holdfast.formats.value_codec import keeper_for
from holdfast.state.store_deletion import Deletion

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any, cast

    from holdfast.formats.value_codec import ValueKeeper
    from holdfast.state.store_machine import StoreMachine
    from holdfast.state.store_snapshot import Listing
    from holdfast.state.store_values import StoreValues
else:
    from holdfast.light_typing import cast

__all__ = ["LineImport", "exported"]

_BATCH_BYTES = 4 << 20
_ROW_BYTES = 8
_JSON = keeper_for("json")
_IN_JSON = ("json", "text")


def exported(listing: Listing[Any], keeper: ValueKeeper[Any]) -> Iterator[bytes]:
    """Yield a line for each key, in order, each with its line's end."""
    for key, kept in listing.kept():
        data = keeper.release(kept)
        if keeper.name == "json":
            value = b'"value":' + data
        elif keeper.name == "text" and not isinstance(kept, bytes):
            value = b'"value":' + _JSON.encode(kept)
        else:
            value = b'"base64":"' + _base64(data) + b'"'
        yield b"".join((b'{"key":', quoted(key).encode(), b",", value, b"}\n"))


def _base64(data: bytes) -> bytes:
    from binascii import b2a_base64

    return b2a_base64(data, newline=False)


class LineImport:
    """Puts lines into a store, many in one commit.

    Args:
        values: of the store.
        commit: commits an entry.
        remember: keep the keys, for `delete_others`.
    """

    def __init__(
        self, values: StoreValues[Any], commit: Callable[[bytes], object], *, remember: bool
    ) -> None:
        self._values = values
        self._commit = commit
        self._pending: dict[str, bytes] = {}
        self._size_bytes = 0
        self._keys: set[str] | None = set() if remember else None
        self.count = 0
        """How many lines were taken; empty ones do not count."""

    def run(self, lines: Iterable[object], *, batch: int) -> None:
        """Put all of the lines, `batch` of them in one commit; fewer where they are large.

        Raises:
            DecodeError: a line is none of a store; those before it are in the store.
            TypeError: one is neither bytes nor text; whole batches before it are in the store.
            Exception: as a commit.
        """
        if isinstance(lines, (str, bytes, bytearray, memoryview)):
            raise TypeError("lines are given as a list, or as a file. Nothing was written.")
        try:
            for number, line in enumerate(lines, 1):
                if not isinstance(line, (bytes, str)):
                    raise self._no_line(line, number)
                if line.strip():
                    self._add(line, number)
                if len(self._pending) >= batch:
                    self._write()
        except DecodeError:
            self._write()
            raise
        self._write()

    def delete_others(self, machine: StoreMachine) -> None:
        """Delete the keys that were in no line; in one commit, if they fit into one.

        Raises:
            Exception: as a commit; none of them is deleted, or not all.
        """
        keys = self._keys or set()
        if machine.read(lambda table: table.entries.keys() - keys):
            deletion = Deletion(keys)
            while not deletion.is_done:
                machine.commit(deletion.decide)

    def _add(self, line: bytes | str, number: int) -> None:
        try:
            key, data = self._parsed(line)
            size_bytes = _ROW_BYTES + len(key_bytes(key)) + len(data)
            if len(data) > MAX_VALUE_BYTES:
                raise too_large(key, data)
        except (DecodeError, ValueError, TypeError) as error:
            reason = getattr(error, "message", str(error)).rstrip(".")
            raise DecodeError(
                f"line {number}: {reason}. The lines before it are in {self._values.path}, the "
                "others are not. Mend the line, and import it and what follows.",
                path=self._values.path,
                line=number,
            ) from error
        if self._size_bytes + size_bytes > _BATCH_BYTES:
            self._write()
        self._pending[key] = data
        self._size_bytes += size_bytes
        if self._keys is not None:
            self._keys.add(key)
        self.count += 1

    def _no_line(self, line: object, number: int) -> TypeError:
        return TypeError(
            f"line {number} is of the type {type(line).__name__}, and lines are bytes or text. "
            f"Whole batches of those before it are in {self._values.path}, the others are not."
        )

    def _parsed(self, line: bytes | str) -> tuple[str, bytes]:
        try:
            found: Any = _JSON.decode(line.encode() if isinstance(line, str) else line)
        except DecodeError as error:
            raise DecodeError(f"not JSON: {error.message}") from error
        row = cast("dict[str, Any]", found) if type(found) is dict else {}
        key = row.get("key")
        if type(key) is not str:
            raise DecodeError('no object with a "key"')
        if "value" in row and self._values.keeper.name in _IN_JSON:
            return key, self._encoded(key, row["value"])
        if isinstance(row.get("base64"), str):
            return key, self._checked(key, _from_base64(row["base64"]))
        what = '"value"' if self._values.keeper.name in _IN_JSON else '"base64"'
        raise DecodeError(f"no {what} beside the key, which values of this store are written as")

    def _encoded(self, key: str, value: Any) -> bytes:
        keeper = self._values.keeper
        if keeper.name == "text":
            return keeper.encode(value)
        return self._checked(key, _JSON.encode(value))

    def _checked(self, key: str, data: bytes) -> bytes:
        """Return the bytes if the store can read them."""
        keeper = self._values.keeper
        try:
            keeper.give(keeper.keep([data])[0])
        except DecodeError as error:
            what = "does not fit the type" if error.key else f"is not readable as {keeper.name}"
            reason = error.message.removeprefix(".: ").rstrip(".")
            raise DecodeError(
                f"the value of {key[:64]!r} {what}: {reason}. A store holds values of one codec "
                "and type: import them into one like the one that they come from"
            ) from error
        return data

    def _write(self) -> None:
        if self._pending:
            pending, self._pending, self._size_bytes = self._pending, {}, 0
            self._commit(encode_changes([*pending.items()]))


def _from_base64(text: str) -> bytes:
    from binascii import a2b_base64

    return a2b_base64(text, strict_mode=True)
