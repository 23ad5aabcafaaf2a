"""How many records a file has: found without a lock, and told from damage.

I1  A chunk is made when all before it are full and durable, so only the last one is looked at.
I2  In it the first record without a valid slot ends the file. If something says that so many were
    durable, it is damage: `Corruption`.
I3  What readers see half of is looked at again: only what two looks agree on is damage.
"""

from __future__ import annotations

from holdfast.errors import BadFrame
from holdfast.primitives.record_place import newest_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple

    from holdfast.errors import Corruption
    from holdfast.primitives.record_place import RecordPlace
else:
    from holdfast.light_typing import NamedTuple

__all__ = ["Tally", "missing"]

_LOOKS = 16


class _Seen(NamedTuple):
    """A look at the last chunk: where the records end, how many were durable, the size."""

    records: int
    claimed: int
    is_cut: bool


class Tally:
    """Counts the records of a file.

    Attributes: `count` of records that were seen; `durable`: so many are known to be durable.
    """

    __slots__ = ("_place", "count", "durable")

    def __init__(self, place: RecordPlace) -> None:
        self._place = place
        self.count = 0
        self.durable = 0

    def survey(self) -> int:
        """Count anew (I1, I2, I3).

        Raises:
            Corruption: records are damaged or gone; the file is untouched.
        """
        seen = self._look()
        for _ in range(_LOOKS):
            if seen.records >= seen.claimed and not seen.is_cut:
                break
            before, seen = seen, self._look()
            if seen == before:
                raise self._damage(seen)
        self.count = seen.records
        self.durable = max(self.durable, seen.claimed)
        return self.count

    def _look(self) -> _Seen:
        place, head = self._place, self._place.head
        size = place.size_bytes
        chunks = head.chunks_in(size)
        is_cut = size > head.chunk_start(chunks) and self._has_records(chunks)
        floor = max(0, chunks - 1) * head.chunk_records
        count, claimed = floor, max(self.durable, floor)
        for number, pair in place.scan(chunks - 1) if chunks else ():
            slot = newest_of(pair)
            if slot is not None:
                claimed = max(claimed, slot.durable)
                count += number == count
        return _Seen(count, claimed, is_cut)

    def _has_records(self, chunk: int) -> bool:
        """Whether a part of a chunk holds records: it was whole once."""
        return any(newest_of(pair) is not None for _, pair in self._place.scan(chunk))

    def _damage(self, seen: _Seen) -> Corruption:
        path, size = self._place.path, self._place.size_bytes
        if seen.is_cut:
            return BadFrame(
                f"{path}: the file was cut at byte {size}, in the middle of records. Its bytes are "
                "untouched. Take it from a backup, or salvage it with `holdfast repair`.",
                path=path,
                offset=size,
            )
        return missing(self._place, seen.records, durable=seen.claimed)

    def advance(self) -> int:
        """Go on counting from what was seen; return how many there are.

        Raises:
            OSError: the file cannot be read.
        """
        place, head = self._place, self._place.head
        while True:
            chunks = head.chunks_in(place.size_bytes)
            self.count = max(self.count, (chunks - 1) * head.chunk_records)
            if self.count >= chunks * head.chunk_records:
                return self.count
            if newest_of(place.pair(self.count)) is None:
                return self.count
            self.count += 1


def missing(place: RecordPlace, number: int, *, durable: int | None = None) -> Corruption:
    """Return the error for a record that was durable, and of which no copy is valid."""
    proof = "" if durable is None else f", although {durable} records were durable"
    return BadFrame(
        f"{place.path}: both copies of record {number} are damaged{proof}. They are untouched. "
        "Take the file from a backup, or save the others with `holdfast repair`.",
        path=place.path,
        offset=place.head.place(number, 0),
    )
