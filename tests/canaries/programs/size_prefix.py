"""Records have a length and no checksum: old disk contents below a saved size pass for one.

Found: linux, torn-write
Twin: posix
"""

from __future__ import annotations

import struct
from pathlib import Path

from tests.canaries.pieces import append, frame, frames

BEFORE = {"log": b""}
PAYLOAD = b"p" * 5000
OPTIONS = {"garbage": True}


def bad() -> None:
    with open("log", "ab", buffering=0) as file:
        file.write(struct.pack("<I", len(PAYLOAD)) + PAYLOAD)  # <- here


def good() -> None:
    append("log", frame(PAYLOAD))


def check_bad(folder: str, acked: list[str]) -> None:
    data = Path(folder, "log").read_bytes()
    if len(data) >= 4 and len(data) == 4 + struct.unpack_from("<I", data)[0]:
        assert data[4:] == PAYLOAD, "a whole record of what nobody wrote"


def check_good(folder: str, acked: list[str]) -> None:
    assert set(frames(Path(folder, "log").read_bytes())) <= {PAYLOAD}
