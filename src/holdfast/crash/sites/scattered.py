"""Reads many places of another process's memory in one call (process_vm_readv(2))."""

from __future__ import annotations

import ctypes
from ctypes import Structure, c_int, c_size_t, c_ulong, c_void_p
from itertools import accumulate, chain
from struct import pack
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["PLACES_MAX", "Place", "Scattered"]

Place: TypeAlias = tuple[int, int]
"""An address, and how many bytes."""

PLACES_MAX: Final = 512  # the kernel takes 1024


class _Vector(Structure):
    _fields_ = (("base", c_void_p), ("length", c_size_t))


_C: Any = ctypes.CDLL(None)
_read: Any = getattr(_C, "process_vm_readv", None)
if _read is not None:
    _read.restype = ctypes.c_ssize_t


class Scattered:
    """Some places, to be read again and again."""

    def __init__(self, pid: int, places: Sequence[Place]) -> None:
        ends = list(accumulate(size for _, size in places))
        self._size = ends[-1] if ends else 0
        self._spans = list(zip(places, [0, *ends], ends, strict=False))
        self._buffer = ctypes.create_string_buffer(self._size)
        self._bytes = memoryview(self._buffer)
        self._local = _Vector(ctypes.addressof(self._buffer), self._size)
        self._remote = ctypes.create_string_buffer(
            pack(f"={2 * len(places)}Q", *chain.from_iterable(places))
        )
        count, one = c_ulong(len(places)), c_ulong(1)
        local = ctypes.byref(self._local)
        self._given = (c_int(pid), local, one, ctypes.byref(self._remote), count, c_ulong(0))

    def read(self) -> bytes | None:
        """Return all of the bytes, one place after the other; None if any cannot be read."""
        if _read is None:
            return None
        return self._bytes.tobytes() if _read(*self._given) == self._size else None

    def parts(self, raw: bytes) -> dict[Place, bytes]:
        """What `read` returned, by place."""
        return {place: raw[start:end] for place, start, end in self._spans}
