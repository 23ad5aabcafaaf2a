"""A device whose base is never touched: what was written since lies beside it, page by page."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from holdfast.crash.disks.memory import Readable

__all__ = ["Overlay", "pack_blocks", "unpack_runs"]

PAGE_BYTES: Final = 4096
_RUN = struct.Struct("<QQQ")


class Overlay:
    """A base of whole pages and what was written over it; copies of the base cost nothing."""

    def __init__(self, base: Readable, size_bytes: int) -> None:
        self.size_bytes = size_bytes
        self._base = base
        self._pages: dict[int, bytes] = {}

    def clear(self) -> None:
        """Let the base show again everywhere."""
        self._pages.clear()

    def read(self, offset: int, size: int) -> bytes:
        """Return the bytes there; fewer where the device ends."""
        stop = min(offset + size, self.size_bytes)
        if stop <= offset:
            return b""
        first, last = offset // PAGE_BYTES, -(-stop // PAGE_BYTES)
        whole = b"".join(self._runs(first, last))
        start = offset - first * PAGE_BYTES
        return whole[start : start + stop - offset]

    def _runs(self, first: int, last: int) -> Iterator[bytes]:
        """Pages that were written one by one, those between as one slice of the base."""
        begin = first
        for page in range(first, last):
            data = self._pages.get(page)
            if data is not None:
                if begin < page:
                    yield self._base[begin * PAGE_BYTES : page * PAGE_BYTES]
                yield data
                begin = page + 1
        if begin < last:
            yield self._base[begin * PAGE_BYTES : last * PAGE_BYTES]

    def write(self, offset: int, data: bytes) -> None:
        """Put the bytes over what is there."""
        place = 0
        while place < len(data):
            page, start = divmod(offset + place, PAGE_BYTES)
            piece = data[place : place + PAGE_BYTES - start]
            if len(piece) < PAGE_BYTES:
                old = self.read(page * PAGE_BYTES, PAGE_BYTES)
                piece = old[:start] + piece + old[start + len(piece) :]
            self._pages[page] = piece
            place += PAGE_BYTES - start


def pack_blocks(blocks: Mapping[int, int], block_bytes: int) -> bytes:
    """An image as a message: runs of (offset on the device, place in the log, length)."""
    runs: list[list[int]] = []
    for number, place in sorted(blocks.items()):
        offset = number * block_bytes
        last = runs[-1] if runs else [0, 0, 0]
        if runs and last[0] + last[2] == offset and last[1] + last[2] == place:
            last[2] += block_bytes
        else:
            runs.append([offset, place, block_bytes])
    return b"".join(_RUN.pack(*run) for run in runs)


def unpack_runs(message: bytes) -> Iterable[tuple[int, int, int]]:
    """The runs of such a message."""
    return _RUN.iter_unpack(message)
