"""Read records without a lock, while others write.

I1  What is returned was the newest at some moment after the call began. A writer changes the older
    copy alone, so whoever finds both valid has the newest; whoever finds one looks again, and then
    under the record's lock.
I2  `Corruption` is raised only for what is invalid under the record's lock, where that can be had.
"""

from __future__ import annotations

from holdfast.primitives.record_place import newest_of
from holdfast.primitives.record_tally import missing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from holdfast.formats.record_format import Slot
    from holdfast.primitives.record_locks import RecordLocks
    from holdfast.primitives.record_place import Pair, RecordPlace
    from holdfast.primitives.record_tally import Tally

__all__ = ["RecordReading"]

_LOOKS = 4
_PATIENCE_S = 5.0
_LOOKS_UNLOCKED = 1000


class RecordReading:
    """Reads what a file holds.

    Args:
        place: The open file.
        tally: How many records it has.
        locks: Gives the locks of the records; None where they cannot be had.
    """

    __slots__ = ("_locks", "_place", "_tally")

    def __init__(
        self, place: RecordPlace, tally: Tally, locks: Callable[[], RecordLocks | None]
    ) -> None:
        self._place = place
        self._tally = tally
        self._locks = locks

    def read(self, number: int) -> Slot:
        """Return the newest slot of a record that was counted (I1, I2).

        Raises:
            Corruption: both copies are damaged; they are untouched.
            IndexError: it is not there any more: its append has failed.
            OSError: it cannot be read.
        """
        pair = self._place.pair
        for _ in range(_LOOKS):
            one, other = pair(number)
            if one is not None and other is not None:
                return one if one.generation > other.generation else other
        return self._alone(number)

    def _alone(self, number: int) -> Slot:
        """Read a record of which a copy is not valid, while nobody writes it."""
        from holdfast.errors import LockTimeout

        locks = self._locks()
        if locks is not None:
            try:
                with locks.hold(number, timeout_s=_PATIENCE_S):
                    return self.settled(number)
            except (LockTimeout, RuntimeError):
                pass  # a writer who waits for his disk; or this thread, which holds other records
        return self._steady(number)

    def _steady(self, number: int) -> Slot:
        """The same without a lock: what many looks agree on."""
        before: Pair | None = None
        for _ in range(_LOOKS_UNLOCKED):
            pair = self._place.pair(number)
            if pair[0] is not None and pair[1] is not None:
                return max(pair[0], pair[1], key=lambda slot: slot.generation)
            if pair == before:
                break
            before = pair
        return self.settled(number)

    def settled(self, number: int) -> Slot:
        """Return the newest slot of a record that nobody writes meanwhile.

        Raises:
            Corruption: both copies are damaged; they are untouched.
            IndexError: it is not there any more.
        """
        slot = newest_of(self._place.pair(number))
        if slot is not None:
            return slot
        if number < self._tally.durable or number < self._tally.survey():
            raise missing(self._place, number)
        raise IndexError(f"{self._place.path}: there is no record {number}: its append has failed")

    def all(self) -> Iterator[bytes]:
        """Yield the payloads, as many as there are when each chunk is reached.

        Raises:
            Corruption: both copies of a record are damaged.
            OSError: the file cannot be read.
        """
        size, number = self._place.head.chunk_records, 0
        while number < self._tally.advance():
            chunk, index = divmod(number, size)
            for at, (one, other) in self._place.scan(chunk, start=index):
                if at >= self._tally.count:
                    break
                both = one is not None and other is not None
                slot = newest_of((one, other)) if both else None
                yield (slot or self.read(at)).payload
                number = at + 1
