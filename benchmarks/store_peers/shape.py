"""What every store can do, and the keys and values that they are given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Change = Callable[[bytes], bytes]
    Pairs = Sequence[tuple[str, bytes]]

__all__ = ["VALUE", "VALUES", "StorePeer", "changed", "key_of", "pair"]

VALUE = bytes(range(84))
"""84 bytes, with a key of 16: small, so that what is measured is the work and not the copying."""
VALUES = tuple(bytes([turn]) + VALUE[1:] for turn in range(97))
"""Taken in turn: SQLite writes nothing where a put leaves a value as it was."""


def key_of(number: int) -> str:
    """16 characters, in the order of the numbers; without its last digit a prefix of ten keys."""
    return f"user{number:012d}"


def pair(number: int, turn: int = 0) -> tuple[str, bytes]:
    """A key, and the value that it has at one of its turns."""
    return key_of(number), VALUES[turn % len(VALUES)]


def changed(value: bytes) -> bytes:
    """What a read-modify-write makes of a value: one of the same length that is not the same."""
    return value[1:] + value[:1]


class StorePeer(Protocol):
    """A mapping of small values on a disk. `put_many` is all or nothing, with one sync."""

    def put(self, key: str, value: bytes) -> object: ...
    def put_many(self, pairs: Pairs) -> object: ...
    def get(self, key: str) -> object: ...

    def update(self, key: str, change: Change) -> object:
        """Read, change, write: nobody else's put lands in between."""

    def scan(self, prefix: str) -> int:
        """Read all keys of a prefix with their values, in order; how many there are."""
        ...

    def settle(self) -> object:
        """Make a checkpoint, or write what is in memory to a table, where that can be asked for."""

    def close(self) -> object: ...
