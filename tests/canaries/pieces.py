"""What the mended twins share: the right order of calls, and records with a checksum."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator

_HEAD = struct.Struct("<II")


def sync(path: str) -> None:
    """Sync a file or a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def create(path: str, data: bytes) -> None:
    """Write a file whose name nobody reads yet, durably but for its name."""
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def replace(path: str, data: bytes) -> None:
    """Write, sync, rename, sync the folder."""
    create(f"{path}.tmp", data)
    os.rename(f"{path}.tmp", path)
    sync(os.path.dirname(path) or ".")


def append(path: str, data: bytes) -> None:
    """Append durably; the file must have been there, or its folder be synced afterwards."""
    with open(path, "ab", buffering=0) as file:
        file.write(data)
        os.fsync(file.fileno())


def frame(payload: bytes) -> bytes:
    """Return a record that has its length and a checksum, which is never that of zeros."""
    return _HEAD.pack(len(payload), zlib.crc32(payload) ^ 0x5A5A5A5A) + payload


def frames(data: bytes) -> Iterator[bytes]:
    """Yield the records up to the first that is torn."""
    at = 0
    while at + _HEAD.size <= len(data):
        size, checksum = _HEAD.unpack_from(data, at)
        payload = data[at + _HEAD.size : at + _HEAD.size + size]
        if len(payload) < size or zlib.crc32(payload) ^ 0x5A5A5A5A != checksum:
            return
        yield payload
        at += _HEAD.size + size
