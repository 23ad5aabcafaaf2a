"""Threads that append to one log at the same time share one write and one sync.

I1  Threads that come while another one writes form the next batch; the first of them leads it, in
    its turn, and the others wait at one gate. A thread that comes alone writes at once.
I2  A leader that is interrupted (`KeyboardInterrupt`) takes nobody along: lines of others that do
    not stand in the log are appended by a later batch, and none is appended twice. Whoever makes a
    batch opens its gate, whatever strikes.
I3  A signal handler that strikes inside a call never waits for the thread that it has interrupted:
    it is refused, or leaves its line to that call. A call is over when its frame has left the
    stack, also if an interrupt kept it from saying so.
"""

from __future__ import annotations

import sys
import threading
from collections import deque

from holdfast.errors import HoldfastError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Literal, TypeAlias

    LogSync: TypeAlias = "Literal['always', 'never'] | float"

__all__ = ["Batch", "Batches", "Interrupting", "check_sync"]

# Private by its letters alone: documented in `sys`, and `inspect` costs milliseconds.
_frame = sys._getframe  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


class Interrupting(RuntimeError):
    """A signal handler asks for what the thread that it has interrupted is in the middle of."""


def check_sync(sync: object) -> None:
    """Refuse what is no way to sync.

    Raises:
        ValueError: it is none; nothing was done.
    """
    if sync in ("always", "never"):
        return
    if isinstance(sync, (int, float)) and not isinstance(sync, bool) and 0 < sync < float("inf"):
        return
    raise ValueError(f'sync={sync!r}: it must be "always", "never" or a number of seconds above 0')


class Batch:
    """Lines that go into the log together, and how that ended.

    `now`: somebody waits for a sync; `within_s`: it is due then. `appended`: so many of the lines
    stand in the log; with `unsure` they may be lost all the same. `is_done`: it had its turn.
    """

    __slots__ = ("appended", "error", "gate", "is_done", "lines", "now", "unsure", "within_s")

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.now = False
        self.within_s: float | None = None
        self.gate = threading.Lock()
        self.gate.acquire()
        self.appended = 0
        self.error: BaseException | None = None
        self.unsure = False
        self.is_done = False

    def add(self, lines: list[bytes], sync: LogSync) -> int:
        """Take lines in, and return the number of the first."""
        at = len(self.lines)
        self.lines += lines
        if sync == "always":
            self.now = True
        elif not isinstance(sync, str):
            self.within_s = sync if self.within_s is None else min(sync, self.within_s)
        return at


class Batches:
    """The threads of one log.

    `commit` appends a batch; `backlog` sees to it that `drain` is called soon. Attributes: `turn`
    is held by whoever works on the log.
    """

    __slots__ = (
        *("_backlog", "_commit", "_deferred", "_inside", "_mutex", "_next", "_on_left", "_path"),
        "turn",
    )

    def __init__(
        self, path: str, commit: Callable[[Batch], None], *, backlog: Callable[[], object]
    ) -> None:
        self._path = path
        self._commit = commit
        self._backlog = backlog
        self.reset()

    def reset(self) -> None:
        """Begin with nobody inside: for a forked child, too."""
        self._mutex = threading.Lock()
        self.turn = threading.Lock()
        self._next: Batch | None = None
        self._inside: dict[int, FrameType] = {}  # what is called, by thread
        self._deferred: deque[tuple[list[bytes], LogSync]] = deque()
        self._on_left: Callable[[], None] | None = None

    # ------------------------------------------------------------ who is inside

    @property
    def is_interrupting(self) -> bool:
        """Whether this code runs in a signal handler inside a call on this log (I3)."""
        frame = self._inside.get(threading.get_ident())
        return frame is not None and _is_running(frame)

    def defer(self, line: bytes, sync: LogSync) -> None:
        """Leave a line to the call that was interrupted (I3)."""
        self._deferred.append(([line], sync))

    def when_left(self, do: Callable[[], None]) -> None:
        """Have something done when the call that was interrupted is over (I3)."""
        self._on_left = do

    def __enter__(self) -> None:
        """Note that this thread is inside."""
        if self.is_interrupting:
            raise Interrupting(
                f"{self._path}: this signal handler has interrupted a call on this very log. "
                "Nothing was done. Do it after the handler, or log by DurableHandler, which waits."
            )
        self._inside[threading.get_ident()] = _frame(1)

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        """Note that it has left, and do what was left to it."""
        me, frame = threading.get_ident(), _frame(1)
        if self._deferred:
            self._append_deferred()
        for _ in range(2):  # all that touches a lock is done inside
            if self._deferred:
                self._backlog()
            self._inside.pop(me, None)
            if not self._deferred:
                break
            self._inside[me] = frame
        self._inside.pop(me, None)
        do, self._on_left = self._on_left, None
        if do is not None:
            do()

    def drain(self) -> None:
        """Append what signal handlers have left; they have nobody who could be told."""
        me = threading.get_ident()
        self._inside[me] = _frame()
        try:
            self._append_deferred()
        finally:
            self._inside.pop(me, None)

    def _append_deferred(self) -> None:
        left = Batch()
        while self._deferred:
            try:
                left.add(*self._deferred.popleft())
            except IndexError:
                break
        if left.lines:
            try:
                self._append(left.lines, "always" if left.now else left.within_s or "never")
            except (OSError, HoldfastError):
                pass

    # ------------------------------------------------------------ appending together

    def append(self, lines: list[bytes], sync: LogSync) -> None:
        """Append lines with those of other threads.

        Raises:
            Exception: what the commit of the batch has raised, if it was about these lines.
        """
        with self:
            self._append(lines, sync)

    def _append(self, lines: list[bytes], sync: LogSync) -> None:
        is_over = False
        while not is_over:
            own = Batch()
            try:
                with self._mutex:
                    batch = self._next
                    if batch is None:
                        batch = self._next = own
                    at = batch.add(lines, sync)
                if batch is own:
                    self._lead(batch)
                else:
                    with batch.gate:  # one step: an interrupt in between would lock all others out
                        pass
            finally:  # here and not in `_lead`: an interrupt may strike before that begins
                try:
                    self._take_no_more(own)
                finally:
                    own.gate.release()
            mine = range(at, at + len(lines))
            is_over = batch.is_done and self._is_told(batch, mine, is_first=batch is own)

    def _lead(self, batch: Batch) -> None:
        """Append a batch when it is its turn (I1)."""
        with self.turn:
            self._take_no_more(batch)
            batch.is_done = True
            try:
                self._commit(batch)
            except BaseException as error:
                batch.error = error

    def _take_no_more(self, batch: Batch) -> None:
        if self._next is batch:
            with self._mutex:
                self._next = None

    def _is_told(self, batch: Batch, mine: range, *, is_first: bool) -> bool:
        """Raise what happened to these lines; False if they must be appended once more (I2)."""
        error = batch.error
        if error is None:
            return True
        stand = max(0, min(batch.appended, mine.stop) - mine.start)
        if stand == len(mine) and not batch.unsure:
            return True
        if not is_first and not isinstance(error, Exception):
            if not stand:
                return False
            error = InterruptedError(
                f"{self._path}: the thread that appended this was interrupted. It stands in the "
                "log, and perhaps not on the disk. Make sure of it by `barrier()`."
            )
        elif not is_first:
            error = _copied(error)
        if 0 < stand < len(mine):
            error.add_note(
                f"{self._path}: the first {stand} of {len(mine)} records stand in the log."
            )
        raise error


def _is_running(frame: FrameType) -> bool:
    """Whether this thread is in the midst of what the frame belongs to."""
    other: FrameType | None = _frame(1)
    while other is not None and other is not frame:
        other = other.f_back
    return other is not None


def _copied(error: BaseException) -> BaseException:
    """The same error for another thread: one object would collect the traces of both."""
    from copy import copy

    try:
        other = copy(error)
    except Exception:
        return error
    for note in getattr(error, "__notes__", ()):
        if note not in getattr(other, "__notes__", ()):
            other.add_note(note)
    return other
