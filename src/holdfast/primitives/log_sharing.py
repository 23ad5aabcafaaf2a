"""The writing end of a log that is shared by readers who wait for syncs: that of a journal.

Guarantee: who joins returns when everything is durable whose writer waits for that; who attaches,
    or joins, waits for no writer that holds the append lock, where the shared tail can be believed.
"""

from __future__ import annotations

from holdfast.formats.log_format import FIRST_OFFSET
from holdfast.primitives.log_appender import Appender
from holdfast.primitives.log_durable import Written, published
from holdfast.primitives.log_hint import DURABLE, EPOCH, POISON, WANTED, place_of
from holdfast.primitives.log_segment import open_segment
from holdfast.primitives.log_view import View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.primitives.log_open import OpenLog
    from holdfast.primitives.log_segment import Segment

__all__ = ["SharedAppender"]


class SharedAppender(Appender):
    """An appender that reads of the same process go by."""

    def _forget(self) -> None:
        super()._forget()
        self._joined: Segment | None = None

    def _close_files(self) -> None:
        super()._close_files()
        self._joined = None

    def join(self, last: int) -> None:
        """Return when every record up to `last` whose writer asked for its sync is durable.

        Takes the append lock only where another segment has begun, or a writer died at work.

        Raises:
            HandlePoisoned, Corruption, OSError, Closed: as `sync` and `position`.
        """
        try:
            while last and not self._is_joined(last):
                self.sync(self._published_since(last) or self.position())
        except ValueError:  # the words were given back while this looked
            if self._closed:
                raise self._refused() from None
            raise
        finally:
            if self._closed:
                self._joined = None  # it was perhaps opened after all had been closed

    def _is_joined(self, last: int) -> bool:
        log = self._log
        if log is None or self._epoch is None:  # it is being opened
            return False
        if log.words[DURABLE] < min(log.words[WANTED], last):
            return False
        self.refuse_poisoned(log)
        return True

    def _published_since(self, last: int) -> Written | None:
        """Return what is published, at least up to `last`; None if that takes the append lock."""
        log = self._log
        segment = None if log is None else self._segment_of(log)
        if log is None or segment is None:
            return None
        nothing = Written(segment, 0, FIRST_OFFSET)
        written = Written(segment, *published(log.words, nothing))
        return written if written.last >= last else None

    def _segment_of(self, log: OpenLog) -> Segment | None:
        """Return the segment that the words speak of; None if they do not tell."""
        place, tip = place_of(log.words, log.boot), self._tip
        own = None if tip is None else tip.segment
        for segment in (own, self._joined):
            if segment is not None and segment.place == place:
                return segment
        if place is None:
            return None
        try:
            segment = open_segment(log.folder, place.first, "write")
        except FileNotFoundError:
            return None
        self._joined = segment  # an older one is closed when nobody syncs it any more
        return segment if segment.place == place else None

    def attach(self) -> OpenLog | None:
        """Open the log without the append lock; None where its shared tail cannot be believed.

        Raises:
            HandlePoisoned, Corruption, OSError, Closed: as `append`.
        """
        with self._mutex:
            log = self._opened()
            epoch = log.words[EPOCH]  # before the look at `POISON`, which changes after it
            view = View(self.settings.path, durable=False, vfs=self.settings.vfs)
            try:
                is_known = view.limit() is not None
            finally:
                view.close()
            if not is_known or log.words[POISON]:
                return None
            if self._epoch is None:
                self._epoch = epoch
            return log
