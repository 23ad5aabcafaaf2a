"""The shared tail of a log: 64-bit words of the `lock` file that say where the log ends.

A hint, never the truth: it spares a writer the scan, and tells readers how far they may go. It is
believed only on the boot that wrote it, about the very file that it names, and while no writer has
died between `BUSY` and its publication; everything else leads to a scan of the segment.

I1  All words but `DURABLE`, `DURABLE_END` and `POISON` change only under the log's append lock;
    those three only under the sync lock of the segment, or under both. But who reads, and could
    not sync what it was to show, sets `POISON` without a lock.
I2  `END` and `LAST` are published after the bytes that they count were written; `DURABLE` and
    `DURABLE_END` after a sync that began later than they were read.
I3  Whoever may leave bytes past `END` says so first, in `BUSY`.
I4  `WANTED` is stored before the record that it names is published, so it may be ahead of `LAST`.
I5  `EPOCH` counts the recoveries from a failed sync: who wrote in another epoch believes nothing.

The layout is on the page docs/reference/log-format.md.
"""

from __future__ import annotations

from zlib import crc32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple

    from holdfast.vfs.api import Words
else:
    from holdfast.light_typing import NamedTuple

__all__ = [
    "BUSY",
    "CHECK",
    "DEVICE",
    "DURABLE",
    "DURABLE_END",
    "END",
    "EPOCH",
    "FILLED",
    "FRAMES",
    "FRAMES_DURABLE",
    "HALF_PUBLISHED",
    "INODE",
    "LAST",
    "LAST_AT",
    "LOCK",
    "MAP_BYTES",
    "POISON",
    "SALT",
    "WANTED",
    "WORDS",
    "WRITERS",
    "Place",
    "Tail",
    "are_ours",
    "base_of",
    "begin_epoch",
    "boot_number",
    "check_of",
    "place_of",
    "publish_place",
    "tail_of",
]

LOCK = "lock"
"""The name of the file that carries the append lock and the shared tail."""
WORDS = 20
MAP_BYTES = 4096
MAGIC = int.from_bytes(b"HFTAIL\x01\x00", "little")
(
    _MAGIC,
    BOOT,
    DEVICE,
    INODE,
    FIRST,
    SALT,
    END,
    LAST,
    FILLED,
    LAST_AT,
    CHECK,
    BUSY,
    DURABLE,
    DURABLE_END,
    POISON,
    EPOCH,
    FRAMES,
    FRAMES_DURABLE,
    WRITERS,
    WANTED,
) = range(20)
HALF_PUBLISHED = 1
"""In `BUSY`: nothing that the words say fits together, and the segment itself is whole."""
_MASK = (1 << 64) - 1


class Place(NamedTuple):
    """The segment that is written to: the file itself, and what its header says."""

    device: int
    inode: int
    first: int
    salt: int


class Tail(NamedTuple):
    """Where a segment ends: `end` of the last frame (bytes), `last` sequence, `filled` with zeros.

    `last_at`: where the last frame begins; 0 where there is none.
    """

    end: int
    last: int
    filled: int
    last_at: int


def boot_number(boot: str) -> int:
    """Return a number for this run of the machine; 0 if nobody knows, which matches nothing."""
    raw = boot.encode()
    return crc32(raw) << 32 | crc32(b"log" + raw) if boot else 0


def base_of(place: Place) -> int:
    """Return what `check_of` of this place begins with."""
    device, inode, first, salt = place
    return (device * 3 ^ inode * 5 ^ first * 7 ^ salt) & _MASK


def check_of(base: int, end: int, last: int, *, filled: int) -> int:
    """Return the check word: not zero for any place that is written to."""
    return (base ^ end * 0x9E3779B97F4A7C15 ^ last * 0xC2B2AE3D27D4EB4F ^ filled << 20) & _MASK | 1


def are_ours(words: Words, boot: int) -> bool:
    """Whether these are words of a shared tail, written on this boot."""
    return words[_MAGIC] == MAGIC and words[BOOT] == boot


def place_of(words: Words, boot: int) -> Place | None:
    """Return which segment the words speak of; None if they are of another boot, or none of ours.

    Readers use this alone: a place that fits makes `DURABLE` and `LAST` believable.
    """
    if not boot or not are_ours(words, boot):
        return None
    return Place(words[DEVICE], words[INODE], words[FIRST], words[SALT])


def tail_of(words: Words, place: Place) -> Tail | None:
    """Return the tail, for who holds the append lock; None if it cannot be believed (I3)."""
    end, last, filled = words[END], words[LAST], words[FILLED]
    if words[BUSY] or words[CHECK] != check_of(base_of(place), end, last, filled=filled):
        return None
    return Tail(end, last, filled, words[LAST_AT])


def publish_place(words: Words, boot: int, place: Place, *, tail: Tail) -> None:
    """Publish another segment and its tail, for who holds the append lock; `BUSY` meanwhile."""
    words[BUSY] = HALF_PUBLISHED
    words[_MAGIC] = MAGIC
    words[BOOT] = boot
    words[DEVICE], words[INODE], words[FIRST], words[SALT] = place
    words[END], words[LAST], words[FILLED], words[LAST_AT] = tail
    words[WANTED] = tail.last  # it is durable
    words[CHECK] = check_of(base_of(place), tail.end, tail.last, filled=tail.filled)
    words[BUSY] = 0


def begin_epoch(words: Words) -> None:
    """Begin the next epoch (I5); the count goes round."""
    words[EPOCH] = words[EPOCH] + 1 & _MASK
