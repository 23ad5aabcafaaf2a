"""Reads many places of another process's memory in one call (process_vm_readv(2)).

What lies close together is read as one span: each span takes as long as some hundred bytes. What
lies between the places is left out of what is returned, so it may change.
"""

from __future__ import annotations

import ctypes
from ctypes import Structure, c_int, c_size_t, c_ulong, c_void_p
from itertools import accumulate, chain
from struct import Struct, pack
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["PLACES_MAX", "Pieces", "Place", "Scattered"]

Place: TypeAlias = tuple[int, int]
"""An address, and how many bytes."""

Pieces: TypeAlias = tuple[bytes, ...]
"""What was read: the bytes of all the places, each byte once, by address."""

PLACES_MAX: Final = 512  # the kernel takes 1024
_GAP_BYTES: Final = 512  # under a page, so that there is no page between two places


class _Vector(Structure):
    _fields_ = (("base", c_void_p), ("length", c_size_t))


_C: Any = ctypes.CDLL(None)
_read: Any = getattr(_C, "process_vm_readv", None)
if _read is not None:
    _read.restype = ctypes.c_ssize_t


class Scattered:
    """Some places, to be read again and again."""

    def __init__(self, pid: int, places: Sequence[Place]) -> None:
        pieces = _joined(places, gap=0)
        spans = _joined(pieces, gap=_GAP_BYTES)
        self._places = places
        self._starts = [start for start, _ in pieces]
        self._size = sum(size for _, size in spans)
        self._unpack = Struct("=" + "".join(_pattern(pieces, spans))).unpack
        self._buffer = ctypes.create_string_buffer(self._size)
        self._bytes = memoryview(self._buffer).cast("B")
        self._local = _Vector(ctypes.addressof(self._buffer), self._size)
        self._remote = ctypes.create_string_buffer(
            pack(f"={2 * len(spans)}Q", *chain.from_iterable(spans)), 16 * len(spans)
        )
        count, one = c_ulong(len(spans)), c_ulong(1)
        local = ctypes.byref(self._local)
        self._given = (c_int(pid), local, one, ctypes.byref(self._remote), count, c_ulong(0))

    def read(self) -> Pieces | None:
        """Return all of the bytes; None if any of them cannot be read."""
        if _read is None or _read(*self._given) != self._size:
            return None
        return self._unpack(self._bytes)

    def parts(self, pieces: Pieces) -> dict[Place, bytes]:
        """What `read` returned, by place."""
        ends = [start + len(piece) for start, piece in zip(self._starts, pieces, strict=True)]
        found: dict[Place, bytes] = {}
        for address, size in self._places:
            at = next(number for number, end in enumerate(ends) if end >= address + size)
            shift = address - self._starts[at]
            found[address, size] = pieces[at][shift : shift + size]
        return found


def _joined(places: Iterable[Place], *, gap: int) -> list[Place]:
    """The same places by address, those that overlap or lie close together as one."""
    found: list[Place] = []
    for address, size in sorted(places):
        start, before = found[-1] if found else (address, 0)
        if found and address <= start + before + gap:
            found[-1] = (start, max(before, address + size - start))
        else:
            found.append((address, size))
    return found


def _pattern(pieces: Sequence[Place], spans: Sequence[Place]) -> Iterable[str]:
    """How the bytes of the spans, one after the other, are taken apart into pieces."""
    bases = accumulate((size for _, size in spans), initial=0)
    starts = {start: base for (start, _), base in zip(spans, bases, strict=False)}
    base = start = 0
    ends = [0]
    for address, size in pieces:
        if address in starts:
            base, start = starts[address], address
        ends.append(base + address - start + size)
        yield f"{ends[-1] - size - ends[-2]}x{size}s"
