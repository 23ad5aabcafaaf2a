"""Length 0 and checksum 0 of nothing: zeros read as a record that nobody wrote.

Found: linux, torn-write
Twin: posix
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from tests.canaries.pieces import append, frame, frames

BEFORE = {"log": b""}


def bad() -> None:
    append("log", struct.pack("<II", 5, zlib.crc32(b"debit")) + b"debit")  # <- here


def good() -> None:
    append("log", frame(b"debit"))


def check_bad(folder: str, acked: list[str]) -> None:
    data, at = Path(folder, "log").read_bytes(), 0
    while at + 8 <= len(data):
        size, checksum = struct.unpack_from("<II", data, at)
        payload = data[at + 8 : at + 8 + size]
        if zlib.crc32(payload) != checksum:
            return
        assert payload == b"debit", "a record that nobody wrote"
        at += 8 + size


def check_good(folder: str, acked: list[str]) -> None:
    assert set(frames(Path(folder, "log").read_bytes())) <= {b"debit"}
