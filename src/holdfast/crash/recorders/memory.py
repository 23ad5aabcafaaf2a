"""Records what happens on a memory filesystem: the calls of holdfast's own seam."""

from __future__ import annotations

import inspect
import os
import threading
from typing import TYPE_CHECKING, Final

from holdfast.crash.recorders.check import check_replay
from holdfast.crash.recording import Call, Recording, Site
from holdfast.vfs import trace as tracing
from holdfast.vfs.operations import Mark
from holdfast.vfs.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.vfs import VFS
    from holdfast.vfs.memory import MemoryVFS
    from holdfast.vfs.trace import Traced

__all__ = ["record_memory"]

_LIBRARY: Final = os.path.dirname(os.path.dirname(os.path.abspath(tracing.__file__))) + os.sep
_FRAMES_MAX: Final = 200


def record_memory(disk: MemoryVFS, action: Callable[[VFS], object]) -> Recording:
    """Record what an action does on a memory filesystem; what it holds now counts as durable.

    An exception of the action ends it with status 1 and a note; it is not raised again, so that a
    crash after a fault can be tried. Calls that change nothing are not listed, failed ones are.

    Args:
        disk: where the action works.
        action: is given `disk` with a tracer around it, to be passed on as `vfs=`.

    Raises:
        RecordingRefused: a replay of the operations does not give what the disk holds.
    """
    before = disk.core.freeze()
    book = _Book(disk)
    trace = Trace(disk)
    trace.subscribe(book.note)
    status = 0
    notes: tuple[str, ...] = ()
    try:
        action(trace)
    except Exception as error:
        status, notes = 1, (f"the action raised {type(error).__name__}: {error}",)
    book.finish()
    operations = tuple(disk.core.operations[book.start :])
    after = disk.core.freeze()
    check_replay(before, operations, after)
    origins = tuple(book.origins)
    return Recording(before, operations, origins, tuple(book.calls), after, status, "memory", notes)


class _Book:
    """Which call each operation came from."""

    def __init__(self, disk: MemoryVFS) -> None:
        self.calls: list[Call] = []
        self.origins: list[int] = []
        self.start = len(disk.core.operations)
        self._disk = disk
        self._lock = threading.Lock()

    def note(self, traced: Traced) -> None:
        """One call is over."""
        with self._lock:
            done = self._marks()
            if done or traced.error is not None:
                self._begin(traced.text, _sites(), traced.error)
                self.origins += [len(self.calls) - 1] * done

    def _marks(self) -> int:
        """Give each acknowledgement a call; return how many operations come after the last one."""
        new = self._disk.core.operations[self.start + len(self.origins) :]
        plain = 0
        for operation in new:
            plain += 1
            if isinstance(operation, Mark):
                self._begin(f"ack({operation.text!r})", (), None)
                self.origins += [len(self.calls) - 1] * plain
                plain = 0
        return plain

    def _begin(self, text: str, sites: tuple[Site, ...], error: str | None) -> None:
        place = (os.getpid(), threading.get_native_id())
        self.calls.append(Call(len(self.calls) + 1, text, *place, sites, error))

    def finish(self) -> None:
        """Account for what came after the last call."""
        with self._lock:
            if rest := self._marks():
                self._begin("(after the last call)", (), None)
                self.origins += [len(self.calls) - 1] * rest


def _sites() -> tuple[Site, ...]:
    """The lines of the program, not of holdfast, that led here."""
    found: list[Site] = []
    frame = inspect.currentframe()
    for _ in range(_FRAMES_MAX):
        if frame is None:
            break
        code = frame.f_code
        if not code.co_filename.startswith(_LIBRARY):
            found.append(Site(code.co_filename, frame.f_lineno, code.co_qualname))
        frame = frame.f_back
    return tuple(found)
