"""The least: a dict, and each put as one write into blocks of zeros with one sync."""

from __future__ import annotations

import bisect
import os
import threading
from typing import TYPE_CHECKING

from benchmarks.store_peers.shape import VALUE, key_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.store_peers.shape import Change, Pairs

__all__ = ["Floor"]

_RING_BYTES = 4 << 20
_FRAME_BYTES = 160  # a header, a key of 16 bytes and a value of 84, rounded up
_ROW_BYTES = 8 + len(VALUE) + len(key_of(0))
_FRAME = b"\xa5" * _FRAME_BYTES


class Floor:
    """One process, and a turn at a time. It keeps nothing that could be read again."""

    def __init__(self, path: str) -> None:
        os.makedirs(path, exist_ok=True)
        self._fd = os.open(os.path.join(path, "zeros"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
        os.pwrite(self._fd, bytes(_RING_BYTES), 0)
        os.fsync(self._fd)
        self._offset = 0
        self._entries: dict[str, bytes] = {}
        self._keys: list[str] = []
        self._turn = threading.Lock()
        self.get: Callable[..., bytes] = self._entries.__getitem__

    def put(self, key: str, value: bytes) -> None:
        with self._turn:
            self._write(_FRAME)
            self._keep(key, value)

    def put_many(self, pairs: Pairs) -> None:
        with self._turn:
            self._write(b"\xa5" * (_ROW_BYTES * len(pairs)))
            for key, value in pairs:
                self._keep(key, value)

    def update(self, key: str, change: Change) -> None:
        with self._turn:
            value = change(self._entries[key])
            self._write(_FRAME)
            self._entries[key] = value

    def scan(self, prefix: str) -> int:
        rows = []
        with self._turn:
            at = bisect.bisect_left(self._keys, prefix)
            while at < len(self._keys) and self._keys[at].startswith(prefix):
                rows.append((self._keys[at], self._entries[self._keys[at]]))
                at += 1
        return len(rows)

    def settle(self) -> None:
        """Nothing grows."""

    def close(self) -> None:
        os.close(self._fd)

    def _write(self, data: bytes) -> None:
        if self._offset + len(data) > _RING_BYTES:
            self._offset = 0
        os.pwrite(self._fd, data, self._offset)
        os.fdatasync(self._fd)
        self._offset += len(data)

    def _keep(self, key: str, value: bytes) -> None:
        if key not in self._entries:
            bisect.insort(self._keys, key)
        self._entries[key] = value
