"""What is done with a store as a whole: following, lines, checkpoints, checking, closing."""

from __future__ import annotations

import os

from holdfast.primitives.asyncio_bridge import run, twin
from holdfast.state.store_snapshot import StoreSnapshot, listed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator
    from typing import Generic, Self, TypeVar

    from holdfast.primitives.check_report import CheckReport, RepairReport
    from holdfast.primitives.log_recovery import Recovery
    from holdfast.state.open_transactions import OpenTransactions
    from holdfast.state.store_following import Commit, StoreFollowing
    from holdfast.state.store_machine import StoreMachine
    from holdfast.state.store_values import StoreValues
else:
    from holdfast.light_typing import Generic, TypeVar

__all__ = ["StoreUpkeep"]

V = TypeVar("V")


class StoreUpkeep(Generic[V]):
    """The side of a store that is no mapping."""

    _path: str
    _machine: StoreMachine
    _values: StoreValues[V]
    _following: StoreFollowing[V]
    _transactions: OpenTransactions

    @property
    def path(self) -> str:
        """The absolute path of the folder."""
        return self._path

    @property
    def sequence(self) -> int:
        """The last commit that is in the store, by anybody; 0 for none.

        Raises:
            Exception: As `get`.
        """
        return self._machine.read_numbered(id)[1]

    @property
    def durable(self) -> int:
        """The last commit that is known to survive a power cut; 0 for none.

        Raises:
            OSError, Corruption: The log cannot be read.
        """
        return self._following.durable

    @property
    def recovered(self) -> Recovery | None:
        """What this object had to do when it opened the log; None: nothing."""
        return self._machine.recovered

    def snapshot(self) -> StoreSnapshot[V]:
        """Return what the store holds now, as a mapping that does not change.

        It is what one commit left, with no half of a transaction, and its `sequence` says which.
        It costs nothing to make; while it lives, what later commits replace is kept for it.

        Raises:
            Exception: As `get`.
        """
        return StoreSnapshot(*listed(self._machine, self._values))

    asnapshot = twin(snapshot)

    # ------------------------------------------------------------ following

    def follow(
        self, start: int | None = None, *, timeout_s: float | None = None
    ) -> Iterator[Commit[V]]:
        """Iterate over the commits as they come, by anybody, with the keys that they change.

        One whose writer waits for it to be durable is shown when it is.

        Args:
            start: The first one wanted; None: the next that is made after this call.
            timeout_s: Ends when nothing came for so long; None: when the store is closed.

        Raises:
            Truncated: `start`, or what comes next, was dropped after a checkpoint: take a
                `snapshot`, and go on after its `sequence`.
            DecodeError: A value does not parse or fit the type.
            ValueError: `start` is less than 1.
            Corruption, OSError: As `get`.
        """
        first = self.sequence + 1 if start is None else start
        return self._following.commits(first, timeout_s=timeout_s)

    async def afollow(
        self, start: int | None = None, *, timeout_s: float | None = None
    ) -> AsyncIterator[Commit[V]]:
        """`follow` for asyncio; without a `start`, from the first `anext` on.

        Raises:
            Truncated, DecodeError, ValueError, Corruption, OSError: As `follow`.
        """
        first = await run(lambda: self.sequence) + 1 if start is None else start
        from contextlib import aclosing

        async with aclosing(self._following.acommits(first, timeout_s=timeout_s)) as commits:
            async for commit in commits:
                yield commit

    # ------------------------------------------------------------ lines

    def export_lines(self) -> Iterator[bytes]:
        r"""Iterate over lines of JSON, one a key and in order, as they were at one moment.

        Each is `{"key": ..., "value": ...}` and ends with `\n`; where the values are neither JSON
        nor text, `"base64"` stands for `"value"`.

        Raises:
            Exception: As `get`.
        """
        from holdfast.state.store_lines import exported

        return exported(listed(self._machine, self._values)[0], self._values.keeper)

    def import_lines(
        self, lines: Iterable[bytes | str], *, batch: int = 1000, replace: bool = False
    ) -> int:
        """Put what `export_lines` gave, many lines in one commit; return how many lines.

        A crash, or an exception, leaves the first lines, whole batches of them, and all that was
        there before under other keys.

        Args:
            lines: As bytes or text, with or without their ends; empty ones are passed over.
            batch: How many make one commit; fewer do where they have more than 4 MiB together.
            replace: Delete the keys that are in no line, when all lines are in the store.

        Raises:
            DecodeError: A line is none, or holds what this store cannot; those before it are in
                the store, and nothing was deleted.
            ValueError: `batch` is less than 1; nothing was done.
            Exception: As when a value is put.
        """
        self._transactions.refuse_thread()
        if batch < 1:
            raise ValueError(f"batch is {batch}, and must be 1 or more")
        from holdfast.state.store_lines import LineImport

        importing = LineImport(self._values, self._commit_entry, remember=replace)
        importing.run(lines, batch=batch)
        if replace:
            importing.delete_others(self._machine)
        return importing.count

    def _commit_entry(self, entry: bytes) -> None:
        self._transactions.refuse_thread()
        self._machine.commit_shared(lambda _: entry, size_bytes=len(entry))

    # ------------------------------------------------------------ checkpoints and checking

    def checkpoint(self) -> int:
        """Write a checkpoint now, and drop the log that it replaces; nobody waits for it.

        A crash leaves the new one or the one before, and what is needed to go on from either.

        Returns:
            The last commit that it holds.

        Raises:
            OSError: It could not be written; what was there is there, no commit is lost.
            HandlePoisoned, Corruption, Closed: As when a value is put.
            RuntimeError: A transaction is open in this thread; nothing was done.
        """
        self._transactions.refuse_thread()
        return self._machine.write_checkpoint()

    async def acheckpoint(self) -> int:
        """`checkpoint` for asyncio, on a thread of its own; cancelled, it is waited for.

        Raises:
            RuntimeError: This task has a transaction open; nothing was done.
            Exception: As `checkpoint`.
        """
        self._transactions.refuse_task()
        return await run(self.checkpoint, waits=True)

    def barrier(self) -> int:
        """Return when every commit so far, by anybody, is durable; the last of them.

        Raises:
            HandlePoisoned: A sync failed, here or in another process.
            OSError: The sync failed now.
            Corruption, Closed: As when a value is put.
            RuntimeError: A transaction is open in this thread; nothing was done.
        """
        self._transactions.refuse_thread()
        return self._machine.barrier()

    async def abarrier(self) -> int:
        """`barrier` for asyncio, on a thread of its own; cancelled, it is waited for.

        Raises:
            RuntimeError: This task has a transaction open; nothing was done.
            Exception: As `barrier`.
        """
        self._transactions.refuse_task()
        return await run(self.barrier, waits=True)

    def check(self) -> CheckReport:
        """Read everything and say what is damaged; changes nothing and takes no lock.

        Raises:
            OSError: The store cannot be read.
        """
        from holdfast.state.journal_check import check_journal

        return check_journal(self._path, vfs=self._machine.options.vfs)

    def repair(self, *, to: str | os.PathLike[str]) -> RepairReport:
        """Salvage what is whole into a new store at `to`; this one is not touched.

        Raises:
            FileExistsError: There is something at `to`; nothing was done.
            OSError: It cannot be read or written; what is at `to` is told to be incomplete.
        """
        from holdfast.state.journal_repair import repair_journal

        return repair_journal(self._path, os.fsdecode(to), vfs=self._machine.options.vfs)

    acheck = twin(check)
    arepair = twin(repair)

    # ------------------------------------------------------------ closing

    def close(self) -> None:
        """Close: a checkpoint that is due is written, what waits for a timer is synced. Idempotent.

        Raises:
            HandlePoisoned, OSError: A sync failed; the files are closed all the same.
            RuntimeError: A transaction is open in this thread; nothing was done.
        """
        self._transactions.refuse_thread()
        self._following.close()
        self._machine.close()

    async def aclose(self) -> None:
        """`close` for asyncio, on a thread of its own; cancelled, it is waited for.

        Raises:
            RuntimeError: This task has a transaction open; nothing was done.
            HandlePoisoned, OSError: As `close`.
        """
        self._transactions.refuse_task()
        await run(self.close, waits=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        state = " closed" if self._machine.is_closed else ""
        return f"<holdfast.Store {self._path!r}{state}>"
