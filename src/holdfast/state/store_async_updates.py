"""Updates of keys by tasks: their functions run in the loop, and none of their changes is lost.

I1  Updates of one key that wait at the same time are applied one after another, and committed
    together, if nobody else has changed the key since it was read.
I2  Where others were faster `_TRIES` times, the lock of all writers is held while the functions
    run, so that every update ends.
I3  A cancelled update never began, or is over.
"""

from __future__ import annotations

import sys

from holdfast.formats.plain import MISSING
from holdfast.primitives.asyncio_bridge import run, run_now
from holdfast.primitives.forks import call_in_child
from holdfast.state.hold import Hold
from holdfast.state.store_machine import UNSURE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future, Task
    from collections.abc import Callable, Sequence
    from contextvars import Context
    from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

    from holdfast.state.open_transactions import OpenTransactions
    from holdfast.state.store_machine import StoreMachine
    from holdfast.state.store_table import Table
    from holdfast.state.store_values import StoreValues

    Place: TypeAlias = "tuple[AbstractEventLoop, str]"
else:
    from holdfast.light_typing import Generic, NamedTuple, TypeVar

__all__ = ["AsyncUpdates"]

V = TypeVar("V")

_TRIES = 3


class _Update(NamedTuple):
    """One that waits; `default` is `MISSING` where there is none."""

    fn: Callable[[Any], Any]
    default: Any
    context: Context
    future: Future[Any]

    def apply(self, old: Any) -> Any:
        """Call the function in the context of its task."""
        return self.context.run(self.fn, old)


class AsyncUpdates(Generic[V]):
    """Gathers the updates of a store by key and loop."""

    def __init__(
        self, machine: StoreMachine, values: StoreValues[V], open_: OpenTransactions
    ) -> None:
        self._machine = machine
        self._values = values
        self._open = open_
        self._waiting: dict[Place, list[_Update]] = {}
        self._tasks: set[Task[None]] = set()
        call_in_child(self._forget_parent)

    def _forget_parent(self) -> None:
        """In a forked child: the threads that its tasks wait for are not here."""
        self._waiting.clear()
        self._tasks.clear()

    async def update(self, key: str, fn: Callable[[V], V], default: Any) -> V:
        """Put what `fn` makes of the value of a key, and return it.

        Raises:
            Exception: what `fn` raised, and as a commit; nothing of this update was written.
            asyncio.CancelledError: it never began, or is over (I3).
        """
        import asyncio
        from contextvars import copy_context

        loop = asyncio.get_running_loop()
        place = (loop, key)
        update = _Update(fn, default, copy_context(), loop.create_future())
        if place in self._waiting:
            self._waiting[place].append(update)
        else:
            self._waiting[place] = [update]
            task = loop.create_task(self._serve(place))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            result: V = await asyncio.shield(update.future)
        except asyncio.CancelledError:
            await self._leave(place, update)
            raise
        return result

    async def _leave(self, place: Place, update: _Update) -> None:
        """Take a cancelled update back, or wait for its end, whatever is cancelled meanwhile."""
        import asyncio

        waiting = self._waiting.get(place, [])
        if update in waiting:
            waiting.remove(update)
            update.future.cancel()
        while not update.future.done():
            try:
                await asyncio.wait([update.future])
            except asyncio.CancelledError:
                continue
        if not update.future.cancelled():
            update.future.exception()  # looked at: nobody else will

    async def _serve(self, place: Place) -> None:
        batch: list[_Update] = []
        try:
            while batch := self._waiting.get(place, []):
                self._waiting[place] = []
                try:
                    await self._commit(place[1], batch)
                except Exception as error:
                    _fail(batch, error)
        finally:
            for update in batch + self._waiting.pop(place, []):
                update.future.cancel()  # the loop is closing; those that are done stay so

    async def _commit(self, key: str, batch: Sequence[_Update]) -> None:
        machine = self._machine
        for _ in range(_TRIES):
            kept = machine.glance(key)
            if kept is UNSURE:
                kept = await run(lambda: machine.look_up(key))
            new, outcomes = self._applied(key, kept, batch)
            if new is UNSURE or await self._swap(key, kept, new):
                return self._settle(key, outcomes)
        return await self._commit_held(key, batch)

    async def _swap(self, key: str, kept: Any, new: Any) -> bool:
        """Commit the new value unless somebody else has changed the key."""
        entry = self._entry(key, new)

        def decide(table: Table) -> bytes | None:
            return entry if table.entries.get(key, MISSING) is kept else None

        return await self._machine.acommit_shared(decide, size_bytes=len(entry)) is not None

    async def _commit_held(self, key: str, batch: Sequence[_Update]) -> None:
        hold: Hold[Table] = Hold(self._machine, owner=-id(batch))
        mark = self._open.enter(held_by_task=True)
        try:
            await run(hold.__enter__, undo=lambda _: hold.__exit__(RuntimeError), waits=True)
            try:
                kept = hold.state.entries.get(key, MISSING)
                new, outcomes = self._applied(key, kept, batch)
                entry = b"" if new is UNSURE else self._entry(key, new)
            except BaseException:
                await run_now(lambda: hold.__exit__(RuntimeError))
                raise
            await run_now(lambda: self._finish(hold, entry))
        finally:
            del mark  # a traceback keeps the frame
        self._settle(key, outcomes)

    def _finish(self, hold: Hold[Table], entry: bytes) -> None:
        try:
            if entry:
                hold.commit(entry)
        except BaseException:
            hold.__exit__(*sys.exc_info()[:1])
            raise
        hold.__exit__(None)

    def _entry(self, key: str, kept: Any) -> bytes:
        return self._values.entry(((key, self._values.keeper.release(kept)),))

    def _applied(
        self, key: str, kept: Any, batch: Sequence[_Update]
    ) -> tuple[Any, list[tuple[_Update, Any, Exception | None]]]:
        """Return what is to be kept, `UNSURE` if nothing changes, and what each update gives."""
        new: Any = UNSURE
        outcomes: list[tuple[_Update, Any, Exception | None]] = []
        for update in batch:
            if update.future.done():
                continue
            try:
                kept = self._values.applied(key, kept, fn=update.apply, default=update.default)
            except Exception as error:
                outcomes.append((update, None, error))
            else:
                new = kept
                outcomes.append((update, kept, None))
        return new, outcomes

    def _settle(self, key: str, outcomes: Sequence[tuple[_Update, Any, Exception | None]]) -> None:
        for update, kept, error in outcomes:
            if error is not None:
                _fail([update], error)
            else:
                update.future.set_result(self._values.give(key, kept))


def _fail(batch: Sequence[_Update], error: Exception) -> None:
    """Tell everybody who still waits, each with an exception of its own."""
    from copy import copy

    for update in batch:
        if update.future.done():
            continue
        own = error if len(batch) == 1 else copy(error)
        if isinstance(error, StopIteration):  # no future of asyncio takes it
            own = RuntimeError("the function raised StopIteration")
        own.__cause__ = error.__cause__ if own is error else error
        update.future.set_exception(own)
