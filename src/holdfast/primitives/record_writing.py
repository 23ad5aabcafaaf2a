"""Append to a file of records, and change them in place: one sync each, no durable copy at risk.

Guarantee: when `append` or `update` returns, with syncing, the record survives a power cut; and
    whatever happens before that, each record that was durable keeps a whole copy.
Not guaranteed: that several records change together; that an append of many is whole after a
    crash (those that are there are the first ones).

I1  What is changed is one slot, under the lock of its record, and never the only durable copy
    (`record_pending`). All that is appended is written under the lock of who appends.
I2  A chunk has zeros all over and is durable before a record is written to it, and all records
    before it are durable before it is made.
I3  A slot says of records that they are durable only what a sync of who appended them has covered:
    so no later failure takes them back.
I4  After a failed sync what waited for it is overwritten with zeros and the cache is let go of, so
    nobody reads what the disk may not have; the handle writes no more.
"""

from __future__ import annotations

from holdfast.errors import HandlePoisoned, LockTimeout
from holdfast.formats.record_format import Slot, encode_slot
from holdfast.primitives.record_place import newest_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from holdfast.primitives.record_locks import RecordLocks
    from holdfast.primitives.record_pending import Pending
    from holdfast.primitives.record_place import RecordPlace
    from holdfast.primitives.record_reading import RecordReading
    from holdfast.primitives.record_syncing import SharedSync
    from holdfast.primitives.record_tally import Tally

__all__ = ["RecordWriting"]

_PIECE_BYTES = 1 << 18
_PATIENCE_S = 1.0


class RecordWriting:
    """Writes for one handle; the parts are made by `RecordFile`.

    Args:
        place: The open file.
        tally: How many records it has.
        reading: Reads them.
        locks: Those of the records.
        appending: That of who appends.
        pending: What awaits a sync.
        sync: That of the file.
        later: Is called after a write that is not synced; None: each is.
    """

    def __init__(
        self,
        place: RecordPlace,
        tally: Tally,
        reading: RecordReading,
        *,
        locks: RecordLocks,
        appending: RecordLocks,
        pending: Pending,
        sync: SharedSync,
        later: Callable[[], None] | None,
    ) -> None:
        self._place = place
        self._tally = tally
        self._reading = reading
        self._locks = locks
        self._appending = appending
        self._pending = pending
        self._sync = sync
        self._later = later
        self._own = 0  # one more than the last that was appended here

    # ------------------------------------------------------------ changing

    def update(self, number: int, change: Callable[[bytes], bytes]) -> bytes:
        """Change a record by a function of its bytes; return the new ones (I1).

        Raises:
            HandlePoisoned: a sync has failed before; the record is as it was.
            Corruption: both copies are damaged; they are untouched.
            OSError: the record is as it was, unless a note says more.
        """
        with self._locks.hold(number):
            self._sync.check()
            newest = self._reading.settled(number)
            payload = change(newest.payload)
            generation = self._pending.begin(number, newest)
            slot = Slot(generation, self._tally.durable, payload)
            at = self._place.head.place(number, slot.array)
            try:
                self._place.write(encode_slot(self._place.head, number, slot), at)
                ticket = self._pending.written(number)
                if self._later is None:
                    self._sync.wait(ticket)
            except (OSError, HandlePoisoned) as error:
                self._withdraw(number, slot, error)
                raise
            if self._later is None:
                self._pending.durable(number)
            else:
                self._later()
        return payload

    def _withdraw(self, number: int, slot: Slot, error: BaseException) -> None:
        """Take a slot back that was not acknowledged (I4); the record's lock is held."""
        state = f"Record {number} is as it last was durably"
        try:
            size = self._place.head.slot_bytes
            self._place.write(bytes(size), self._place.head.place(number, slot.array))
        except OSError:
            state = f"Record {number} is as it last was durably, or as it was to be"
        self._tell(error, state)

    def _tell(self, error: BaseException, state: str) -> None:
        remedy = "Mend the cause and try again."
        if self._sync.failed:
            self._place.file.drop_cache()
            remedy = "Open the file anew."
        error.add_note(f"{self._place.path}: not written durably. {state}. {remedy}")

    def barrier(self) -> None:
        """Return when all that was written by this handle is durable.

        Raises:
            HandlePoisoned: a sync has failed before; what was not durable may be or not.
            OSError: this one has; what waited for it is taken back where nobody has built on it.
        """
        own = self._own
        try:
            self._pending.barrier()
        except OSError as error:
            self._take_back()
            self._tell(error, "Changes that were not durable are undone, as far as that goes")
            raise
        self._tally.durable = max(self._tally.durable, own)

    def _take_back(self) -> None:
        """Overwrite the slots that wait with zeros (I4)."""
        head = self._place.head
        for number in self._pending.waiting():
            try:
                with self._locks.hold(number, timeout_s=_PATIENCE_S):
                    newest = newest_of(self._place.pair(number))
                    if newest is not None and self._pending.is_own(number, newest):
                        self._place.write(bytes(head.slot_bytes), head.place(number, newest.array))
            except (LockTimeout, RuntimeError, OSError):
                continue  # somebody builds on it: his own sync tells him

    # ------------------------------------------------------------ appending

    def append(self, payloads: Sequence[bytes]) -> range:
        """Append records; return their numbers (I1, I2, I3).

        Raises:
            HandlePoisoned: a sync has failed before; nothing was appended.
            OSError: nothing was appended, unless a note says how many.
        """
        with self._appending.hold(0):
            self._sync.check()
            first = number = self._tally.advance()
            while number < first + len(payloads):
                number = self._append_to_chunk(number, payloads[number - first :])
            self._own = number
            if self._later is not None:
                self._later()
            return range(first, number)

    def _append_to_chunk(self, first: int, payloads: Sequence[bytes]) -> int:
        """Append as many as one chunk has room for; return the number that comes next."""
        head, tally = self._place.head, self._tally
        chunk, index = divmod(first, head.chunk_records)
        if not index:
            self._open_chunk(chunk)
        batch = payloads[: head.chunk_records - index]
        try:
            for array in (0, 1):
                slots = (Slot(array + 1, tally.durable, payload) for payload in batch)
                parts = [encode_slot(head, first + at, slot) for at, slot in enumerate(slots)]
                self._place.write(b"".join(parts), head.place(first, array))
            ticket = self._sync.note()
            if self._later is None:
                self._sync.wait(ticket)
        except (OSError, HandlePoisoned) as error:
            self._unappend(first, len(batch), error)
            raise
        tally.count = first + len(batch)
        if self._later is None:
            tally.durable = tally.count
        return tally.count

    def _unappend(self, first: int, count: int, error: BaseException) -> None:
        """Take back what was not acknowledged (I4), but for records that somebody changes."""
        head = self._place.head
        for number in range(first, first + count):
            try:
                with self._locks.hold(number, timeout_s=0):
                    generations = {slot.generation for slot in self._place.pair(number) if slot}
                    if generations <= {1, 2}:
                        for array in (0, 1):
                            self._place.write(bytes(head.slot_bytes), head.place(number, array))
            except (LockTimeout, RuntimeError, OSError):
                continue
        self._tell(error, f"The file has {self._tally.advance()} records")

    def _open_chunk(self, chunk: int) -> None:
        """Fill a chunk with zeros, durably, before the first record goes there (I2).

        Raises:
            HandlePoisoned: a sync has failed before.
            OSError: it is not there; the file has the records that it had.
        """
        place, head = self._place, self._place.head
        start, size = head.chunk_start(chunk), place.size_bytes
        is_there = size >= start + head.chunk_bytes
        try:
            if self._tally.durable < chunk * head.chunk_records:
                self._sync.wait(self._sync.note())
                self._tally.durable = chunk * head.chunk_records
            if not is_there:
                self._fill(start, start + head.chunk_bytes)
            self._sync.wait(self._sync.note())
        except (OSError, HandlePoisoned) as error:
            if not is_there:
                self._cut(start)
            self._tell(error, f"The file has {self._tally.count} records")
            raise

    def _fill(self, start: int, end: int) -> None:
        zeros = bytes(min(_PIECE_BYTES, end - start))
        for at in range(start, end, len(zeros)):
            self._place.write(zeros[: end - at], at)

    def _cut(self, size_bytes: int) -> None:
        """Cut off what was begun; a part of a chunk does no harm."""
        try:
            self._place.file.truncate(size_bytes)
        except OSError:
            pass

    # ------------------------------------------------------------ after a crash

    def tidy(self) -> int:
        """Count the records, and overwrite with zeros what a crash has left behind the last one.

        Returns:
            How many bytes were no zeros.

        Raises:
            Corruption: records are damaged or gone; nothing was changed.
            OSError: it is not done; nothing that was acknowledged is touched.
        """
        place, head = self._place, self._place.head
        step, done = max(1, _PIECE_BYTES // head.slot_bytes), 0
        with self._appending.hold(0):
            count = self._tally.survey()
            end = head.chunks_in(place.size_bytes) * head.chunk_records
            for first in range(count, end, step):
                done += self._tidy_row(first, min(step, end - first))
            if done:
                self._sync.wait(self._sync.note())
        return done

    def write_anew(self) -> None:
        """Write the last chunk once more, as it is: a failed sync may have lost a part of it.

        Raises:
            OSError: it is not done; no record has changed.
        """
        place, head = self._place, self._place.head
        first = max(0, self._tally.count - 1) // head.chunk_records * head.chunk_records
        for number in range(first, self._tally.count):
            with self._locks.hold(number):
                for array in (0, 1):
                    place.write(place.raw(number, 1, array=array), head.place(number, array))
        self._sync.wait(self._sync.note())

    def _tidy_row(self, first: int, count: int) -> int:
        done, place = 0, self._place
        for array in (0, 1):
            data = place.raw(first, count, array=array)
            if left := len(data) - data.count(0):
                place.write(bytes(count * place.head.slot_bytes), place.head.place(first, array))
                done += left
        return done
