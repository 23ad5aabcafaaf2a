"""Append frames to a log that other processes append to as well, and share their syncs.

Guarantee: a frame that `append` returned for is in the log, whole and in order, for every process;
    once `sync` returned for it, it survives a power cut. What failed is not in the log.

I1  Bytes are written only under the append lock: the kernel's lock of the file `lock`.
I2  The durable mark moves only under the sync lock, the kernel's lock of the segment, after a sync
    that began when the mark's bytes were written. Lock order: append lock, then sync lock.
I3  A segment is synced to its end before the next one is named.
I4  After a failed sync nobody appends, in any process, until somebody opens the log anew; a handle
    from before then stays refused (`EPOCH`).
"""

from __future__ import annotations

from holdfast.errors import Corruption, HandlePoisoned
from holdfast.primitives.log_durable import (
    Written,
    is_durable,
    is_elsewhere,
    known_durable,
    published,
    sync_segment,
)
from holdfast.primitives.log_errors import cut_short
from holdfast.primitives.log_gathering import Gathering
from holdfast.primitives.log_hint import (
    BUSY,
    CHECK,
    DURABLE,
    DURABLE_END,
    END,
    EPOCH,
    HALF_PUBLISHED,
    LAST,
    POISON,
    WANTED,
    are_ours,
    begin_epoch,
    place_of,
    publish_place,
    tail_of,
)
from holdfast.primitives.log_holding import LogHolding
from holdfast.primitives.log_recovery import Durable, Recovered, find_end, rescue
from holdfast.primitives.log_segment import firsts_of, remove_before
from holdfast.primitives.log_tip import Tip, adopted
from holdfast.primitives.sweeping import sweep_leftovers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from holdfast.primitives.log_hint import Place, Tail
    from holdfast.primitives.log_open import OpenLog
    from holdfast.primitives.log_recovery import Recovery, Settings
    from holdfast.primitives.log_segment import Segment
    from holdfast.vfs import Folder

__all__ = ["Appender", "Written"]


class Appender(LogHolding):
    """The writing end of a log, for all threads of one process; see `LogHolding`."""

    def __init__(
        self, settings: Settings, *, before_opening: Callable[[], None] | None = None
    ) -> None:
        self.recovery: Recovery | None = None
        self.rolled = 0
        self._gathering = Gathering(settings.clock)
        super().__init__(settings, before_opening=before_opening)

    def _forget(self) -> None:
        super()._forget()
        self._has_written = False

    # ------------------------------------------------------------ appending

    def append(self, records: Sequence[bytes]) -> Written:
        """Append one frame with these records; other processes see it when this returns.

        Raises:
            HandlePoisoned: a sync failed, here or elsewhere; nothing was appended.
            Corruption: the log is damaged; nothing was appended.
            OSError: it could not be written; nothing was appended.
            Closed: after `close`.
        """
        return self.locked(lambda log: self.write(log, records))

    def write(self, log: OpenLog, records: Sequence[bytes], *, asks: bool = False) -> Written:
        """Append one frame; for who holds the append lock.

        Args:
            log: the log, open.
            records: what the frame holds.
            asks: whether readers of a journal wait until it is durable.

        Raises:
            Exception: as `append`.
        """
        tip = self.current(log)
        segment, end, words = tip.segment, tip.end, log.words
        frame = tip.frame(records, synced=known_durable(words, end))
        if end + len(frame) > tip.filled and self._make_room(log, tip, len(frame)):
            return self.write(log, records, asks=asks)  # in the next segment
        if asks:
            words[WANTED] = tip.last + len(records)
        tip.write(frame, len(records))
        self._has_written = True
        return Written(segment, tip.last, tip.end)

    def _make_room(self, log: OpenLog, tip: Tip, size: int) -> bool:
        """See to it that a frame of this size fits; True if another segment began for it."""
        most = self.settings.segment_bytes
        if tip.end + size > most and not tip.is_empty:
            self._roll(log, tip)
            return True
        if log.maker.zero_filling:
            tip.fill(tip.end + size, most=most)
        return False

    def _roll(self, log: OpenLog, tip: Tip) -> None:
        """Sync the segment to its end, and begin the next one (I3); `BUSY` from when it is made."""
        segment = tip.segment
        with self._sync_mutex:
            try:
                segment.file.lock()
                self.refuse_poisoned(log)  # a sync has failed while this waited for the lock
                if log.words[DURABLE_END] != tip.end:
                    self._sync_segment(log, segment, last=tip.last, end=tip.end)
                log.words[BUSY] = tip.end
                header = log.maker.header(tip.last + 1, after=segment, end=tip.end)
                self._publish(log, log.maker.make(header))
            except OSError as error:
                self._note(log, error)
                raise
            finally:
                try:
                    segment.file.unlock()
                except BaseException:  # interrupted at its entry
                    segment.file.unlock()
                    raise
        self.rolled += 1

    # ------------------------------------------------------------ where the log ends

    def current(self, log: OpenLog) -> Tip:
        """Return the tip as it is; the words are believed if nobody wrote since we did.

        For who holds the append lock.

        Raises:
            Exception: as `append`.
        """
        tip, words = self._tip, log.words
        if tip is not None and words[CHECK] == tip.check and not (words[BUSY] or words[POISON]):
            return tip
        if self._epoch is not None or self._first_error is not None:
            self.refuse_poisoned(log)
        return self._catch_up(log)

    def _catch_up(self, log: OpenLog) -> Tip:
        words = log.words
        place = place_of(words, log.boot)
        if place is not None and not words[POISON]:
            tail = tail_of(words, place)
            if tail is not None:
                self._tip = adopted(log.folder, words, tail, place=place, before=self._tip)
                if self._tip is not None:
                    self._epoch = words[EPOCH]
                    return self._tip
        try:
            self._recover(log, place)
        except OSError as error:
            self._note(log, error)
            raise
        if self._tip is None:
            raise Corruption(f"{self.settings.path}: no end was found.", path=self.settings.path)
        return self._tip

    def _recover(self, log: OpenLog, place: Place | None) -> None:
        """Find the end by reading; what a failed sync left is rescued, unless it is ours."""
        words = log.words
        is_poisoned = place is not None and words[POISON]
        if not are_ours(words, log.boot):
            words[EPOCH] = self._epoch or 0  # it says what it said to this handle
        known = words[LAST] if place is not None else 0

        def refuse(segment: Segment, tail: Tail) -> None:
            if not is_poisoned and place_of(words, log.boot) is not None and words[POISON]:
                raise self._refused()  # a sync has failed since
            if place == segment.place and tail.last < words[DURABLE]:
                raise cut_short(segment, tail, words[DURABLE])

        def publish(recovered: Recovered) -> None:
            if is_poisoned or recovered.tail.last < known:
                begin_epoch(words)  # what others hold for written is perhaps gone: told first
            self._publish(log, recovered)
            words[POISON] = 0

        if place is not None and is_poisoned and words[BUSY] != HALF_PUBLISHED:
            durable = Durable(place.first, words[DURABLE], words[DURABLE_END])
            self.recovery = rescue(log.folder, log.maker, publish, durable=durable)
        else:
            found = find_end(log.folder, log.maker, publish, refuse=refuse)
            self.recovery = found or self.recovery
        self._epoch = words[EPOCH]

    def _publish(self, log: OpenLog, recovered: Recovered) -> None:
        """Publish a segment that is durable up to its tail; for who holds both locks."""
        segment, tail = recovered
        words = log.words
        words[BUSY] = HALF_PUBLISHED
        words[DURABLE_END] = tail.end
        words[DURABLE] = tail.last
        publish_place(words, log.boot, segment.place, tail=tail)
        self._tip = Tip(segment, tail, words)

    # ------------------------------------------------------------ syncing

    def sync(self, written: Written) -> None:
        """Return when what was written is durable; one sync serves all who wait, in any process.

        Raises:
            HandlePoisoned: an earlier sync failed; what was written is perhaps not on the disk.
            OSError: the sync failed: the same, and the log is poisoned for every process.
        """
        with self._sync_mutex:
            log, file = self._log, written.segment.file
            if log is None:
                raise self._refused()
            while log.words[POISON] or not is_durable(log, written):
                self._gathering.wait(log.words)
                try:
                    if file.lock(block=False):
                        self._sync_waiting(log, written)
                        return
                    file.lock(shared=True)  # all who wait are woken together
                finally:
                    try:
                        file.unlock()
                    except BaseException:  # interrupted at its entry
                        file.unlock()
                        raise
            self.refuse_poisoned(log)

    def _sync_waiting(self, log: OpenLog, written: Written) -> None:
        """Sync for all who wait, unless it was done; for who holds the sync lock."""
        words, segment = log.words, written.segment
        self.refuse_poisoned(log)
        if is_durable(log, written):
            return
        if is_elsewhere(log, segment):
            raise self._refused()  # the file is not the one that the log has now
        begun = self._gathering.begin(words)
        last, end = published(words, written)
        self._sync_segment(log, segment, last=last, end=end)
        self._gathering.end(words, begun)

    def _sync_segment(self, log: OpenLog, segment: Segment, *, last: int, end: int) -> None:
        """Sync, and move the durable mark; for who holds the sync lock (I2)."""
        try:
            sync_segment(segment, log.words, last=last, end=end)
        except OSError as error:
            self._note(log, error)
            raise

    # ------------------------------------------------------------ positions and retention

    @property
    def has_written(self) -> bool:
        """Whether anything was appended by this process."""
        return self._has_written

    @property
    def unsynced_bytes(self) -> int:
        """How much of the segment no sync covers yet."""
        log = self._log
        try:
            return 0 if log is None else max(log.words[END] - log.words[DURABLE_END], 0)
        except ValueError:  # another thread has closed it
            return 0

    def position(self) -> Written:
        """Return the segment and the last sequence, over all processes; opens the log.

        Raises:
            HandlePoisoned, Corruption, OSError, Closed: as `append`.
        """

        def look(log: OpenLog) -> Written:
            tip = self.current(log)
            return Written(tip.segment, tip.last, tip.end)

        return self.locked(look)

    def drop(self, choose: Callable[[Folder, list[int], int], int]) -> int:
        """Remove the segments whose records all lie before a sequence; return the first kept.

        The oldest goes first, and is gone from the disk before the next one: a crash leaves no gap.
        What killed makers of segments have left goes as well.

        Args:
            choose: gives that sequence, from the folder, the first sequence of each segment, and
                the last sequence of all.

        Raises:
            HandlePoisoned, Corruption, Closed: as `append`; nothing was removed.
            OSError: as the system says; some of the oldest may be gone.
        """

        def remove(log: OpenLog) -> int:
            sweep_leftovers(log.folder, vfs=self.settings.vfs)
            tip = self.current(log)
            sequence = choose(log.folder, firsts_of(log.folder), tip.last)
            if sequence > tip.last and not tip.is_empty:
                remove_before(log.folder, sequence)  # first: it makes room for the new segment
                self._roll(log, tip)
            return remove_before(log.folder, sequence)

        return self.locked(remove)

    # ------------------------------------------------------------ opening and closing

    def close(self) -> None:
        """Close, after a mark that says how far all is durable; idempotent.

        The mark is not synced: a power cut may take it, and nothing with it. There is none where
        another process has the append lock just now.
        """
        if self._closed:
            return
        try:
            log = self._log
            is_wanted = self._has_written and self._first_error is None
            if log is not None and is_wanted and log.is_current():  # else it would be made anew
                for held in self.holding(block=False):
                    self._mark(held)
        except (OSError, Corruption, HandlePoisoned):
            pass  # the mark is a courtesy: what was acknowledged is there without it
        finally:
            self._closed = True
            with self._mutex, self._sync_mutex:  # nobody is at work in the files
                self._close_files()

    def _mark(self, log: OpenLog) -> None:
        tip = self.current(log)
        if known_durable(log.words, tip.end) == tip.end:
            tip.mark(extend=not log.maker.zero_filling)
