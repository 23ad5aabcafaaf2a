"""`LineLog`: plain text that people read and grep, one record a line, appended by many at once.

What it does not do: text carries no checksums, so damage inside a line is not found (`Log` finds
it); a program that appends without the lock (`flock` on NAME.lock) is not excluded.

I1  What was acknowledged stands in the log as whole lines, each once, in the order of each thread.
I2  Nothing is silently cut: an end that is no line is kept beside the log, and reported.
I3  A rotation loses no line, whatever moment a crash strikes at, but what `keep` gives up.
I4  After a sync that failed, this object refuses everything (`HandlePoisoned`).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

from holdfast.primitives.asyncio_bridge import twin
from holdfast.primitives.folders import absolute_path
from holdfast.primitives.line_log_batches import check_sync
from holdfast.primitives.line_log_file import Options
from holdfast.primitives.line_log_reading import Reader
from holdfast.primitives.line_log_records import (
    LineRecord,
    encode,
    holds_json,
    whole_json,
    whole_text,
)
from holdfast.primitives.line_log_rotation import SizeRotation
from holdfast.primitives.line_log_writer import LineWriter
from holdfast.vfs import CLOCK, SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator
    from typing import Any, Self

    from holdfast.primitives.check_report import CheckReport
    from holdfast.primitives.line_log_batches import LogSync
    from holdfast.primitives.line_log_healing import TornEnd
    from holdfast.primitives.line_log_records import Record
    from holdfast.vfs import VFS, Clock

__all__ = ["LineLog", "LineRecord"]

_POLL_S = 0.05
"""How often `follow` looks for new lines: a few system calls each time."""
_TAKEN_AT_ONCE = 256
"""How many lines `afollow` takes from its thread at a time."""


class LineLog:
    """Appends records to a text file, one a line, durably; reads them, also as they come.

    When `append` returns, the record stands in the log as a line of its own, and survives a power
    cut. After a crash every acknowledged line is there, whole, once, and in order; an end that is
    no line is settled by the next append: a whole record gets the newline that it lacks, anything
    else is moved to NAME.torn. `recovered` tells what was.

    Any number of threads and processes may append to one file. Threads share writes and syncs;
    processes take turns by `flock` on NAME.lock, which flock(1) takes as well. Opening is lazy: the
    first append makes the file, and folders that are missing. Symlinks are followed then.

    With `max_bytes`, a log that would grow beyond it becomes NAME.1, what was NAME.1 becomes
    NAME.2, and so on, up to `keep`. A rename by logrotate is noticed with the next append.

    Args:
        path: The file. Mappings are JSON lines in any; `.jsonl` and `.ndjson` say that each line
            is meant to be one.
        sync: `"always"`: each append is durable when it returns. A number of seconds: it returns at
            once and is durable within that time and one sync, also when nothing follows. `"never"`:
            the system decides, and a crash may leave zeros in the middle.
        max_bytes: Rotate before the file grows beyond this; None: never by itself. A record that is
            longer has a file to itself.
        keep: How many old files stay; None: all. Each costs a rename and a sync a rotation.
        permissions: The mode of files that are made, less the umask.
        on_torn: Called with each `TornEnd` that is settled; in the middle of an append, so it must
            not use this log.
        vfs: The filesystem.
        clock: What `follow` measures its `timeout_s` with.

    Raises:
        ValueError: An argument has no meaning; nothing was done.
    """

    __slots__ = (
        *("_clock", "_is_closed", "_is_whole", "_on_torn", "_recovered", "_sync"),
        *("_vfs", "_writer", "__weakref__"),
    )

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        sync: LogSync = "always",
        max_bytes: int | None = None,
        keep: int | None = None,
        permissions: int = 0o666,
        on_torn: Callable[[TornEnd], object] | None = None,
        vfs: VFS = SYSTEM,
        clock: Clock = CLOCK,
    ) -> None:
        check_sync(sync)
        _check_positive("max_bytes", max_bytes)
        _check_positive("keep", keep)
        absolute = absolute_path(path)
        self._sync: LogSync = sync
        self._vfs = vfs
        self._clock = clock
        self._is_whole = whole_json if holds_json(absolute) else whole_text("utf-8")
        self._on_torn = on_torn
        self._recovered: list[TornEnd] = []
        self._is_closed = False
        options = Options(
            rotation=SizeRotation(max_bytes, keep),
            is_whole=self._is_whole,
            on_torn=self._settled,
            vfs=vfs,
            permissions=permissions,
            syncs=sync != "never",
        )
        self._writer = LineWriter(absolute, options)

    def _settled(self, torn: TornEnd) -> None:
        self._recovered.append(torn)
        if self._on_torn is not None:
            self._on_torn(torn)

    # ------------------------------------------------------------ appending

    def append(self, record: Record, *, sync: LogSync | None = None) -> None:
        """Append a record; it stands in the log as one line when this returns, and is durable.

        Args:
            record: Text without a line break, or a mapping, which becomes compact JSON.
            sync: For this record another way than the log's.

        Raises:
            ValueError: The record does not fit into a line; nothing was appended.
            TypeError: It is neither text nor a mapping of JSON values; nothing was appended.
            OSError: Full disk, no permission: nothing was appended. A sync that failed: the line
                may be lost, and every later call raises `HandlePoisoned`. Its note says which.
            HandlePoisoned: An earlier sync failed; nothing was appended.
            Closed: After `close`; nothing was appended.
        """
        self._append([encode(record)], sync)

    def append_many(self, records: Iterable[Record], *, sync: LogSync | None = None) -> None:
        """Append records in one write and with one sync, side by side; all are durable on return.

        They are no transaction: a crash before the return may leave the first few of them, always
        whole lines. A rotation may fall between two of them.

        Args:
            records: Each as `append` takes it; all are checked before one is appended.
            sync: For these records another way than the log's.

        Raises:
            ValueError: A record does not fit into a line; nothing was appended.
            TypeError: One is neither text nor a mapping of JSON values, or all are given as one
                text or mapping; nothing was appended.
            OSError: As `append`; where the log was rotated meanwhile, the note says how many stand.
            HandlePoisoned: An earlier sync failed; nothing was appended.
            Closed: After `close`; nothing was appended.
        """
        _refuse_single(records)
        self._append([encode(record) for record in records], sync)

    def _append(self, lines: list[bytes], sync: LogSync | None) -> None:
        if sync is None:
            sync = self._sync
        else:
            check_sync(sync)
        self._writer.append(lines, sync)

    def barrier(self) -> None:
        """Return when everything that this object has appended is durable.

        Raises:
            OSError: Perhaps not all of it is, and every later call raises `HandlePoisoned`.
            HandlePoisoned: An earlier sync failed.
            Closed: After `close`.
        """
        self._writer.barrier()

    def rotate(self) -> None:
        """Rotate now, unless the log is empty; durable on return.

        Raises:
            OSError: Perhaps not all files have their new names; no line is lost.
            HandlePoisoned: An earlier sync failed; nothing was done.
            Closed: After `close`.
        """
        self._writer.rotate()

    # ------------------------------------------------------------ reading

    def read(self) -> Iterator[LineRecord]:
        """Give every line, from the oldest file on; nothing of a missing log.

        Takes no lock. Lines that are appended meanwhile are given too, until there are none; a
        rotation meanwhile loses and doubles none. An end without a newline is not given: somebody
        may be writing it. Other lines are given as they stand, whatever is in them.

        Raises:
            DecodeError: A line has more than 64 MiB; what came before it was given.
            OSError: A file cannot be read.
        """
        reader = self._reader()
        try:
            yield from reader.lines()
        finally:
            reader.close()

    def values(self) -> Iterator[Any]:
        """Give the JSON value of every line, as `read` gives the lines.

        Raises:
            DecodeError: A line is not JSON: the error has its path and number. To go on behind such
                a line, use `read` and `LineRecord.value`.
            OSError: A file cannot be read.
        """
        for record in self.read():
            yield record.value

    def follow(
        self, *, timeout_s: float | None = None, only_new: bool = False
    ) -> Iterator[LineRecord]:
        """Give every line, and then each that is appended, by whomever, across rotations.

        Ends when `close` is called, or when nothing has come for `timeout_s`. A log that is missing
        is waited for. New lines are seen within 50 ms.

        Args:
            timeout_s: How long to wait for the next line; None waits for as long as it takes.
            only_new: Begin behind what stands there when the first line is asked for.

        Raises:
            DecodeError: As `read`.
            OSError: A file cannot be read.
        """
        reader = self._reader()
        try:
            if only_new:
                reader.skip()
            since_s = self._clock.monotonic()
            while True:
                for record in reader.lines():
                    yield record
                    since_s = self._clock.monotonic()
                wait_s = self._patience(since_s, timeout_s)
                if wait_s is None:
                    return
                threading.Event().wait(wait_s)  # of its own: a fork may come at any moment
        finally:
            reader.close()

    async def afollow(
        self, *, timeout_s: float | None = None, only_new: bool = False
    ) -> AsyncIterator[LineRecord]:
        """Give lines as `follow` does, for asyncio; the event loop is never blocked.

        Raises:
            DecodeError: As `read`.
            OSError: A file cannot be read.
        """
        from asyncio import sleep
        from itertools import islice

        from holdfast.primitives.asyncio_bridge import run

        reader = await run(self._reader, undo=Reader.close)
        try:
            if only_new:
                await run(reader.skip)
            since_s = self._clock.monotonic()
            wait_s: float | None = 0.0
            while wait_s is not None:
                lines = reader.lines()
                while some := await run(_taking(islice(lines, _TAKEN_AT_ONCE))):
                    for record in some:
                        yield record
                    since_s = self._clock.monotonic()
                wait_s = self._patience(since_s, timeout_s)
                await sleep(wait_s or 0)
        finally:
            reader.close()

    def _patience(self, since_s: float, timeout_s: float | None) -> float | None:
        """How long to wait before the next look; None when it is time to end."""
        if self._is_closed:
            return None
        if timeout_s is None:
            return _POLL_S
        rest_s = since_s + timeout_s - self._clock.monotonic()
        return min(_POLL_S, rest_s) if rest_s > 0 else None

    def _reader(self) -> Reader:
        path = self._vfs.resolve(self.path)
        return Reader(path, is_whole=self._is_whole, vfs=self._vfs)

    def check(self) -> CheckReport:
        """Read everything and say what is no line; takes no lock and changes nothing.

        Raises:
            OSError: A file cannot be read.
        """
        from holdfast.primitives.line_log_check import check_line_log

        path = self._vfs.resolve(self.path)
        return check_line_log(path, is_whole=self._is_whole, vfs=self._vfs)

    # ------------------------------------------------------------ the rest

    @property
    def path(self) -> str:
        """The absolute path of the log."""
        return self._writer.path

    @property
    def recovered(self) -> tuple[TornEnd, ...]:
        """What this object found at an end of the log that was no line, and what became of it."""
        return tuple(self._recovered)

    def close(self) -> None:
        """Make durable what was appended with a number of seconds, and close; idempotent.

        Raises:
            OSError: Perhaps not all of it is durable; it is closed all the same.
            HandlePoisoned: A sync failed in the background, and nobody was told yet; the same.
        """
        self._is_closed = True
        self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<LineLog {self.path!r}, {'closed' if self._is_closed else 'open'}>"

    aappend = twin(append)
    aappend_many = twin(append_many)
    abarrier = twin(barrier)
    arotate = twin(rotate)
    acheck = twin(check)
    aclose = twin(close)


def _refuse_single(records: object) -> None:
    """Refuse what would be taken apart: a text has letters, and a mapping has keys."""
    if isinstance(records, (str, Mapping)):
        raise TypeError(
            "records are given in a list, not as a single text or mapping. "
            "Nothing was appended. Use `append` for a single one."
        )


def _check_positive(name: str, value: int | None) -> None:
    if value is not None and (type(value) is not int or value < 1):
        raise ValueError(f"{name}={value!r}: it must be a whole number above 0, or None")


def _taking(lines: Iterable[LineRecord]) -> Callable[[], list[LineRecord]]:
    return lambda: list(lines)
