"""How far a log is durable, for who appends: what the shared tail says, and what moves the mark."""

from __future__ import annotations

import errno

from holdfast.formats.log_format import FIRST_OFFSET
from holdfast.primitives.log_hint import (
    CHECK,
    DEVICE,
    DURABLE,
    DURABLE_END,
    END,
    FILLED,
    INODE,
    LAST,
    POISON,
    SALT,
    are_ours,
    base_of,
    check_of,
    place_of,
    tail_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple

    from holdfast.primitives.log_open import OpenLog
    from holdfast.primitives.log_segment import Segment
    from holdfast.vfs.api import Words
else:
    from holdfast.light_typing import NamedTuple

__all__ = ["Written", "is_durable", "is_elsewhere", "known_durable", "published", "sync_segment"]

_LOOKS = 10


class Written(NamedTuple):
    """What an append wrote: into which segment, its last sequence, and where it ends there."""

    segment: Segment
    last: int
    end: int


def known_durable(words: Words, end: int) -> int:
    """Return up to where the segment is durable; less, if the word says what cannot be."""
    synced = words[DURABLE_END]
    return synced if FIRST_OFFSET <= synced <= end else FIRST_OFFSET


def is_durable(log: OpenLog, written: Written) -> bool:
    """Look whether somebody has synced it; words that are not of this boot tell nothing."""
    words = log.words
    return written.last <= words[DURABLE] <= words[LAST] and are_ours(words, log.boot)


def is_elsewhere(log: OpenLog, segment: Segment) -> bool:
    """Look whether the words speak of another file than this one, and can be believed."""
    words, own = log.words, segment.place
    if words[SALT] == own.salt and words[INODE] == own.inode and words[DEVICE] == own.device:
        return False
    place = place_of(words, log.boot)
    return place is not None and place != own and tail_of(words, place) is not None


def published(words: Words, written: Written) -> tuple[int, int]:
    """Return the last sequence and the end that are published, as far as they belong together.

    The append lock is not held, so somebody may be publishing at this moment.
    """
    if words[LAST] == written.last:
        return written.last, written.end  # nobody has written since
    base = base_of(written.segment.place)
    for _ in range(_LOOKS):
        end, last, filled = words[END], words[LAST], words[FILLED]
        if words[CHECK] == check_of(base, end, last, filled=filled):
            return last, end
    return written.last, written.end


def sync_segment(segment: Segment, words: Words, *, last: int, end: int) -> None:
    """Sync, and move the durable mark to there; for who holds the sync lock.

    Raises:
        OSError: the sync failed, and the log is poisoned for every process.
    """
    try:
        segment.file.sync_data()
    except OSError as error:
        words[POISON] = error.errno or errno.EIO
        error.filename = error.filename or segment.path
        error.add_note(
            f"{segment.path}: the sync failed. Records up to {words[DURABLE]} are durable; "
            "later ones perhaps not, and nobody appends to this log now. "
            "See to the disk, then open the log anew: it reads what the disk really has."
        )
        raise
    if words[SALT] == segment.place.salt:  # else they were overwritten meanwhile
        words[DURABLE_END] = end
        words[DURABLE] = last
