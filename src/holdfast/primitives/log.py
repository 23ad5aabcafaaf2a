"""`Log`: records appended by many threads and processes, in one order, each durable on return.

Guarantee: a record whose `append` returned is in the log, once, whole, in an order that all readers
    agree on; with `sync="always"` it survives a power cut. A batch of `append_many` is in the log
    wholly or not at all.
Not guaranteed: that a record whose `append` raised or was interrupted is not there (a kill between
    the write and its return cannot be told); readers on another machine; that an age is kept to
    when the wall clock is wrong.

I1  Damage to what was acknowledged raises `Corruption`; nothing is ever cut but what a crash left
    of records that were never acknowledged, and that is told by `recovered`.
I2  After a failed sync every handle, in every process, refuses to append until the log is opened
    anew.
I3  Reading takes no lock and changes nothing.

The format is on the page docs/reference/log-format.md.
"""

from __future__ import annotations

import os
from math import inf

from holdfast.errors import HoldfastError
from holdfast.formats.log_format import MAX_BODY_BYTES, MAX_RECORDS, frame_bytes
from holdfast.primitives.asyncio_bridge import run, twin
from holdfast.primitives.log_appender import Appender
from holdfast.primitives.log_groups import GroupCommit
from holdfast.primitives.log_ownership import refuse_log_of_journal
from holdfast.primitives.log_periodic import PeriodicSync
from holdfast.primitives.log_reading import LogReading
from holdfast.primitives.log_recovery import Settings
from holdfast.primitives.log_retention import Retention
from holdfast.vfs import CLOCK, SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from concurrent.futures import Future
    from typing import Literal, Self, TypeAlias

    from typing_extensions import Buffer

    from holdfast.primitives.log_recovery import Recovery
    from holdfast.vfs import VFS, Clock

    LogSync: TypeAlias = "Literal['always', 'never'] | float"

__all__ = ["Log", "LogSync", "period_of"]

_DEFAULT_SEGMENT_BYTES = 64 << 20
_SMALLEST_SEGMENT_BYTES = 1 << 10
_LARGEST_SEGMENT_BYTES = 1 << 30


class Log(LogReading):
    """A durable log in a folder: append from any thread, task or process, read from anywhere.

    Records are bytes and get sequence numbers from 1 on, without gaps. Many appends at a time share
    one sync, across threads and processes. Opening is lazy: nothing is made before the first
    append, and reading makes nothing. A log that a crash left behind is made fit by the first
    append; `recovered` says what had to be done.

    One object serves any number of threads and tasks. After a fork the child may go on using it.

    Args:
        path: The folder; made with its parents, durably, by the first append.
        sync: `"always"`: `append` returns when the record is durable. `"never"`: it returns when
            every process sees it; a power cut may take what no `barrier` covered. A number of
            seconds: the same, with a sync at most so long after the first unsynced record, also
            when nobody appends again.
        segment_bytes: How large a segment grows before the next one begins; None: 64 MiB, or an
            eighth of `keep_bytes` if that is less.
        max_unsynced_bytes: With seconds: an append that leaves more than this unsynced syncs
            before it returns.
        keep_bytes: Whole old segments are dropped while the log is larger, but never the one that
            is written to; None: never.
        keep_s: Segments whose records are all older are dropped; None: never.
        permissions: The mode of files that are made, less the umask.
        vfs: The filesystem.
        clock: For ages.

    Raises:
        ValueError: An argument is out of its range; nothing was done.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        sync: LogSync = "always",
        segment_bytes: int | None = None,
        max_unsynced_bytes: int = 4 << 20,
        keep_bytes: int | None = None,
        keep_s: float | None = None,
        permissions: int = 0o666,
        vfs: VFS = SYSTEM,
        clock: Clock = CLOCK,
    ) -> None:
        self._always = sync == "always"
        super().__init__(path, only_durable=self._always, vfs=vfs)
        if segment_bytes is None:
            part = _DEFAULT_SEGMENT_BYTES if keep_bytes is None else keep_bytes // 8
            segment_bytes = max(_SMALLEST_SEGMENT_BYTES, min(part, _DEFAULT_SEGMENT_BYTES))
        _refuse_sizes(segment_bytes, max_unsynced_bytes)
        self._max_unsynced_bytes = max_unsynced_bytes
        self._retention = Retention(keep_bytes, keep_s, clock)
        settings = Settings(self._path, segment_bytes, permissions, vfs, clock)
        self._appender = Appender(settings, before_opening=self._refuse_others)
        self._kept_at = -1
        name = f"holdfast-log-{os.path.basename(self._path)}"
        self._groups: GroupCommit[bytes, int] = GroupCommit(self._commit, name=name)
        self._periodic: PeriodicSync | None = None
        if (period_s := period_of(sync)) is not None:
            self._periodic = PeriodicSync(period_s, self._sync_written, name=f"{name}-sync")

    # ------------------------------------------------------------ appending

    def append(self, data: Buffer) -> int:
        """Append one record; with `sync="always"` it is durable when this returns.

        Returns:
            Its sequence.

        Raises:
            HandlePoisoned: An earlier sync failed; nothing was appended.
            Corruption: The log is damaged; nothing was appended.
            UnknownFormat: The folder is no log and holds other things, or is that in which a
                journal or store keeps its log; nothing was changed.
            OSError: No room, no permission: nothing was appended. Or the sync failed: the record
                may be there or not, and the log takes no more until it is opened anew.
            ValueError: The record has more than 64 MiB; nothing was appended.
            TypeError: It is not bytes; nothing was appended.
            Closed: After `close`.
        """
        record = data if type(data) is bytes else _bytes_of(data)
        size = len(record)
        if size > MAX_BODY_BYTES:
            raise _too_large(self._path, size)
        return self._groups.commit((record,), size)

    def append_many(self, records: Iterable[Buffer]) -> int:
        """Append records together: a crash leaves all of them or none, in this order, side by side.

        Returns:
            The sequence of the last one; for no records at all, of the last one of the log.

        Raises:
            ValueError: More than 64 MiB, or than 1,048,576 records; nothing was appended.
            HandlePoisoned, Corruption, OSError, TypeError, Closed: As `append`, for all of them.
        """
        batch = self._batch(records)
        return self._groups.commit(batch, frame_bytes(batch)) if batch else self.written

    def submit(self, data: Buffer) -> Future[int]:
        """Queue one record and return at once; the future gets what `append` would return.

        Records of one thread are appended in the order of their calls.

        Raises:
            ValueError, TypeError: As `append`; nothing was queued.
        """
        record = _bytes_of(data)
        if len(record) > MAX_BODY_BYTES:
            raise _too_large(self._path, len(record))
        return self._groups.submit((record,), len(record))

    async def aappend(self, data: Buffer) -> int:
        """`append` for asyncio: tasks that wait at the same time share one sync.

        Cancelled, the outcome is waited for first: nothing of it goes on afterwards.

        Raises:
            Exception: As `append`.
        """
        record = _bytes_of(data)
        if len(record) > MAX_BODY_BYTES:
            raise _too_large(self._path, len(record))
        return await self._groups.acommit((record,), len(record))

    async def aappend_many(self, records: Iterable[Buffer]) -> int:
        """`append_many` for asyncio.

        Raises:
            Exception: As `append_many`.
        """
        batch = self._batch(records)
        if not batch:
            return await run(lambda: self.written)
        return await self._groups.acommit(batch, frame_bytes(batch))

    def _batch(self, records: Iterable[Buffer]) -> list[bytes]:
        if isinstance(records, (bytes, bytearray, memoryview, str)):
            raise TypeError("records are given as a list: for one record, use `append`")
        batch = [_bytes_of(data) for data in records]
        size = sum(map(len, batch)) + 4 * len(batch)
        if size > MAX_BODY_BYTES or len(batch) > MAX_RECORDS:
            raise _too_large(self._path, size, count=len(batch))
        return batch

    def _commit(self, records: Sequence[bytes]) -> range:
        appender = self._appender
        written = appender.append(records)
        if self._always:
            appender.sync(written)
        elif self._periodic is not None:
            if appender.unsynced_bytes > self._max_unsynced_bytes:
                appender.sync(written)
            else:
                self._periodic.note()
        if appender.rolled != self._kept_at:
            self._kept_at = appender.rolled
            if self._retention.is_bounded:
                self._retain()
        return range(written.last - len(records) + 1, written.last + 1)

    def _retain(self) -> None:
        """Drop what is not kept; a failure is no failure of the append, which stands."""
        try:
            self.apply_retention()
        except (OSError, HoldfastError) as error:
            from warnings import warn

            warn(
                f"{self._path}: old segments could not be dropped ({error}). The records are in "
                "the log. It is tried again with the next segment, or by apply_retention().",
                RuntimeWarning,
                stacklevel=2,
            )

    def barrier(self) -> int:
        """Return when all that was appended before, by anybody, is durable.

        Returns:
            The last sequence that is durable then.

        Raises:
            HandlePoisoned: A sync failed, here or in another process.
            OSError: The sync failed now; records above `durable` may be lost.
            Corruption, Closed: As `append`.
        """
        self._groups.drain()
        if not self._appender.is_open and not self._exists():
            return 0
        self._sync_written()
        return self.durable

    abarrier = twin(barrier)

    def _refuse_others(self) -> None:
        refuse_log_of_journal(self._path, vfs=self._vfs)

    def _exists(self) -> bool:
        return bool(self._glance(lambda view: int(view.open() is not None)))

    @property
    def recovered(self) -> Recovery | None:
        """What this object had to do when it opened the log for appending; None: nothing."""
        return self._appender.recovery

    def _sync_written(self) -> None:
        if self._periodic is not None:
            self._periodic.settle()  # before: what is written meanwhile is due again
        self._appender.sync(self._appender.position())

    # ------------------------------------------------------------ keeping

    def drop_before(self, sequence: int) -> int:
        """Drop whole segments whose records all lie before `sequence`; `last + 1` drops all.

        A crash in the middle leaves a log that begins later or earlier, without a gap.

        Returns:
            The first sequence that is kept: at most `sequence`, as segments go as a whole.

        Raises:
            ValueError: `sequence` is less than 1, or beyond the next one; nothing was dropped.
            HandlePoisoned, Corruption, Closed: As `append`; nothing was dropped.
            OSError: As the system says; some of the oldest segments may be gone.
        """
        if sequence < 1:
            raise ValueError(f"sequences count from 1, not {sequence}")

        def choose(_folder: object, _firsts: list[int], last: int) -> int:
            if sequence > last + 1:
                raise ValueError(
                    f"{self._path}: the last record is {last}, so {sequence} is not the next one. "
                    "Nothing was dropped."
                )
            return sequence

        return self._appender.drop(choose)

    def apply_retention(self) -> int:
        """Drop what `keep_bytes` and `keep_s` no longer keep; done by itself for each new segment.

        Returns:
            The first sequence that is kept.

        Raises:
            Exception: As `drop_before`.
        """
        return self._appender.drop(self._retention.choose)

    adrop_before = twin(drop_before)
    aapply_retention = twin(apply_retention)

    # ------------------------------------------------------------ closing

    def close(self) -> None:
        """Close: what was submitted is appended, and with `sync=` seconds all is synced.

        A mark is left that says how far the log is durable, so that later damage to its very end is
        told from what a power cut leaves. Idempotent.

        Raises:
            HandlePoisoned, OSError: A sync failed; the files are closed all the same.
        """
        if self._closed.is_set():
            return
        super().close()
        try:
            self._groups.drain()
            if self._periodic is not None and self._appender.is_open:
                self._sync_written()
        finally:
            self._appender.close()

    aclose = twin(close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        state = " closed" if self._closed.is_set() else ""
        return f"<holdfast.Log {self._path!r}{state}>"

    def _forget_parent(self) -> None:
        super()._forget_parent()
        self._appender.forget_files()
        self._groups.forget()
        if self._periodic is not None:
            self._periodic.forget()


def _refuse_sizes(segment_bytes: int, max_unsynced_bytes: int) -> None:
    if not _SMALLEST_SEGMENT_BYTES <= segment_bytes <= _LARGEST_SEGMENT_BYTES:
        raise ValueError(
            f"segment_bytes is {segment_bytes}, and must be from {_SMALLEST_SEGMENT_BYTES} "
            f"to {_LARGEST_SEGMENT_BYTES}"
        )
    if max_unsynced_bytes < 0:
        raise ValueError(f"max_unsynced_bytes is {max_unsynced_bytes}, and must be 0 or more")


def period_of(sync: LogSync) -> float | None:
    """Return the seconds of `sync`; None for the two words.

    Raises:
        ValueError: it is none of them.
    """
    if sync in {"always", "never"}:
        return None
    if isinstance(sync, (int, float)) and not isinstance(sync, bool) and 0 < sync < inf:
        return float(sync)
    raise ValueError(f'sync is {sync!r}, and must be "always", "never" or a number of seconds')


def _bytes_of(data: Buffer) -> bytes:
    try:
        return bytes(memoryview(data))
    except TypeError:
        kind = type(data).__name__
        raise TypeError(
            f"a record is bytes, not {kind}: encode it first. Nothing was appended."
        ) from None


def _too_large(path: str, size_bytes: int, *, count: int = 1) -> ValueError:
    return ValueError(
        f"{path}: {count} records of {size_bytes} bytes together are too much for one append (64 "
        "MiB, 1,048,576 records). Nothing was appended. Append them in parts, or keep large data "
        "in files of their own and their names here."
    )
