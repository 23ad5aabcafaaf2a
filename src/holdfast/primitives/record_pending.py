"""Which records a handle has written and not synced: so that no durable copy is ever overwritten.

I1  The older copy of a record is overwritten only when the newer one is durable: its mark says so,
    or it was written once more, as it is, and synced: a sync alone would not cover what an earlier
    one has failed for. While the newer one is this handle's own and
    awaits its sync, the next update goes over that one again.
I2  A mark is cleared only when nothing that this handle has written under its byte awaits a sync.
"""

from __future__ import annotations

from holdfast.light_threading import Lock
from holdfast.primitives.record_locks import BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.formats.record_format import Slot
    from holdfast.primitives.record_marks import Marks
    from holdfast.primitives.record_syncing import SharedSync

__all__ = ["Pending"]


class Pending:
    """What one handle has written since; `renew` in a forked child.

    Args:
        marks: Those of the sidecar.
        sync: That of the file.
        rewrite: Writes a slot of a record as it is.
    """

    __slots__ = ("_generations", "_guard", "_in_flight", "_marks", "_rewrite", "_sync")

    def __init__(
        self, marks: Marks, sync: SharedSync, rewrite: Callable[[int, Slot], None]
    ) -> None:
        self._rewrite = rewrite
        self._marks = marks
        self._sync = sync
        self.renew()

    def renew(self) -> None:
        """Know of nothing: what a parent has written may await its sync."""
        self._guard = Lock()
        self._generations: dict[int, dict[int, int]] = {}
        self._in_flight: set[int] = set()

    def begin(self, number: int, newest: Slot) -> int:
        """Return the generation to write next, where it may be written (I1).

        The caller holds the record's lock, writes, and calls `written`.

        Raises:
            HandlePoisoned: a sync was needed first, and has failed.
            OSError: the same; or the mark cannot be set. The record is as it was.
        """
        byte = number % BYTES
        with self._guard:
            is_mine = self._marks.look(byte)
            mine = self._generations.setdefault(byte, {})
            if is_mine is None:
                self._rewrite(number, newest)
                self._sync.wait(self._sync.note())
            if not is_mine:
                for settled in [n for n in mine if n not in self._in_flight]:
                    del mine[settled]
                self._marks.set(byte)
            again = mine.get(number) == newest.generation
            self._in_flight.add(number)
            mine[number] = newest.generation + (2 if again else 1)
            return mine[number]

    def written(self, number: int) -> int:
        """Say that it is written; return what the sync is to be told."""
        with self._guard:
            self._in_flight.discard(number)
            return self._sync.note()

    def durable(self, number: int) -> None:
        """Say that a sync has covered it; the caller still holds the record's lock (I2)."""
        byte = number % BYTES
        with self._guard:
            mine = self._generations.get(byte, {})
            mine.pop(number, None)
            if not mine:
                self._generations.pop(byte, None)
                self._marks.clear(byte)

    def barrier(self) -> None:
        """Sync, and forget what that has covered; the marks stay, as nobody holds the locks.

        Raises:
            HandlePoisoned: an earlier sync has failed.
            OSError: this one has.
        """
        seen = self.waiting()
        self._sync.wait(self._sync.note())
        with self._guard:
            for number, generation in seen.items():
                mine = self._generations.get(number % BYTES, {})
                if mine.get(number) == generation and number not in self._in_flight:
                    del mine[number]

    def waiting(self) -> dict[int, int]:
        """The records that are written and not known to be durable, with their generations."""
        with self._guard:
            return {
                number: generation
                for mine in self._generations.values()
                for number, generation in mine.items()
                if number not in self._in_flight
            }

    def is_own(self, number: int, newest: Slot) -> bool:
        """Whether the newest slot of a record, whose lock is held, is one that waits here."""
        byte = number % BYTES
        with self._guard:
            mine = self._generations.get(byte, {})
            return mine.get(number) == newest.generation and self._marks.look(byte) is True
