"""When and how a journal writes its checkpoints.

Guarantee: the log since the last checkpoint is not much longer than the checkpoint, or than the
    bound; so is what the next opening has to replay. A checkpoint counts when it is durable, and
    only then is anything dropped. Nobody waits for it: the state is looked at in short slices.

I1  One process at a time writes one: it holds the lock of the file `journal`.
I2  A checkpoint counts only when the log is durable up to the last commit that left a trace in it.
I3  Lock, state, checkpoints and log are of one journal: where another one has taken the place, as a
    backup does that is restored, nothing is written to it, nor dropped, on account of the old one.
"""

from __future__ import annotations

from _thread import get_ident
from itertools import chain

from holdfast.light_threading import Lock
from holdfast.state.journal_place import replaced
from holdfast.state.nesting import marks_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Thread
    from typing import Any, Generic, TypeVar

    from holdfast.formats.journal_format import CheckpointHead
    from holdfast.state.checkpoints import Checkpoints
    from holdfast.state.machine_reading import MachineReading
    from holdfast.vfs import Folder
else:
    from holdfast.light_typing import Generic, TypeVar

__all__ = ["Checkpointer"]

S = TypeVar("S")
_T = TypeVar("_T")
_TURN_S = 0.0002


class Checkpointer:
    """Writes checkpoints of a machine: when asked, and on a thread when the log has grown.

    Args:
        machine: the machine.
        limit_bytes: how much may be committed before the next one; None: it is asked for.
        barrier: returns when every commit so far is durable.
        name: of the thread.
    """

    def __init__(
        self,
        machine: MachineReading[Any],
        limit_bytes: int | None,
        *,
        barrier: Callable[[], object],
        name: str,
    ) -> None:
        self._machine = machine
        self._marks = marks_of((*machine.key, "checkpoint"))
        self._barrier = barrier
        self._limit_bytes = limit_bytes
        self._name = name
        self.forget()

    def forget(self) -> None:
        """Begin anew with nothing under way; in a forked child."""
        self._mutex = Lock()
        self._writing = Lock()
        self._thread: Thread | None = None

    @property
    def is_due(self) -> bool:
        """Whether the log has grown long enough."""
        replica = self._machine.replica
        limit = self._limit_bytes
        return limit is not None and replica.bytes_since > max(limit, replica.size_bytes)

    @property
    def _is_under_way(self) -> bool:
        thread = self._thread
        return thread is not None and thread.is_alive()

    def look(self) -> None:
        """Begin a checkpoint on a thread of its own if one is due and none is under way."""
        if not self.is_due or self._is_under_way:
            return
        with self._mutex:
            if not self._is_under_way:
                from threading import Thread

                self._thread = Thread(target=self._attempt, name=self._name, daemon=True)
                try:
                    self._thread.start()
                except (RuntimeError, MemoryError):  # none can be had: the next commit tries again
                    self._thread = None

    def _attempt(self) -> None:
        """Write one unless somebody else does; a failure is told, and the log goes on growing."""
        try:
            self.write(block=False)
        except Exception as error:  # also what `dump` raises: no commit fails by it
            self._machine.replica.bytes_since = 0  # tried again when as much has come again
            if self._machine.is_closed:
                return
            from warnings import warn

            warn(
                f"{self._machine.path}: no checkpoint could be written ({error}). Every commit is "
                "in the log, which grows. It is tried again later, or by checkpoint().",
                RuntimeWarning,
                stacklevel=2,
            )

    def end(self) -> None:
        """Wait for the one that is under way; write the one that is due."""
        thread = self._machine.marked(self._taken)
        if thread is not None:
            thread.join()
        if self.is_due:
            self._attempt()

    def _taken(self) -> Thread | None:
        with self._mutex:
            thread, self._thread = self._thread, None
        return thread

    # ------------------------------------------------------------ one checkpoint

    def write(self, *, block: bool = True) -> int:
        """Write a checkpoint, unless nothing was committed since the last; drop what it replaces.

        Returns:
            The last commit that it holds; 0 if somebody else is writing one, and `block` is off.

        Raises:
            OSError: it could not be written; the one before, and the log, are as they were. ESTALE:
                another journal has taken the place of this one just now.
            HandlePoisoned, Corruption: as a commit.
            RuntimeError: this thread is writing one.
        """
        if not block and self._writing.locked():
            return 0
        if self._marks.of(get_ident()) is not None:
            raise self._machine.refused_nested()
        mark = self._marks.enter(get_ident(), self)
        try:
            with self._writing:
                sequence = self._write_locked(block=block)
        finally:
            del mark  # a traceback keeps the frame
        if sequence is None and block:
            raise replaced(self._machine.path)
        return sequence or 0

    def _write_locked(self, *, block: bool) -> int | None:
        """Write one under the lock (I1); None if another journal has taken the place meanwhile."""
        machine, place = self._machine, self._machine.place
        opened = place.opened
        try:
            if place.lock_checkpoints(block=block):
                checkpoints = machine.checkpoints_of(opened)
                if checkpoints is not None:
                    return self._write(checkpoints, opened, is_asked=block)
                return None
        except Exception:
            if machine.place.opened is opened or machine.is_closed:
                raise
            return None  # another thread has opened what is there now
        finally:
            try:
                place.unlock_checkpoints()
            except BaseException:  # interrupted at its entry
                place.unlock_checkpoints()
                raise
        with machine.lock:
            machine.replica.bytes_since = 0
        return 0

    def _write(self, checkpoints: Checkpoints, opened: object, *, is_asked: bool) -> int:
        machine = self._machine
        kept = checkpoints.kept()
        last = kept[0].sequence if kept else 0
        if kept and last == machine.sequence():
            sequence = last
        elif not is_asked and last > machine.replica.checkpoint:
            self._note(kept[0], None)  # another process has written one since
            return last
        else:
            sequence = self._write_anew(checkpoints, opened)
        self._drop(checkpoints.prune(), opened)
        return sequence

    def _write_anew(self, checkpoints: Checkpoints, opened: object) -> int:
        machine = self._machine
        slices: _Slices[Any] = _Slices(machine)
        pieces = iter(machine.rules.dump(slices))
        begun = [piece for piece in (next(pieces, None),) if piece is not None]
        if slices.first < 0:  # nothing of the state was looked at so far
            slices.locked(id)

        def finish() -> int:
            self._barrier()  # I2
            if machine.place.opened is not opened:  # I3: a slice was perhaps of another state
                raise replaced(machine.path)
            return slices.last

        head = checkpoints.write(chain(begun, pieces), sequence=slices.first, finish=finish)
        self._note(head, slices.bytes_before)
        return head.sequence

    def _note(self, head: CheckpointHead, covered_bytes: int | None) -> None:
        """Count what is committed since a checkpoint, which covers so many bytes; None: all."""
        with self._machine.lock:
            replica = self._machine.replica
            replica.checkpoint, replica.size_bytes = head.sequence, head.body_bytes
            covered = replica.bytes_since if covered_bytes is None else covered_bytes
            replica.bytes_since = max(replica.bytes_since - covered, 0)

    def _drop(self, sequence: int, opened: object) -> None:
        """Drop the segments whose records are all in checkpoints, one at a time (I3)."""

        def oldest(_folder: Folder, firsts: list[int], last: int) -> int:
            if len(firsts) < 2 or not self._machine.place.is_still(opened):
                return firsts[0]
            return min(firsts[1], sequence + 1, last)

        drop, before = self._machine.appender.drop, 0
        while (first := self._machine.marked(lambda: drop(oldest))) > before:
            before = first


class _Slices(Generic[S]):
    """Looks at the state of a machine, each with the commits that it holds."""

    def __init__(self, machine: MachineReading[S]) -> None:
        self._machine = machine
        self._pause = Lock()
        self._pause.acquire()
        self.first = -1
        self.last = 0
        self.bytes_before = 0

    def locked(self, look: Callable[[S], _T]) -> _T:
        """Call `look` with the state while nobody changes it; others get a turn afterwards."""
        machine = self._machine
        seen = machine.peek(lambda state: self._note(look(state)))
        self._pause.acquire(timeout=_TURN_S)  # whoever waits for the interpreter goes first
        return seen

    def _note(self, seen: _T) -> _T:
        replica = self._machine.replica
        if self.first < 0:
            self.first, self.bytes_before = replica.applied, replica.bytes_since
        self.last = replica.applied
        return seen
