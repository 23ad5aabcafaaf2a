"""The reading end of a log: its positions, reading, following, checking; no lock, no change."""

from __future__ import annotations

import os
from threading import Event

from holdfast.primitives.asyncio_bridge import run, twin
from holdfast.primitives.folders import absolute_path
from holdfast.primitives.forks import call_in_child
from holdfast.primitives.log_cursor import Cursor
from holdfast.primitives.log_ownership import refuse_foreign
from holdfast.primitives.log_pauses import Pauses
from holdfast.primitives.log_segment import firsts_of
from holdfast.primitives.log_view import View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from holdfast.formats.log_format import Record
    from holdfast.primitives.check_report import CheckReport, RepairReport
    from holdfast.vfs import VFS

__all__ = ["LogReading"]


class LogReading:
    """What can be read of a log; `Log` adds the writing end.

    Args:
        path: the folder.
        only_durable: show what is durable, and not what is merely written.
        asked: of a journal: show what is written unless its writer waits for a sync.
        vfs: the filesystem.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        only_durable: bool,
        asked: bool = False,
        vfs: VFS,
    ) -> None:
        self._path = absolute_path(path)
        self._only_durable = only_durable
        self._asked = asked
        self._vfs = vfs
        self._closed = Event()
        call_in_child(self._forget_parent)

    # ------------------------------------------------------------ positions

    @property
    def path(self) -> str:
        """The absolute path of the folder."""
        return self._path

    @property
    def written(self) -> int:
        """The last sequence that any process has appended; 0 for none."""
        return self._glance(lambda view: view.written)

    @property
    def durable(self) -> int:
        """The last sequence that is known to survive a power cut; 0 for none."""
        return self._glance(lambda view: view.durable)

    @property
    def last(self) -> int:
        """The last sequence that `read` shows; 0 for none."""
        return self._glance(View.limit)

    @property
    def first(self) -> int:
        """The first sequence that is kept; `last + 1` if there are none."""
        return self._glance(_first_of) or 1

    def _view(self) -> View:
        return View(self._path, durable=self._only_durable, asked=self._asked, vfs=self._vfs)

    def _glance(self, look: Callable[[View], int | None]) -> int:
        view = self._view()
        try:
            found = look(view)
            return Cursor.end_of(view) if found is None else int(found)
        finally:
            view.close()

    # ------------------------------------------------------------ reading

    def read(self, start: int | None = None, stop: int | None = None) -> Iterator[Record]:
        """Iterate over the records, in order, up to the end as it is when it is reached.

        With `sync="always"` only durable records are shown. Takes no lock, and may go on while
        others append and drop.

        Args:
            start: The first sequence wanted; None: the first that is kept.
            stop: The first one not wanted; None: to the end.

        Raises:
            Truncated: `start`, or what comes next, was dropped.
            Corruption: Something acknowledged is damaged or missing; what came before is good.
            UnknownFormat: The folder is no log, and holds other things.
            OSError: The log cannot be read. A log that does not exist is empty.
            ValueError: `start` is less than 1.
        """
        _refuse_start(start)
        return self._read(start, stop)

    def _read(self, start: int | None, stop: int | None) -> Iterator[Record]:
        view = self._view()
        cursor = Cursor(view, start)
        try:
            while records := cursor.pull():
                if stop is not None and records[-1].sequence >= stop:
                    yield from (record for record in records if record.sequence < stop)
                    return
                yield from records
        finally:
            cursor.close()
            view.close()

    def follow(
        self, start: int | None = None, *, timeout_s: float | None = None
    ) -> Iterator[Record]:
        """Iterate over the records as `read`, and wait at the end for more, also across segments.

        Args:
            start: The first sequence wanted, perhaps one still to come; None: the first kept.
            timeout_s: Ends when nothing came for so long; None: when the log is closed.

        Raises:
            Exception: As `read`.
        """
        _refuse_start(start)
        return self._follow(start, timeout_s)

    def _follow(self, start: int | None, timeout_s: float | None) -> Iterator[Record]:
        view = self._view()
        cursor = Cursor(view, start)
        pauses = Pauses(timeout_s)
        try:
            while True:
                if records := cursor.pull():
                    yield from records
                    pauses.begin()
                elif (pause_s := pauses.next()) is None or self._closed.wait(pause_s):
                    return
        finally:
            cursor.close()
            view.close()

    async def afollow(
        self, start: int | None = None, *, timeout_s: float | None = None
    ) -> AsyncIterator[Record]:
        """`follow` for asyncio.

        Raises:
            Exception: As `read`.
        """
        from asyncio import sleep

        _refuse_start(start)
        view = self._view()
        cursor = Cursor(view, start)
        pauses = Pauses(timeout_s)
        try:
            while True:
                if records := await run(cursor.pull):
                    for record in records:
                        yield record
                    pauses.begin()
                elif (pause_s := pauses.next()) is None or self._closed.is_set():
                    return
                else:
                    await sleep(pause_s)
        finally:
            cursor.close()
            view.close()

    def check(self) -> CheckReport:
        """Read everything and say what is damaged; changes nothing and takes no lock.

        Raises:
            UnknownFormat: The folder is no log, and holds other things.
            OSError: The log cannot be read.
        """
        from holdfast.primitives.log_check import check_log

        self._glance(_first_of)
        return check_log(self._path, vfs=self._vfs)

    def repair(self, *, to: str | os.PathLike[str]) -> RepairReport:
        """Salvage every whole record into a new log at `to`; this one is not touched.

        Raises:
            FileExistsError: There is something at `to`; nothing was done.
            UnknownFormat: The folder is no log, and holds other things.
            OSError: It cannot be read or written; what is at `to` is told to be incomplete.
        """
        from holdfast.primitives.log_repair import repair_log

        self._glance(_first_of)
        return repair_log(self._path, os.fsdecode(to), vfs=self._vfs)

    acheck = twin(check)
    arepair = twin(repair)

    def close(self) -> None:
        """End every iteration that waits for more, and those that begin later."""
        self._closed.set()

    def _forget_parent(self) -> None:
        """In a forked child: a thread of its parent may have held the lock of the event."""
        is_closed, self._closed = self._closed.is_set(), Event()
        if is_closed:
            self._closed.set()


def _first_of(view: View) -> int | None:
    folder = view.open()
    if folder is None:
        return None
    firsts = firsts_of(folder)
    if not firsts:
        refuse_foreign(folder)
        return None
    return firsts[0]


def _refuse_start(start: int | None) -> None:
    if start is not None and start < 1:
        raise ValueError(f"sequences count from 1, not {start}")
