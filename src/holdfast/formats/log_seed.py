"""The seed of a segment whose header is lost, worked out from its frames.

A CRC can be run backwards: from the checksum of a frame head and the bytes that it is of follows
the seed that it was begun with. What every frame of a segment agrees on is its seed.
"""

from __future__ import annotations

from struct import unpack_from
from zlib import crc32

from holdfast.formats.log_format import FIRST_OFFSET, decode_head
from holdfast.formats.log_search import is_whole, places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.formats.log_search import Read

__all__ = ["derive_seed", "seed_before"]

_ALL = 0xFFFFFFFF
_ENOUGH = 3
_BUDGET = 4
_steps: list[int] = []
_by_top: dict[int, int] = {}


def seed_before(data: bytes, checksum: int) -> int:
    """Return the seed with which `crc32(data, seed)` is this checksum."""
    if not _by_top:
        _steps.extend(crc32(bytes([byte]), _ALL) ^ _ALL for byte in range(256))
        _by_top.update((step >> 24, byte) for byte, step in enumerate(_steps))
    state = checksum ^ _ALL
    for byte in reversed(data):
        index = _by_top[state >> 24]
        state = (state ^ _steps[index]) << 8 & _ALL | index ^ byte
    return state ^ _ALL


def derive_seed(read: Read, *, size: int) -> int | None:
    """Return the seed that the frames of a segment agree on; None if there are no whole ones.

    Three frames that agree are enough. Where there are fewer, one whole frame is believed. Bodies
    may cost four times the size of the file.
    """
    votes: dict[int, int] = {}
    budget = _BUDGET * size
    for offset, block in places(read, start=FIRST_OFFSET, stop=size):
        seed = seed_before(block[:32], unpack_from("<I", block, 32)[0])
        head = decode_head(block, 0, offset=offset, seed=seed)
        if head is None or head.end > size:
            continue
        budget -= head.end - offset
        if budget < 0:
            break
        if is_whole(read, head):
            votes[seed] = votes.get(seed, 0) + 1
            if votes[seed] >= _ENOUGH:
                return seed
    return max(votes, key=lambda seed: votes[seed]) if votes else None
