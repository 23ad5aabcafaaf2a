"""Tells apart what is left of the contents of a file without making them: page by page.

A page depends on the few items that touch it, so what many subsets have in common is made once.
Used by `variants`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.vfs.contents import digest
from holdfast.vfs.micro import PAGE_BYTES, Block, Shrink, Size, ZeroTail

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from holdfast.vfs.micro import Item, Micro

__all__ = ["PageLooks"]


class PageLooks:
    """The looks of one file whose pending items have no cut among them."""

    def __init__(self, data: bytes, items: Sequence[Item]) -> None:
        self._size = len(data)
        self._pages: dict[int, bytes] = {}
        self._micros = [item.micro for item in items]
        self._sizes: list[tuple[int, int]] = []
        self._masks: dict[int, int] = {}
        for number, micro in enumerate(self._micros):
            if isinstance(micro, Size):
                self._sizes.insert(0, (1 << number, micro.size))
            elif isinstance(micro, Block | ZeroTail):
                page = _span(micro)[0] // PAGE_BYTES
                self._pages[page] = data[page * PAGE_BYTES : (page + 1) * PAGE_BYTES]
                self._masks[page] = self._masks.get(page, 0) | 1 << number
        self._made: dict[tuple[int, int, int], int] = {}
        self._numbers: dict[int, int] = {}

    @staticmethod
    def fit(items: Iterable[Item]) -> bool:
        """Whether there is no cut among the items: one reaches over all pages behind it."""
        return not any(isinstance(item.micro, Shrink) for item in items)

    def look(self, dropped: Iterable[int]) -> tuple[int, ...]:
        """Return a value that is equal for losses that leave the same contents."""
        lost = sum(1 << number for number in dropped)
        size = next((size for bit, size in self._sizes if not lost & bit), self._size)
        found = [size]
        for page, mask in self._masks.items():
            seen_bytes = min(max(size - page * PAGE_BYTES, 0), PAGE_BYTES)
            key = (page, lost & mask, seen_bytes)
            if key not in self._made:
                contents = self._page(page, lost, mask)[:seen_bytes]
                self._made[key] = self._numbers.setdefault(digest(contents), len(self._numbers))
            found.append(self._made[key])
        return tuple(found)

    def _page(self, page: int, lost: int, mask: int) -> bytes:
        start = page * PAGE_BYTES
        buffer = bytearray(self._pages[page].ljust(PAGE_BYTES, b"\0"))
        for number, micro in enumerate(self._micros):
            if mask & ~lost & 1 << number:
                offset, stop = _span(micro)
                piece = micro.data if isinstance(micro, Block) else bytes(stop - offset)
                buffer[offset - start : stop - start] = piece
        return bytes(buffer)


def _span(micro: Micro) -> tuple[int, int]:
    if isinstance(micro, Block):
        return micro.offset, micro.offset + len(micro.data)
    if isinstance(micro, ZeroTail):
        return micro.start, micro.stop
    return 0, 0
