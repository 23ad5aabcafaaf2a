"""A state machine that threads, tasks and processes share: the engine of journals and stores.

Guarantee: every commit is computed from the state that all commits before it left, by anybody; a
    commit that returned is in the state of every process, once; one that asked for its sync
    survives a power cut. A read sees every commit that was acknowledged before it began, and
    nothing that a power cut can take back, unless its writer asked for no sync.
Not guaranteed: that a commit that raised or was interrupted is not there.

I1  Lock order: the append lock (all processes), the lock of the state (threads), the sync lock.
    Nothing waits for a lock of all processes, or for a disk, while it holds that of the state,
    except to write the frame.
I2  `_check` is the check word of the shared tail that the state corresponds to; 0 while the state
    is being changed. A lookup in the live state counts only if `is_fresh` holds after it, and the
    state and `_check` are what they were before it.
I3  A commit that fails after it has touched the state leaves it as it was before, or a replica that
    reads everything anew.
    One that is in the log has not failed, whatever could not be done after it.
I4  A function of the caller runs in the caller's thread.
"""

from __future__ import annotations

import os
from _thread import get_ident
from errno import EROFS

from holdfast.formats.log_format import MAX_BODY_BYTES
from holdfast.primitives.forks import call_in_child
from holdfast.primitives.log_errors import closed
from holdfast.primitives.log_groups import GroupCommit
from holdfast.primitives.log_hint import CHECK
from holdfast.primitives.log_periodic import PeriodicSync
from holdfast.state.checkpointing import Checkpointer
from holdfast.state.machine_holding import MachineHolding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, NamedTuple, TypeAlias, TypeVar

    from holdfast.primitives.log_durable import Written
    from holdfast.primitives.log_open import OpenLog
    from holdfast.primitives.log_recovery import Recovery
    from holdfast.state.machine_reading import Options
    from holdfast.state.replica import Rules

    Decide: TypeAlias = "Callable[[Any], bytes | None]"
    _Outcome: TypeAlias = "tuple[list[_Done], Written | None, int]"
else:
    from holdfast.light_typing import NamedTuple, TypeVar

__all__ = ["Machine"]

S = TypeVar("S")

_RELAXED_S = 1.0


class _Job(NamedTuple):
    decide: Decide
    asks: bool


class _Done(NamedTuple):
    """The outcome of one job: its sequence (None: nothing to write), or what it raised."""

    sequence: int | None
    error: Exception | None


class Machine(MachineHolding[S]):
    """A journal that is open, with its state. Nothing is opened or made before the first use.

    Args:
        path: of the journal.
        rules: of the state.
        options: see `Options`.
    """

    def __init__(self, path: str, rules: Rules[S], options: Options) -> None:
        super().__init__(path, rules, options)
        name = f"holdfast-{os.path.basename(path)}"
        self._groups: GroupCommit[_Job, _Done] = GroupCommit(
            self._commit_group, name=name, serving=self.marked
        )
        period_s = options.period_s or _RELAXED_S
        self._is_periodic = options.asks or options.period_s is not None
        self._periodic = PeriodicSync(period_s, self._sync_written, name=f"{name}-sync")
        self.checkpointer = Checkpointer(
            self, options.checkpoint_bytes, barrier=self._settle_all, name=f"{name}-checkpoint"
        )
        call_in_child(self._forget_parent)

    # ------------------------------------------------------------ committing

    def commit(self, decide: Decide, *, sync: bool | None = None) -> int | None:
        """Append the entry that `decide(state)` returns; None: there is nothing to write.

        `decide` runs in this thread, alone among all processes (I4).

        Raises:
            Exception: what `decide` or applying its entry raised; nothing was committed.
            HandlePoisoned, Corruption, OSError, Closed: as `Log.append`.
            RuntimeError: this thread is in a commit already.
        """
        mark = self.enter()
        try:
            job = _Job(decide, self.asks(sync))
            self.make()
            (done,), written, seen = self._groups.in_turn(lambda: self._write([job]))
            if written is not None:
                self._settle(written, asks=job.asks)
            else:  # that nothing is to be done may rest on what is not durable
                self.appender.join(seen)
            return _result(done)
        finally:
            del mark  # a traceback keeps the frame

    def commit_shared(
        self, decide: Decide, *, size_bytes: int = 0, sync: bool | None = None
    ) -> int | None:
        """`commit` for functions of our own: gathered with others, perhaps in another thread."""
        mark = self.enter()
        try:
            self.make()
            return _result(self._groups.commit((_Job(decide, self.asks(sync)),), size_bytes))
        finally:
            del mark  # a traceback keeps the frame

    async def acommit_shared(
        self, decide: Decide, *, size_bytes: int = 0, sync: bool | None = None
    ) -> int | None:
        """`commit_shared` for asyncio."""
        self.refuse_nested()
        if self._words is None or not self.appender.is_current():
            from holdfast.primitives.asyncio_bridge import run

            await run(self.make, waits=True)
        job = _Job(decide, self.asks(sync))
        return _result(await self._groups.acommit((job,), size_bytes))

    def make(self) -> None:
        """Open the journal, and make it where there is none.

        Raises:
            Exception: as `read`; at most an empty journal is there.
        """
        if self._closed:
            raise closed(self.path)
        if self.options.read_only:
            raise self._refused_writing()
        if self._words is None or not self.appender.is_current():
            self._open(create=True)

    def _refused_writing(self) -> OSError:
        kind = self.options.kind
        error = OSError(EROFS, f"this {kind} was opened to be read only", self.path)
        error.add_note(f"Nothing was written. Open the {kind} without read_only=True.")
        return error

    def _commit_group(self, jobs: Sequence[_Job]) -> Sequence[_Done]:
        done, written, seen = self._write(jobs)
        if written is not None:
            self._settle(written, asks=any(job.asks for job in jobs))
        if len(done) > sum(one.sequence is not None for one in done):
            self.appender.join(seen)
        return done

    def _write(self, jobs: Sequence[_Job]) -> _Outcome:
        return self.appender.locked(lambda log: self._write_held(log, jobs))

    def _write_held(self, log: OpenLog, jobs: Sequence[_Job]) -> _Outcome:
        """Decide, apply and append, one after another, in one frame; with the append lock.

        Returns what became of each job, what was written, and the last commit that they have seen.
        """
        with self.lock:
            entries: list[bytes] = []
            try:
                self.come_up_to(log)
                self._holder = get_ident()
                check, self._check = self._check, 0
                before = self.replica.bytes_since
                done = [self._decide(job, entries, before) for job in jobs]
                written = self._append(log, entries, asks=any(job.asks for job in jobs))
            except BaseException as error:
                self.replica.failed(error)  # I3
                raise
            finally:
                self._holder = 0
            self._check = log.words[CHECK] if entries else check
            return done, written, self.replica.applied

    def _decide(self, job: _Job, entries: list[bytes], before: int) -> _Done:
        try:
            entry = job.decide(self.replica.state)
            if entry is None:
                return _Done(None, None)
            entry = self._checked(entry, self.replica.bytes_since - before)
        except Exception as error:  # of this one alone: it has not touched the state
            return _Done(None, error)
        self.replica.change(entry)
        entries.append(entry)
        return _Done(self.replica.applied + len(entries), None)

    def _checked(self, entry: object, before: int) -> bytes:
        if not isinstance(entry, bytes):
            raise TypeError(
                f"{self.path}: an entry is bytes, or None, and decide returned "
                f"{type(entry).__name__}. Nothing was committed."
            )
        if len(entry) + before > MAX_BODY_BYTES - (4 << 20):
            raise ValueError(
                f"{self.path}: the entry has {len(entry)} bytes, and a commit has at most "
                f"{MAX_BODY_BYTES - (4 << 20)}. Nothing was committed. Split it."
            )
        return entry

    def _append(self, log: OpenLog, entries: list[bytes], *, asks: bool) -> Written | None:
        if not entries:
            return None
        written = self.appender.write(log, entries, asks=asks)
        self.replica.took(written)
        return written

    def settle(self, written: Written, *, asks: bool) -> None:
        """Sync what asked for it, see to it that the rest is synced in time, and to checkpoints.

        Without the append lock.

        Raises:
            HandlePoisoned, OSError: the sync failed.
        """
        self.marked(lambda: self._settle(written, asks=asks))

    def _settle(self, written: Written, *, asks: bool) -> None:
        if asks:
            self.appender.sync(written)
        elif self._is_periodic:
            if self.appender.unsynced_bytes > self.options.max_unsynced_bytes:
                self.appender.sync(written)
            else:
                self._note(written)
        self.checkpointer.look()

    def _note(self, written: Written) -> None:
        try:
            self._periodic.note()
        except (RuntimeError, MemoryError):  # no thread can be had to sync it later
            self.appender.sync(written)

    # ------------------------------------------------------------ in a block

    def write_held(self, log: OpenLog, entry: bytes, *, asks: bool) -> Written:
        """Apply and append an entry; for who holds the append lock.

        Raises:
            Exception: as `commit` and `state_held`; nothing was committed.
        """
        with self.lock:
            self.state_held(log)
            self._check = 0
            try:
                self.replica.change(self._checked(entry, 0))
                written = self.appender.write(log, [entry], asks=asks)
                self.replica.took(written)
            except BaseException as error:
                self.replica.failed(error)  # I3
                raise
            self._check = log.words[CHECK]
        return written

    def asks(self, sync: bool | None) -> bool:
        """Whether a commit with this `sync=` waits until it is durable."""
        return self.options.asks if sync is None else sync

    # ------------------------------------------------------------ syncing

    def barrier(self) -> int:
        """Return when every commit so far, by anybody, is durable; the last of them.

        Raises:
            HandlePoisoned, OSError, Corruption, Closed: as `Log.barrier`.
        """
        self.refuse_nested()
        return self._settle_all()

    def _settle_all(self) -> int:
        self.marked(self._groups.drain)
        if self.options.read_only:
            raise self._refused_writing()
        return self._sync_written() if self._opened_to_read() else 0

    def _sync_written(self) -> int:
        return self.marked(self._sync_position)

    def _sync_position(self) -> int:
        self._periodic.settle()
        written = self.appender.position()
        self.appender.sync(written)
        return written.last

    def write_checkpoint(self) -> int:
        """Write a checkpoint; see `Journal.checkpoint`.

        Raises:
            Exception: as `Journal.checkpoint`.
        """
        self.refuse_nested()
        self.make()
        return self.checkpointer.write()

    @property
    def recovered(self) -> Recovery | None:
        """What opening the log had to do; None: nothing."""
        return self.appender.recovery

    # ------------------------------------------------------------ closing

    def close(self) -> None:
        """Close: what was begun is committed; what waits for a timer is synced; idempotent.

        Raises:
            HandlePoisoned, OSError: a sync failed; the files are closed all the same.
        """
        if self._closed:
            return
        is_reader = not (self.appender.has_written or self.is_within())
        mark = self.marks.of(get_ident())
        is_inner = mark is not None and mark.of is not self  # of another object on these files
        if not (is_reader and is_inner):
            self.refuse_nested()
        try:
            self.marked(self._groups.drain)
            if self._words is not None and self.appender.is_current() and not is_inner:
                if self._periodic.is_due:  # a failed sync is told by whoever waits for it
                    self._sync_written()
                self.checkpointer.end()
        finally:
            self._closed = True
            self.marked(self._close_files)

    def _close_files(self) -> None:
        with self.lock:
            self._words = self._log = None
        self.appender.close()
        with self._opening, self.lock:  # nobody opens anything any more
            self.replica.invalidate()
            self._leave_place()

    def _forget_parent(self) -> None:
        super()._forget_parent()
        self._groups.forget()
        self._periodic.forget()
        self.checkpointer.forget()
        self.place.close()


def _result(done: _Done) -> int | None:
    if done.error is not None:
        raise done.error
    return done.sequence
