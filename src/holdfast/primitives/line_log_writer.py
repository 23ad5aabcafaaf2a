"""Appending to a line log, for any number of threads: the write, the lock, and the sync.

Guarantee: lines that `append` was given with `"always"` are durable when it returns; those with a
number of seconds become durable within that time and one sync, also when nobody appends again, and
at the latest when the writer is closed or the interpreter ends. Lines of one thread stand in the
order of its calls, each once and whole. Processes take turns by the lock of the log.

I1  Only who has the turn (`Batches`) touches the file, and only who has `_syncing` syncs it; the
    turn comes first.
I2  The lock of the log is held for the write, and never for a sync that somebody waits for.
I3  A sync that failed is the last: everything after it is refused (`HandlePoisoned`).
I4  A forked child has nothing pending and nothing open; what its parent was about to do, it does.
"""

from __future__ import annotations

import atexit
import os
import threading
from weakref import WeakSet

from holdfast.errors import Closed, HandlePoisoned, HoldfastError
from holdfast.primitives.folders import close_quietly, open_folder
from holdfast.primitives.line_log_batches import Batches
from holdfast.primitives.line_log_file import LineFile
from holdfast.primitives.line_log_names import LOCK, refuse_other_kinds
from holdfast.primitives.lock import FileLock
from holdfast.primitives.timer import Timer
from holdfast.vfs import CLOCK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.primitives.line_log_batches import Batch, LogSync
    from holdfast.primitives.line_log_file import Options
    from holdfast.vfs import Sync

__all__ = ["LineWriter"]


class LineWriter:
    """Appends whole lines to one log; for any number of threads."""

    def __init__(self, path: str, options: Options) -> None:
        self.path = path
        self._options = options
        self._batches = Batches(path, self._commit, backlog=self._drain_soon)
        self._syncing = threading.Lock()
        self._timer = Timer(self._sync_in_background, name="holdfast-line-log", clock=CLOCK)
        self._file: LineFile | None = None
        self._lock: FileLock | None = None
        self._closed = False
        self._failure: OSError | None = None
        self._failure_is_known = False
        _writers.add(self)

    def forget_parent(self) -> None:
        """After a fork, in the child (I4)."""
        self._batches.reset()
        self._syncing = threading.Lock()
        self._timer.reset()
        if self._file is not None:
            self._file.forget()

    @property
    def is_poisoned(self) -> bool:
        """Whether a sync has failed."""
        return self._failure is not None

    @property
    def is_interrupting(self) -> bool:
        """Whether this code runs in a signal handler inside a call on this very log."""
        return self._batches.is_interrupting

    # ------------------------------------------------------------ what callers ask for

    def append(self, lines: list[bytes], sync: LogSync) -> None:
        """Append lines, in one write if they belong into one file.

        Raises:
            OSError: none of them is acknowledged; the note says what stands in the log.
            HandlePoisoned: an earlier sync failed; none of them stands in the log.
            Closed: after `close`.
            Interrupting: a signal handler interrupted this very thread in such a call.
        """
        if lines:
            self._batches.append(lines, sync)

    def append_or_defer(self, line: bytes, sync: LogSync) -> None:
        """Append a line; in a signal handler inside such a call, leave it to that call.

        Raises:
            OSError: as `append`.
            HandlePoisoned: as `append`.
            Closed: as `append`.
        """
        if self._batches.is_interrupting:
            self._batches.defer(line, sync)
        else:
            self._batches.append([line], sync)

    def prepare(self, *, empty: bool = False) -> None:
        """Open the log, made if it is missing, and emptied if that is wanted.

        Raises:
            OSError: it cannot be opened; it is as it was.
        """
        self._alone(lambda file: file.prepare(empty=empty))

    def rotate(self) -> None:
        """Rotate now.

        Raises:
            OSError: perhaps not all files have moved; no line is lost.
        """
        self._alone(LineFile.rotate)

    def barrier(self) -> None:
        """Return when all that this writer has appended is durable.

        Raises:
            OSError: perhaps not all of it is.
            HandlePoisoned: an earlier sync failed.
            Closed: after `close`.
            Interrupting: as `append`.
        """
        with self._batches, self._batches.turn:
            self._refuse_if_unusable()
            self._timer.cancel()
            if self._file is not None:
                self._sync(self._file, self._file.sync)
                self._sync(self._file, self._file.sync_name)

    def close(self) -> None:
        """Make durable what a number of seconds was given for, and close; idempotent.

        Raises:
            OSError: perhaps not all of it is durable; it is closed all the same.
            HandlePoisoned: a sync failed of which nobody was told yet.
        """
        if self._batches.is_interrupting:
            self._batches.when_left(self.close)
            return
        self._batches.drain()
        with self._batches, self._batches.turn:
            is_first, self._closed = not self._closed, True
            if is_first:
                self._timer.cancel()
                self._close()
        if self._failure is not None and not self._failure_is_known:
            self._failure_is_known = True
            raise self._poisoned()

    def _close(self) -> None:
        file, lock = self._file, self._lock
        self._file = self._lock = None
        try:
            if file is not None and self._failure is None and self._options.syncs:
                self._sync(file, file.sync)
        finally:
            if file is not None:
                file.forget()
            if lock is not None:
                lock.close()

    def finish(self) -> None:
        """Sync what is pending, at the end of the interpreter; never fails."""
        try:
            if self._file is not None and self._options.syncs:
                self.barrier()
        except (OSError, HoldfastError, RuntimeError):
            pass  # nobody is left to be told

    # ------------------------------------------------------------ the write

    def _commit(self, batch: Batch) -> None:
        """Append the lines of a batch, and sync them if somebody waits for that."""
        self._refuse_if_unusable()
        file, _ = self._ready()
        before = file.appended
        try:
            self._locked(lambda file: _append_all(file, batch.lines))
        finally:
            batch.appended = file.appended - before
        if batch.now or (batch.within_s is not None and not self._is_due(batch.within_s)):
            batch.unsure = True
            self._timer.cancel()
            self._sync(file, file.sync)
            batch.unsure = False

    def _is_due(self, within_s: float) -> bool:
        """See to a sync in time; False where no thread can be had for it."""
        try:
            self._timer.within(within_s)
        except (RuntimeError, MemoryError):
            return False
        return True

    def _alone(self, do: Callable[[LineFile], None]) -> None:
        with self._batches, self._batches.turn:
            self._refuse_if_unusable()
            self._locked(do)

    def _locked(self, do: Callable[[LineFile], None]) -> None:
        """Do something with the file under the lock of the log (I1, I2)."""
        file, lock = self._ready()
        if lock.locked:  # an interrupt came in between
            lock.release()
        try:
            self._acquire(file, lock)
            do(file)
        finally:
            try:
                if lock.locked:
                    lock.release()
            finally:  # once more, if an interrupt has struck in there: others wait for it
                if lock.locked:
                    lock.release()
                self._note_failure(file)

    def _acquire(self, file: LineFile, lock: FileLock) -> None:
        try:
            lock.acquire()
        except FileNotFoundError:  # somebody has removed the folder
            self._make_folder(file.path)
            lock.acquire()

    def _ready(self) -> tuple[LineFile, FileLock]:
        """Find out, once, where the log is; its folder is made if it is missing."""
        file, lock = self._file, self._lock
        if file is None or lock is None:
            vfs = self._options.vfs
            path = vfs.resolve(self.path)
            self._refuse_other_kinds(path)
            self._make_folder(path)
            file = self._file = LineFile(path, self._options)
            lock = FileLock(path + LOCK, vfs=vfs, permissions=self._options.permissions)
            self._lock = lock
        return file, lock

    def _refuse_other_kinds(self, path: str) -> None:
        """See that it is a file, or missing, before a lock is made beside it."""
        try:
            info = self._options.vfs.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return
        refuse_other_kinds(path, info)

    def _make_folder(self, path: str) -> None:
        sync: Sync = "always" if self._options.syncs else "never"
        close_quietly(open_folder(os.path.dirname(path), sync=sync, vfs=self._options.vfs))

    # ------------------------------------------------------------ the sync

    def _sync(self, file: LineFile, sync: Callable[[], None]) -> None:
        with self._syncing:
            self._refuse_if_unusable(closed=False)
            try:
                sync()
            except OSError as error:
                self._note_failure(file)
                error.add_note(
                    f"{self.path}: the sync failed. What was appended since the last good one may "
                    "be lost, and no other sync would tell. Open the log anew to go on."
                )
                raise
            except BaseException:  # interrupted: what shall be durable in time is still due
                self._is_due(0.0)
                raise

    def _sync_in_background(self) -> None:
        """Sync what is pending without holding up who appends; a failure is told later."""
        self._batches.drain()
        with self._batches.turn:
            file = self._file
            if file is None or self._failure is not None:
                return
            try:
                duplicate = file.duplicate()
            except OSError:  # no more descriptors: then they are held up
                duplicate = None
                self._sync_quietly(file, file.sync)
            if duplicate is None:
                return
            self._syncing.acquire()
        try:
            self._sync_quietly(file, lambda: file.sync_now(duplicate))
        finally:
            self._syncing.release()
            close_quietly(duplicate)

    def _drain_soon(self) -> None:
        self._is_due(0.001)  # without a thread, the next call does it

    def _sync_quietly(self, file: LineFile, sync: Callable[[], None]) -> None:
        try:
            sync()
        except OSError:
            self._failure = file.failed

    # ------------------------------------------------------------ refusing

    def _note_failure(self, file: LineFile) -> None:
        if file.failed is not None and self._failure is None:
            self._failure = file.failed
            self._failure_is_known = True

    def _refuse_if_unusable(self, *, closed: bool = True) -> None:
        if self._closed and closed:
            raise Closed(
                f"{self.path}: this log was closed. What it had acknowledged is on disk. "
                "Open it anew."
            )
        if self._failure is not None:
            self._failure_is_known = True
            raise self._poisoned()

    def _poisoned(self) -> HandlePoisoned:
        return HandlePoisoned(
            f"{self.path}: an earlier sync failed ({self._failure}). What was appended since the "
            "last good one may be lost. Open the log anew to go on.",
            path=self.path,
            first=self._failure,
            durable=None,
        )


def _append_all(file: LineFile, lines: list[bytes]) -> None:
    """Append lines to one file after the other, as rotations want it."""
    done = 0
    while done < len(lines):
        done += file.append(lines[done:] if done else lines, is_rest=done > 0)


_writers: WeakSet[LineWriter] = WeakSet()


def _finish_all() -> None:
    for writer in list(_writers):
        writer.finish()


def _forget_parents() -> None:
    for writer in list(_writers):
        writer.forget_parent()


atexit.register(_finish_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parents)
