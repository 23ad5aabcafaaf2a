"""`DurableHandler`: a handler of `logging` whose records survive, shared by threads and processes.

It takes the place of `FileHandler`, `RotatingFileHandler` and `TimedRotatingFileHandler`: the same
arguments by name, the same names on disk. Unlike them it syncs, loses no record to a rotation, and
any number of processes may log to one file, rotations included.

I1  A record is written as `logging` would write it, whole and in one write, with its newline; a
    traceback therefore spans lines.
I2  Nothing is raised into the application: errors go to `handleError`.
I3  Nothing waits for itself: not a signal handler that logs, not a record that is logged while
    another one is formatted, not a fork, not the end of the interpreter.
I4  After a failed sync the file is opened anew for the next record; what was lost is reported.
"""

from __future__ import annotations

import logging
import os
from codecs import lookup_error

from holdfast.errors import Closed, HandlePoisoned
from holdfast.primitives.line_log_batches import check_sync
from holdfast.primitives.line_log_file import Options
from holdfast.primitives.line_log_records import whole_text
from holdfast.primitives.line_log_rotation import SizeRotation
from holdfast.primitives.line_log_times import TimeRotation, When
from holdfast.primitives.line_log_writer import LineWriter
from holdfast.vfs import CLOCK, SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import time
    from typing import cast

    from holdfast.primitives.line_log_batches import LogSync
    from holdfast.primitives.line_log_healing import TornEnd
    from holdfast.primitives.line_log_rotation import Rotation
    from holdfast.vfs import VFS, Clock
else:
    from holdfast.light_typing import cast

__all__ = ["DurableHandler"]

_DEFAULT_SYNC: Mapping[int | str, LogSync] = {"NOTSET": 1.0, "ERROR": "always"}


class DurableHandler(logging.Handler):
    """Logs to a file; records from ERROR on are durable when the logging call returns.

    Those below become durable within a second, also when nothing more is logged, and at the end of
    the interpreter. After a crash every record that was durable is there, whole and once; an end of
    the file that is no text is moved to NAME.torn by the next record. Whatever goes wrong is
    reported by `handleError`, and never raised into the application.

    Rotation is by size (`maxBytes` and `backupCount` above 0) or by time (`when`), with the names
    of `RotatingFileHandler` and `TimedRotatingFileHandler`; no record is lost to it, whatever
    moment a crash strikes at. Processes take turns by `flock` on NAME.lock. Arguments after `mode`
    are given by name, since their places differ among the handlers that this one replaces.

    Args:
        filename: The file; folders that are missing are made.
        mode: `"a"`, or `"w"` to empty the file when it is opened; a rotating one is never emptied.
        maxBytes: Rotate before the file grows beyond this.
        backupCount: How many old files stay; by time, 0 keeps all.
        encoding: None is UTF-8; one in which a newline is no single byte is refused.
        delay: Open the file with the first record.
        errors: For characters that the encoding does not have; None is `"backslashreplace"`.
        when: `S`, `M`, `H`, `D`, `midnight` or `W0` to `W6`.
        interval: So many of them.
        utc: Times and names in UTC.
        atTime: The time of day for `midnight` and `W`.
        sync: `"always"`, `"never"`, a number of seconds, or a mapping from levels to these: the
            highest level that is not above the record's decides; below all of them, the lowest.
        permissions: The mode of files that are made, less the umask.
        vfs: The filesystem.
        clock: What `when` goes by.

    Raises:
        ValueError: An argument has no meaning; nothing was done.
        LookupError: There is no such encoding, or no such way of `errors`; the same.
        OSError: The file cannot be opened (unless `delay`).
    """

    terminator = "\n"

    def __init__(
        self,
        filename: str | os.PathLike[str],
        mode: str = "a",
        *,
        maxBytes: int = 0,  # noqa: N803 (the names of the handlers that it replaces)
        backupCount: int = 0,  # noqa: N803
        encoding: str | None = None,
        delay: bool = False,
        errors: str | None = None,
        when: str | None = None,
        interval: int = 1,
        utc: bool = False,
        atTime: time | None = None,  # noqa: N803
        sync: LogSync | Mapping[int | str, LogSync] = _DEFAULT_SYNC,
        permissions: int = 0o666,
        vfs: VFS = SYSTEM,
        clock: Clock = CLOCK,
    ) -> None:
        if mode not in ("a", "w"):
            raise ValueError(f'mode={mode!r}: it must be "a" or "w"')
        if when is not None and maxBytes > 0:
            raise ValueError("when= and maxBytes= exclude each other: rotate by time or by size")
        self.baseFilename = os.path.abspath(os.fsdecode(filename))
        self.mode, self.encoding, self.errors = mode, encoding or "utf-8", errors
        _check_encoding(self.encoding)
        if errors is not None:
            lookup_error(errors)
        self._syncs = _by_level(sync)
        if when is not None:
            chosen = When(when, interval, backupCount, utc, atTime)
            rotation: Rotation = TimeRotation(self.baseFilename, chosen, clock=clock)
        else:
            rotation = _by_size(maxBytes, backupCount)
        self._options = Options(
            rotation=rotation,
            is_whole=whole_text(self.encoding),
            on_torn=self._settled,
            vfs=vfs,
            permissions=permissions,
            syncs=any(each != "never" for _, each in self._syncs),
        )
        self._empties = mode == "w" and when is None and maxBytes <= 0
        self._is_closed = False
        self._writer: LineWriter | None = None
        self.recovered: list[TornEnd] = []
        super().__init__()
        if not delay:
            self._open()

    def _settled(self, torn: TornEnd) -> None:
        self.recovered.append(torn)

    def _open(self) -> LineWriter:
        self.acquire()
        try:
            if self._writer is None:
                writer = LineWriter(self.baseFilename, self._options)
                writer.prepare(empty=self._empties)
                self._empties = False
                self._writer = writer
            return self._writer
        finally:
            self.release()

    # ------------------------------------------------------------ records

    def handle(self, record: logging.LogRecord) -> bool:
        """Emit a record that passes the filters; without holding the lock of the handler.

        Threads that log at the same time share a write and a sync.
        """
        found = cast("object", self.filter(record))  # from Python 3.12 on perhaps another record
        if found:
            self.emit(record if found is True else cast("logging.LogRecord", found))
        return bool(found)

    def emit(self, record: logging.LogRecord) -> None:
        """Append a record; it is durable on return if `sync` says so for its level.

        Raises:
            RecursionError: As every handler of `logging`: there is no room to report it.
        """
        try:
            self._append(self._encoded(record), self._sync_of(record.levelno or logging.NOTSET))
        except RecursionError:
            raise
        except Exception:
            self.handleError(record)

    def _encoded(self, record: logging.LogRecord) -> bytes:
        self.acquire()  # formatters need not be safe for threads
        try:
            text = self.format(record)
        finally:
            self.release()
        return (text + self.terminator).encode(self.encoding, self.errors or "backslashreplace")

    def _sync_of(self, level: int) -> LogSync:
        chosen = self._syncs[0][1]
        for lowest, sync in self._syncs:
            if lowest <= level:
                chosen = sync
        if self._is_closed and chosen != "never":
            return "always"  # logging after the end: nobody would come back to sync it
        return chosen

    def _append(self, line: bytes, sync: LogSync) -> None:
        writer = self._writer or self._open()
        try:
            writer.append_or_defer(line, sync)
        except Closed:  # by another thread, a moment ago
            self._drop(writer)
            self._open().append_or_defer(line, sync)
        except HandlePoisoned:  # of records before: this one goes on, and then they are reported
            self._drop(writer)
            self._open().append_or_defer(line, sync)
            raise
        except OSError:
            if writer.is_poisoned:
                self._drop(writer)
            raise

    def _drop(self, writer: LineWriter) -> None:
        """Open the file anew for the next record (I4)."""
        self.acquire()
        try:
            if self._writer is writer:
                self._writer = None
        finally:
            self.release()
        try:
            writer.close()
        except (OSError, HandlePoisoned):
            pass  # it is being reported

    # ------------------------------------------------------------ the rest

    def doRollover(self) -> None:  # noqa: N802 (as the handlers that it replaces)
        """Rotate now, unless the file is empty.

        Raises:
            OSError: Perhaps not all files have their new names; no record is lost.
        """
        self._open().rotate()

    def flush(self) -> None:
        """Make everything durable that was logged; a failure is reported by `handleError`."""
        writer = self._writer
        if writer is None or writer.is_interrupting:
            return
        try:
            writer.barrier()
        except Closed:
            pass
        except (OSError, HandlePoisoned):
            self._report("not all records may be durable")

    def close(self) -> None:
        """Make everything durable, and close; a failure is reported. A later record opens anew."""
        self.acquire()
        try:
            writer, self._writer = self._writer, None
            self._is_closed = True
        finally:
            self.release()
        try:
            if writer is not None:
                writer.close()
        except (OSError, HandlePoisoned):
            self._report("not all records may be durable")
        super().close()

    def _report(self, message: str) -> None:
        self.handleError(
            logging.makeLogRecord({"name": __name__, "msg": f"{self.baseFilename}: {message}"})
        )

    def __repr__(self) -> str:
        level = logging.getLevelName(self.level)
        return f"<{type(self).__name__} {self.baseFilename} ({level})>"


def _check_encoding(encoding: str) -> None:
    if "\n".encode(encoding) != b"\n":
        raise ValueError(
            f"encoding={encoding!r}: a newline is no single byte in it, so lines could not be told "
            'apart. Take "utf-8".'
        )


def _by_size(max_bytes: int, count: int) -> SizeRotation:
    """As `RotatingFileHandler`, which rotates only if both are above 0."""
    return SizeRotation(max_bytes if max_bytes > 0 and count > 0 else None, count or None)


def _by_level(sync: LogSync | Mapping[int | str, LogSync]) -> tuple[tuple[int, LogSync], ...]:
    """Return what is to be done from which level on, lowest first."""
    if isinstance(sync, (str, int, float)):
        check_sync(sync)
        return ((logging.NOTSET, sync),)
    found: list[tuple[int, LogSync]] = []
    for level, each in sync.items():
        check_sync(each)
        found.append((_level(level), each))
    if not found:
        raise ValueError('sync={}: give at least one level, such as {"ERROR": "always"}')
    return tuple(sorted(found, key=lambda pair: pair[0]))


def _level(level: int | str) -> int:
    if isinstance(level, int):
        return level
    known = logging.getLevelNamesMapping()
    if level not in known:
        raise ValueError(f"sync: {level!r} is no level that logging knows")
    return known[level]
