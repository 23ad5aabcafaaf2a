"""What a handle on a file of records needs to write: made when it is opened, renewed after a fork.

I1  A forked child opens the file anew, takes another token, and knows of nothing that its parent
    has written and not synced: to it that is somebody else's.
"""

from __future__ import annotations

import errno
from math import inf

from holdfast.formats.record_format import encode_slot
from holdfast.primitives.record_pending import Pending
from holdfast.primitives.record_syncing import SharedSync
from holdfast.primitives.record_writing import RecordWriting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.formats.record_format import Slot
    from holdfast.primitives.log_periodic import PeriodicSync
    from holdfast.primitives.record_locks import RecordLocks
    from holdfast.primitives.record_marks import Marks
    from holdfast.primitives.record_place import RecordPlace
    from holdfast.primitives.record_reading import RecordReading
    from holdfast.primitives.record_tally import Tally

__all__ = ["RecordHandle"]


class RecordHandle:
    """The parts that write, put together.

    Args:
        place: The open file.
        tally: How many records it has.
        reading: Reads them.
        locks: Those of the records.
        marks: Those of the sidecar.
        appending: The lock of who appends.
        period_s: After how many seconds to sync; None: at once.
    """

    def __init__(
        self,
        place: RecordPlace,
        tally: Tally,
        reading: RecordReading,
        *,
        locks: RecordLocks,
        marks: Marks,
        appending: RecordLocks,
        period_s: float | None,
    ) -> None:
        self._place = place
        self._marks = marks
        self._appending = appending
        self._is_stale = False
        self._periodic: PeriodicSync | None = None
        self._sync = SharedSync(place.path, self._sync_file)
        self._pending = Pending(marks, self._sync, self._rewrite)
        if period_s is not None and period_s < inf:
            from holdfast.primitives.log_periodic import PeriodicSync

            self._periodic = PeriodicSync(period_s, self.barrier, name="holdfast-records")
        self.writing = RecordWriting(
            place,
            tally,
            reading,
            locks=locks,
            appending=appending,
            pending=self._pending,
            sync=self._sync,
            later=None if period_s is None else self._note,
        )

    def tidy(self) -> int:
        """Make the file fit to be written; see `RecordWriting.tidy`."""
        zeroed = self.writing.tidy()
        if not self._marks.is_mended:
            self.writing.write_anew()
            self._marks.mended()
        return zeroed

    def _sync_file(self) -> None:
        try:
            self._place.sync()
        except OSError:
            self._marks.raise_alarm()
            raise
        if self._marks.is_alarmed:
            raise OSError(errno.EIO, "a sync of another handle has failed", self._place.path)

    def _rewrite(self, number: int, slot: Slot) -> None:
        head = self._place.head
        self._place.write(encode_slot(head, number, slot), head.place(number, slot.array))

    def _note(self) -> None:
        if self._periodic is not None:
            self._periodic.note()

    def barrier(self) -> None:
        """See `RecordFile.barrier`."""
        if self._periodic is not None:
            self._periodic.settle()  # before: what is written meanwhile is due again
        self.writing.barrier()

    def refresh(self) -> None:
        """Open the file anew in a forked child."""
        if self._is_stale:
            self._place.reopen()
            self._is_stale = False

    def renew(self) -> None:
        """Forget, in a forked child, what is the parent's."""
        self._is_stale = True
        self._marks.renew()
        self._sync.renew()
        self._pending.renew()
        if self._periodic is not None:
            self._periodic.forget()

    def finish(self) -> None:
        """Sync what awaits it.

        Raises:
            OSError: it failed.
            HandlePoisoned: it has failed before, behind the caller's back.
        """
        if self._is_stale or self._sync.is_settled or self._sync.is_in_doubt:
            return
        if self._periodic is None and self._sync.failed:
            return  # its caller was told
        self.barrier()

    def close(self) -> None:
        """Close; idempotent."""
        if self._periodic is not None:
            self._periodic.settle()
        self._marks.close()
        self._appending.close()
