"""The contents of a file as it is now, with a digest that costs what was changed.

The key of contents is their size and the sum of the digests of their pages, so that equal contents
have equal keys, however they came about, and one page can be exchanged in a sum.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, TypeAlias

from holdfast.vfs.micro import PAGE_BYTES, Block, Shrink, ZeroTail

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.vfs.micro import Item

__all__ = ["Contents", "Key", "Known", "digest"]

Key: TypeAlias = tuple[int, int]

Known: TypeAlias = dict[int, tuple[bytes, list[int]]]
"""The digests of pages by the identity of the bytes."""

_MASK = (1 << 128) - 1


def digest(data: bytes | bytearray | memoryview, number: int = 0) -> int:
    """Return 128 bits that stand for the data, the `number`th of their kind."""
    made = blake2b(data, digest_size=16, salt=number.to_bytes(8, "little"))
    return int.from_bytes(made.digest(), "little")


def _pages(size: int) -> int:
    return -(-size // PAGE_BYTES)


class Contents:
    """Bytes that change, the same at rest, and their key."""

    __slots__ = ("_data", "_dirty", "_frozen", "_known", "_sums", "_total")

    def __init__(self, data: bytes, known: Known | None = None) -> None:
        """Start with `data`, whose digests may be known from another replay."""
        self._frozen: bytes | None = data
        self._data: bytearray | None = None
        self._known = known
        self._sums: list[int] | None = None
        self._total = 0
        self._dirty: set[int] = set()

    def __len__(self) -> int:
        return len(self._data if self._frozen is None else self._frozen)  # type: ignore[arg-type]

    def _open(self) -> bytearray:
        if self._data is None:
            self._data = bytearray(self._frozen or b"")
        self._frozen = None
        return self._data

    def write(self, offset: int, piece: bytes) -> None:
        """Put some bytes."""
        if not piece:
            return
        data, size = self._open(), len(self)
        if size < offset:
            data.extend(bytes(offset - size))
        data[offset : offset + len(piece)] = piece
        self._touch(min(offset, size), offset + len(piece))

    def resize(self, size: int) -> None:
        """Cut or extend."""
        data, old = self._open(), len(self)
        if size < old:
            del data[size:]
            if self._sums is not None:
                for page in range(_pages(size), len(self._sums)):
                    self._total -= self._sums[page]
                del self._sums[_pages(size) :]
            self._dirty = {page for page in self._dirty if page < _pages(size)}
            self._touch(size - 1, size)
        else:
            data.extend(bytes(size - old))
            self._touch(max(old - 1, 0), size)

    def _touch(self, start: int, stop: int) -> None:
        if self._sums is not None and stop > 0:
            self._dirty.update(range(max(start, 0) // PAGE_BYTES, _pages(stop)))

    def freeze(self) -> bytes:
        """Return them at rest."""
        if self._frozen is None:
            self._frozen = bytes(self._data or b"")
        return self._frozen

    def sums(self) -> list[int]:
        """Return the digests of the pages."""
        data = memoryview(self.freeze())
        if self._sums is None:
            self._sums = self._first_sums(data)
            self._total = sum(self._sums) & _MASK
        for page in sorted(self._dirty):
            (fresh,) = _sums_of(data, (page,))
            if page < len(self._sums):
                self._total -= self._sums[page]
                self._sums[page] = fresh
            else:
                self._sums.append(fresh)
            self._total += fresh
        self._dirty.clear()
        return self._sums

    def _first_sums(self, data: memoryview) -> list[int]:
        if self._data is not None or self._known is None or self._frozen is None:
            return _sums_of(data, range(_pages(len(data))))
        if id(self._frozen) not in self._known:
            sums = _sums_of(data, range(_pages(len(data))))
            self._known[id(self._frozen)] = (self._frozen, sums)
        return list(self._known[id(self._frozen)][1])

    def key(self) -> Key:
        """Return what equal contents have in common."""
        self.sums()
        return len(self), self._total & _MASK

    def key_without(self, dropped: Iterable[Item], value: bytes) -> Key:
        """Return the key of `value`: these contents without some items."""
        sums, data = self.sums(), memoryview(value)
        total, count = self._total, _pages(len(value))
        for page in _pages_without(dropped, len(self), len(value)):
            if page < len(sums):
                total -= sums[page]
            if page < count:
                total += _sums_of(data, (page,))[0]
        return len(value), total & _MASK


def _pages_without(dropped: Iterable[Item], now: int, then: int) -> set[int]:
    """The pages that may differ if some items are gone."""
    pages: set[int] = set()
    tail = max(now, then) if now == then else min(now, then)
    for item in dropped:
        micro = item.micro
        if isinstance(micro, Block):
            start, stop = micro.offset, micro.offset + len(micro.data)
            pages.update(range(start // PAGE_BYTES, _pages(stop)))
        elif isinstance(micro, ZeroTail):
            pages.update(range(micro.start // PAGE_BYTES, _pages(micro.stop)))
        elif isinstance(micro, Shrink):
            tail = min(tail, micro.size)
    pages.update(range(tail // PAGE_BYTES, _pages(max(now, then))))
    return pages


def _sums_of(data: memoryview, pages: Iterable[int]) -> list[int]:
    return [digest(data[page * PAGE_BYTES : (page + 1) * PAGE_BYTES], page) for page in pages]
