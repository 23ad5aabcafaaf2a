"""How much of an appended file may be lost, kept to that by time and by bytes.

Guarantee: of what was written, no byte is unsynced for longer than `sync_every_s` and one sync
    (two, where a sync takes longer than that), whether or not anybody writes again; and never more
    than `max_unsynced_bytes`. Not guaranteed: that a sync is quick. A writer that has filled the
    window waits for it.

I1  `durable` never says more than the device has confirmed: it is moved by a sync that succeeded,
    to where the file ended before that sync began.
I2  The first failed sync is the last: from then on nothing is written or synced, and every call is
    `HandlePoisoned`.
I3  A write goes to the system at once, or after what is buffered; what the system took is counted,
    also of a write that fails. Writes of several threads follow each other.
I4  Where the timer could not pass on what is buffered, the next write does it first, or fails.
I5  A forked child has no timer until it writes, no copy of the buffer, and closes what it never
    used without a sync. Parent and child append behind each other.
"""

from __future__ import annotations

import atexit
import os
from threading import RLock
from weakref import WeakSet

from holdfast.errors import Closed, HandlePoisoned
from holdfast.primitives.stream_timer import SyncTimer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from holdfast.primitives.stream_file import StreamFile
    from holdfast.vfs import Clock

__all__ = ["Window"]


class Window:
    """An open file, with how much of it is written and durable."""

    def __init__(
        self,
        file: StreamFile,
        *,
        sync_every_s: float,
        max_unsynced_bytes: int,
        buffer_bytes: int,
        clock: Clock,
    ) -> None:
        self._file = file
        self._most = max_unsynced_bytes
        self._buffer_bytes = buffer_bytes
        self._buffer = bytearray()
        self._is_stuck = False  # the timer could not pass on what is buffered (I4)
        self._written = self._durable = file.start
        self._timer = SyncTimer(sync_every_s, clock=clock)
        self._failure: OSError | None = None
        self._is_shared = False  # with another process, since a fork
        self._is_inherited = False  # in a child that has not used it
        self._make_locks()
        _windows.add(self)

    def _make_locks(self) -> None:
        # They can be taken again by their thread: the collector may close another stream, or this
        # one, in the midst of anything.
        self._writing = RLock()  # for one write
        self._syncing = RLock()  # for one sync

    # ------------------------------------------------------------ looking

    @property
    def written(self) -> int:
        """Where the file ends, with what is buffered."""
        return self._written + len(self._buffer)

    @property
    def durable(self) -> int:
        """Up to where it is durable (I1)."""
        return self._durable

    @property
    def unsynced_bytes(self) -> int:
        """How many bytes are not known durable."""
        return self.written - self._durable

    @property
    def oldest_unsynced_s(self) -> float | None:
        """For how long the oldest of these has been waiting; None if there are none."""
        return self._timer.age_s if self.unsynced_bytes else None

    @property
    def is_own(self) -> bool:
        """False in a forked child that has not used it (I5)."""
        return not self._is_inherited

    def check(self) -> None:
        """Refuse after the end, and after a failed sync (I2).

        Raises:
            HandlePoisoned: a sync has failed; what is before `durable` is safe.
            Closed: it is closed.
        """
        path, failure = self._file.path, self._failure
        if failure is not None:
            message = f"{path}: an earlier sync failed ({failure.strerror}). {self._state()}"
            raise HandlePoisoned(
                message, path=path, first=failure, durable=self._durable
            ) from failure
        if self._timer.is_over:
            raise Closed(f"{path}: is closed. What was written stands. Open it anew.")

    def _state(self) -> str:
        """What is on disk after a failed sync, and what to do."""
        return (
            f"The first {self._durable} bytes are durable; what follows may be lost. Close it, and"
            " go on in another file."
        )

    # ------------------------------------------------------------ writing

    def write(self, data: bytes | memoryview) -> int:
        """Pass all of it to the system, or to the buffer (I3).

        Raises:
            HandlePoisoned: a sync has failed; nothing was written.
            Closed: it is closed; nothing was written.
            OSError: `characters_written` bytes of it were written.
        """
        with self._writing:
            self._begin()
            size, done = len(data), 0
            try:
                if self._buffer_bytes:
                    if self._keeps(data, size):
                        return size
                    self._empty()
                if 0 < size <= self._most - self._written + self._durable:  # all others are rare
                    done = self._put(data)
                while done < size:
                    room = self._room_for(size - done)
                    done += self._put(memoryview(data)[done : done + room])
            except OSError as error:
                self._explain(error, done, size)
                raise
            return size

    def _begin(self) -> None:
        """Refuse, or see to it that the timer runs, before anything is written."""
        if self._failure is not None or self._timer.is_over:
            self.check()
        if not self._timer.runs:
            self._is_inherited = False
            self._timer.start(self._keep)

    def _keeps(self, data: bytes | memoryview, size: int) -> bool:
        """Take it into the buffer if it fits; make room there first."""
        if self._is_stuck or len(self._buffer) + size > self._buffer_bytes:
            self._empty()
        if size >= self._buffer_bytes:
            return False
        self._room_for(size)
        self._buffer += data
        self._timer.note()
        return True

    def _empty(self) -> None:
        """Pass what is buffered to the system; what it does not take stays."""
        while self._buffer:
            start, count = self._written, 0
            try:
                count = self._put(bytes(self._buffer))
            except BaseException:  # interrupted: what the system took must not be passed on twice
                count = 0 if self._is_shared else self._written - start
                raise
            finally:
                del self._buffer[:count]
        self._is_stuck = False

    def _room_for(self, size: int) -> int:
        """Wait until the window has room; return for how much of `size` bytes it has."""
        wanted = min(size, self._most)
        while self._most - self.unsynced_bytes < wanted:
            self._sync_file()
        return wanted

    def _put(self, data: bytes | memoryview) -> int:
        """Write at the end, and count what the system took (I3)."""
        try:
            count = self._file.write(data)
            self._written = self._file.position() if self._is_shared else self._written + count
        except OSError:
            raise
        except BaseException:  # interrupted: before it, or after
            self._written = self._file.position()
            raise
        self._timer.note()
        return count

    def _explain(self, error: Any, done: int, size: int) -> None:
        error.characters_written = done
        if self._failure is not None:  # of a sync, which says so itself
            return
        error.filename = error.filename or self._file.path
        error.add_note(
            f"{self._file.path}: {done} of the {size} bytes of this write were taken. What came"
            " before stands. Write the rest when the cause is mended."
        )

    def flush(self) -> None:
        """Pass what is buffered to the system; nothing after the end.

        Raises:
            HandlePoisoned: a sync has failed; what is buffered is lost.
            OSError: a part may be written; the rest stays buffered.
        """
        with self._writing:
            if self._timer.is_over:
                return
            self.check()
            try:
                self._empty()
            except OSError as error:
                error.filename = error.filename or self._file.path
                error.add_note(
                    f"{self._file.path}: {len(self._buffer)} buffered bytes could not be written."
                    " They stay buffered. Make room, and flush again."
                )
                raise

    # ------------------------------------------------------------ syncing

    def sync(self) -> None:
        """Return when all that was written before is durable (I1).

        Raises:
            HandlePoisoned: an earlier sync has failed.
            Closed: it is closed.
            OSError: this sync failed, and it is the last (I2); or what is buffered cannot be
                written, and stays buffered.
        """
        self.check()
        self._is_inherited = False
        if self._buffer:
            self.flush()
        self._sync_file()

    def _sync_file(self, *, joins: bool = True) -> None:
        """Sync; with `joins`, not if another sync meanwhile covered what is written now."""
        wanted = self._written
        with self._syncing:
            self.check()
            if joins and self._durable >= wanted and self._file.is_named:
                return
            self._timer.cover()
            end, done = self._written, False
            if self._buffer:
                self._timer.note()
            try:
                if self._durable < end or not self._file.is_named:
                    self._sync_up_to(end)
                done = True
            finally:
                self._timer.end_cover(done=done)

    def _sync_up_to(self, end: int) -> None:
        try:
            self._file.sync()
        except OSError as error:
            self._failure = error  # first of all: an interrupt must not come in between
            self._timer.give_up()
            error.filename = error.filename or self._file.path
            error.add_note(self._state())
            raise
        self._durable = max(end, self._durable)

    def _keep(self) -> bool:
        """What the timer does: sync, whoever writes or not."""
        try:
            if self._buffer:
                self.flush()
            self._sync_file(joins=False)
        except (OSError, HandlePoisoned, Closed):
            self._is_stuck = True
            return False
        return True

    # ------------------------------------------------------------ the end

    def close(self) -> None:
        """Sync, and close; a child that never used it only closes (I5).

        Raises:
            HandlePoisoned: an earlier sync has failed; it is closed.
            OSError: not all is durable; it is closed.
        """
        try:
            self._close_file()
        finally:
            self._timer.join()

    def _close_file(self) -> None:
        with self._writing:
            if self._timer.is_over:
                return
            try:
                if not self._is_inherited:
                    self.sync()
            finally:
                self._timer.stop()
                with self._syncing:
                    self._file.close()

    def stop_buffering(self) -> None:
        """Pass on what is buffered, and gather no more: the program ends, its threads still run."""
        with self._writing:
            try:
                self.flush()
            except (OSError, HandlePoisoned):
                return  # it is told to whoever closes it
            self._buffer_bytes = 0

    def abandon(self) -> None:
        """Close without a sync, and without waiting: the interpreter is being taken apart."""
        if self._timer.is_over or not self._writing.acquire(blocking=False):
            return
        try:
            if self._failure is None and not self._is_inherited:
                self._empty()
        finally:
            self._timer.is_over = True
            self._file.close_quietly()
            self._writing.release()

    def forget_parent(self) -> None:
        """In a forked child: no timer, no lock held, and the buffer is the parent's (I5)."""
        self._make_locks()
        self._timer.renew()
        self._buffer = bytearray()
        self._is_shared = self._is_inherited = True

    def share(self) -> None:
        """In the parent: the child may move the end of the file as well (I5)."""
        self._is_shared = True


_windows: WeakSet[Window] = WeakSet()


def _in_child() -> None:
    for window in list(_windows):
        window.forget_parent()


def _in_parent() -> None:
    for window in list(_windows):
        window.share()


def _at_exit() -> None:
    for window in list(_windows):
        window.stop_buffering()


# While the threads still run: afterwards one may be stopped for good with a lock in its hands.
atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child, after_in_parent=_in_parent)
