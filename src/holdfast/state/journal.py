"""`Journal`: a state of any kind, kept by a log of its changes, shared by threads and processes.

Guarantee: every commit is decided on the state that all commits before it left, whoever made them,
    and is applied everywhere in that one order, once. With `sync="always"` it survives a power cut
    when `commit` returns; all of an entry does, or nothing.
Not guaranteed: that a commit that raised `OSError`, or was interrupted, is not there; anything, if
    `apply` does not do the same to equal states.

The files are on the page docs/reference/journal-format.md.
"""

from __future__ import annotations

import os

from holdfast.primitives.asyncio_bridge import run, twin
from holdfast.primitives.folders import absolute_path
from holdfast.primitives.log import period_of
from holdfast.primitives.log_reading import LogReading
from holdfast.state.machine import Machine
from holdfast.state.machine_reading import Options
from holdfast.state.replica import Replica, Rules
from holdfast.vfs import CLOCK, SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator
    from typing import Any, Generic, Self, TypeVar

    from holdfast.formats.log_format import Record
    from holdfast.primitives.check_report import CheckReport, RepairReport
    from holdfast.primitives.log import LogSync
    from holdfast.primitives.log_recovery import Recovery
    from holdfast.state.replica import Slices
    from holdfast.vfs import VFS, Clock
else:
    from holdfast.light_typing import Generic, TypeVar

__all__ = ["Journal", "options_of"]

S = TypeVar("S")
_T = TypeVar("_T")

_SEGMENT_BYTES = 4 << 20
_CHECKPOINT_BYTES = 4 << 20


class Journal(Generic[S]):
    """A state machine in a folder, open in any number of threads and processes.

    Opening is lazy: nothing is made before the first commit; reading makes no journal. Checkpoints
    are written by themselves, and the log that they replace is dropped, so that opening takes a
    bounded time. One object serves all threads and tasks; a forked child may go on using it.

    Args:
        path: The folder; made with its parents, durably, by the first commit.
        initial: Makes the state before the first commit.
        apply: Changes the state by an entry, or returns a new state. It must do the same to equal
            states: it is called in every process, and again after a restart.
        dump: The state as bytes, or as pieces of bytes; called while nobody in this process
            commits. For a large state, see `copy`.
        load: The state from the bytes that `dump` gave.
        copy: Makes a copy of the state quickly; then only that is done while commits wait, and
            `dump` is given the copy.
        sync: `"always"`: `commit` returns when the entry is durable. `"never"`: when every process
            sees it. Seconds: the same, with a sync at most so long after.
        keep: How many checkpoints before the newest stay, with the entries since: see `state_at`.
        checkpoint_bytes: A checkpoint is due when the log since the last one is larger than this,
            and than that one; None: only by `checkpoint`.
        read_only: Nothing is written, made or locked. What others have committed, and is not synced
            as they asked, is synced before it is shown. After a sync that failed, here or
            elsewhere, only what is durable is shown.
        max_unsynced_bytes: Unless `sync` is `"never"`: a commit that leaves more than this unsynced
            syncs.
        permissions: The mode of files that are made, less the umask.
        vfs: The filesystem.
        clock: For times.

    Raises:
        ValueError: An argument is out of its range; nothing was done.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        initial: Callable[[], S],
        apply: Callable[[S, bytes], S | None],
        dump: Callable[[S], bytes | Iterable[bytes]],
        load: Callable[[bytes], S],
        copy: Callable[[S], S] | None = None,
        sync: LogSync = "always",
        keep: int = 0,
        checkpoint_bytes: int | None = _CHECKPOINT_BYTES,
        read_only: bool = False,
        max_unsynced_bytes: int = 4 << 20,
        permissions: int = 0o666,
        vfs: VFS = SYSTEM,
        clock: Clock = CLOCK,
    ) -> None:
        def dumped(slices: Slices[S]) -> Iterable[bytes]:
            if copy is not None:
                return _pieces(dump(slices.locked(copy)))
            return slices.locked(lambda state: list(_pieces(dump(state))))

        def loaded(pieces: Iterable[bytes]) -> S:
            return load(b"".join(pieces))

        rules = Rules(initial, apply, dumped, loaded)
        options = options_of(
            "journal",
            "",
            sync=sync,
            keep=keep,
            checkpoint_bytes=checkpoint_bytes,
            max_unsynced_bytes=max_unsynced_bytes,
            read_only=read_only,
            permissions=permissions,
            vfs=vfs,
            clock=clock,
        )
        self._path = absolute_path(path)
        self._machine: Machine[S] = Machine(self._path, rules, options)
        self._reading = LogReading(self._machine.log_path, only_durable=True, asked=True, vfs=vfs)

    @property
    def path(self) -> str:
        """The absolute path of the folder."""
        return self._path

    # ------------------------------------------------------------ the state

    @property
    def state(self) -> S:
        """The state with every commit that was acknowledged before, by anybody.

        It is the living object: do not change it, and where other threads of this process commit,
        look at it by `read`.

        Raises:
            HandlePoisoned: A sync failed, in any process: the state may not be on the disk.
            Corruption: The journal is damaged; nothing was changed.
            OSError: It cannot be read, or what is to be shown could not be synced.
            Closed: After `close`.
        """
        return self._machine.refresh()

    def read(self, look: Callable[[S], _T]) -> _T:
        """Return `look(state)`; the state is as in `state`, and nobody changes it meanwhile.

        Raises:
            Exception: As `state`, or as `look`.
        """
        return self._machine.read(look)

    @property
    def sequence(self) -> int:
        """The last commit that is in the state; 0 for none."""
        return self._machine.read_numbered(id)[1]

    @property
    def durable(self) -> int:
        """The last commit that is known to survive a power cut; 0 for none."""
        return self._reading.durable

    def state_at(self, sequence: int) -> S:
        """Return the state after the commit `sequence`, read anew from the files.

        Raises:
            Truncated: It is no longer kept: see `keep`.
            ValueError: There is no such commit yet.
            Corruption, OSError: As `state`.
        """
        if not 0 <= sequence <= self.sequence:
            raise ValueError(
                f"{self._path}: the last commit is {self.sequence}, so there is no state after "
                f"{sequence}."
            )
        machine = self._machine
        replica = Replica(machine.rules, machine.log_path, vfs=machine.options.vfs)
        if sequence:
            replica.load(machine.checkpoints(), stop=sequence)
            replica.invalidate()
        return replica.state

    aread = twin(read)
    astate_at = twin(state_at)

    # ------------------------------------------------------------ changing

    def commit(
        self, decide: Callable[[S], bytes | None], *, sync: bool | None = None
    ) -> int | None:
        """Append the entry that `decide(state)` returns, and apply it.

        `decide` sees the newest state, and nobody else commits while it runs, in any process: keep
        it short, and do not change the state in it. The entry is applied once, in this process
        before this returns and in every other one before its next look.

        Args:
            decide: Returns the entry; None: nothing is to be written.
            sync: Whether to wait until it is durable; None: as the journal does. An entry that is
                not waited for is durable with the next one that is, or within a second.

        Returns:
            The sequence of the commit; None where `decide` returned None.

        Raises:
            Exception: What `decide` or `apply` raised; nothing was committed.
            HandlePoisoned: An earlier sync failed; nothing was committed.
            Corruption: The journal is damaged; nothing was committed.
            OSError: No room, no permission: nothing was committed. Or the sync failed: the commit
                may be there or not, and the journal takes no more until it is opened anew.
            ValueError: The entry has more than 60 MiB; nothing was committed.
            RuntimeError: In `decide`, or in another commit of this thread; nothing was committed.
            Closed: After `close`.
        """
        return self._machine.commit(decide, sync=sync)

    acommit = twin(commit, waits=True)

    def checkpoint(self) -> int:
        """Write a checkpoint now, and drop the log that it replaces; nobody waits for it.

        A crash leaves the new one or the one before, and what is needed to go on from either.

        Returns:
            The last commit that it holds.

        Raises:
            OSError: It could not be written; what was there is there, no commit is lost.
            HandlePoisoned, Corruption, Closed: As `commit`.
        """
        return self._machine.write_checkpoint()

    def barrier(self) -> int:
        """Return when every commit so far, by anybody, is durable; the last of them.

        Raises:
            HandlePoisoned: A sync failed, here or in another process.
            OSError: The sync failed now.
            Corruption, Closed: As `commit`.
        """
        return self._machine.barrier()

    acheckpoint = twin(checkpoint, waits=True)
    abarrier = twin(barrier, waits=True)

    @property
    def recovered(self) -> Recovery | None:
        """What this object had to do when it opened the log; None: nothing."""
        return self._machine.recovered

    # ------------------------------------------------------------ the entries

    def entries(self, start: int | None = None) -> Iterator[Record]:
        """Iterate over the entries that are still in the log, with their sequences.

        Args:
            start: The first one wanted; None: the first that is kept.

        Raises:
            Truncated: `start` was dropped after a checkpoint.
            Corruption, OSError, ValueError: As `Log.read`.
        """
        return self._reading.read(start)

    def follow(
        self, start: int | None = None, *, timeout_s: float | None = None
    ) -> Iterator[Record]:
        """Iterate over the entries as they come, as `Log.follow`; each when `state` shows it.

        Args:
            start: The first one wanted, perhaps one still to come; None: the first that is kept.
            timeout_s: Ends when nothing came for so long; None: when the journal is closed.

        Raises:
            Truncated, Corruption, OSError, ValueError: As `Log.follow`.
        """
        return self._reading.follow(start, timeout_s=timeout_s)

    def afollow(
        self, start: int | None = None, *, timeout_s: float | None = None
    ) -> AsyncIterator[Record]:
        """`follow` for asyncio.

        Raises:
            Truncated, Corruption, OSError, ValueError: As `Log.follow`.
        """
        return self._reading.afollow(start, timeout_s=timeout_s)

    # ------------------------------------------------------------ checking and closing

    def check(self) -> CheckReport:
        """Read everything and say what is damaged; changes nothing and takes no lock.

        Raises:
            OSError: The journal cannot be read.
        """
        from holdfast.state.journal_check import check_journal

        return check_journal(self._path, vfs=self._machine.options.vfs)

    def repair(self, *, to: str | os.PathLike[str]) -> RepairReport:
        """Salvage what is whole into a new journal at `to`; this one is not touched.

        Raises:
            FileExistsError: There is something at `to`; nothing was done.
            OSError: It cannot be read or written; what is at `to` is told to be incomplete.
        """
        from holdfast.state.journal_repair import repair_journal

        return repair_journal(self._path, os.fsdecode(to), vfs=self._machine.options.vfs)

    acheck = twin(check)
    arepair = twin(repair)

    def close(self) -> None:
        """Close: a checkpoint that is due is written, what waits for a timer is synced. Idempotent.

        Who follows it comes to the end.

        Raises:
            HandlePoisoned, OSError: A sync failed; the files are closed all the same.
            RuntimeError: This thread is in a commit or a look; nothing was done.
        """
        try:
            self._machine.close()
        finally:
            if self._machine.is_closed:
                self._reading.close()

    aclose = twin(close, waits=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await run(self.close, waits=True)

    def __repr__(self) -> str:
        state = " closed" if self._machine.is_closed else ""
        return f"<holdfast.Journal {self._path!r}{state}>"


def options_of(
    kind: str,
    codec: str,
    *,
    sync: LogSync,
    keep: int,
    checkpoint_bytes: int | None,
    max_unsynced_bytes: int,
    read_only: bool,
    permissions: int,
    vfs: VFS,
    clock: Clock,
) -> Options:
    """Return the options of a machine from the arguments of who wraps it.

    Raises:
        ValueError: one is out of its range.
    """
    for name, value in (("keep", keep), ("max_unsynced_bytes", max_unsynced_bytes)):
        if value < 0:
            raise ValueError(f"{name} is {value}, and must be 0 or more")
    if checkpoint_bytes is not None and checkpoint_bytes < 1:
        raise ValueError(f"checkpoint_bytes is {checkpoint_bytes}, and must be None, or 1 or more")
    return Options(
        kind=kind,
        codec=codec,
        asks=sync == "always",
        period_s=period_of(sync),
        keep=keep,
        segment_bytes=_SEGMENT_BYTES,
        checkpoint_bytes=checkpoint_bytes,
        max_unsynced_bytes=max_unsynced_bytes,
        read_only=read_only,
        permissions=permissions,
        vfs=vfs,
        clock=clock,
    )


def _pieces(dumped: Any) -> Iterable[bytes]:
    """Return what `dump` gave as pieces."""
    if isinstance(dumped, str):
        raise TypeError("`dump` returned text, and a checkpoint is bytes: encode it")
    pieces: Iterable[bytes] = dumped
    return [bytes(dumped)] if type(dumped) in {bytes, bytearray, memoryview} else pieces
