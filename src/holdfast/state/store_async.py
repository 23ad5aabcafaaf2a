"""The mapping of a store for asyncio: no call blocks the loop, and user code runs in it alone."""

from __future__ import annotations

from holdfast.formats.plain import MISSING
from holdfast.formats.store_format import key_bytes
from holdfast.primitives.asyncio_bridge import run
from holdfast.state.store_machine import UNSURE
from holdfast.state.store_mapping import refuse_no_text
from holdfast.state.store_snapshot import Range, listed
from holdfast.state.store_upkeep import StoreUpkeep
from holdfast.state.transaction import AsyncTransaction, Transaction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, ItemsView
    from contextlib import AbstractAsyncContextManager
    from typing import Any, TypeVar, overload

    from holdfast.state.store_async_updates import AsyncUpdates

    T = TypeVar("T")
else:
    from holdfast.light_typing import TypeVar, overload

__all__ = ["AsyncStore"]

V = TypeVar("V")


class AsyncStore(StoreUpkeep[V]):
    """What a store offers to tasks; each call does what the one without the `a` does.

    Cancelled, a call was done wholly or not at all, and nothing of it goes on.
    """

    _updates: AsyncUpdates[V] | None = None

    @overload
    async def aget(self, key: str) -> V | None: ...
    @overload
    async def aget(self, key: str, default: V) -> V: ...
    @overload
    async def aget(self, key: str, default: T) -> V | T: ...

    async def aget(self, key: str, default: Any = None) -> Any:
        """`get` for asyncio: at once, unless somebody else has just written.

        Raises:
            Exception: As `get`.
        """
        kept = await self._alook_up(key)
        return default if kept is MISSING else self._values.give(key, kept)

    async def _alook_up(self, key: str) -> Any:
        refuse_no_text(key)
        kept = self._machine.glance(key)
        return await run(lambda: self._machine.look_up(key)) if kept is UNSURE else kept

    async def aput(self, key: str, value: V) -> None:
        """Put a value; durable when this returns, as after `store[key] = value`.

        Tasks that wait at the same time share one sync.

        Raises:
            Exception: As when a value is put.
        """
        entry = self._values.entry(((key, self._values.encode(key, value)),))
        self._transactions.refuse_task()
        await self._machine.acommit_shared(lambda _: entry, size_bytes=len(entry))

    async def adelete(self, key: str) -> None:
        """Delete a key, as `del store[key]`.

        Raises:
            KeyError: It is not there.
            Exception: As when a value is put.
        """
        entry = self._values.entry(((key, None),))
        self._transactions.refuse_task()
        if not await run(lambda: self._machine.may_have(key)):
            raise KeyError(key)
        sequence = await self._machine.acommit_shared(
            lambda table: entry if key in table.entries else None, size_bytes=len(entry)
        )
        if sequence is None:
            await run(self._machine.refresh)
            raise KeyError(key)

    async def aupdate(self, key: str, fn: Callable[[V], V], *, default: Any = MISSING) -> V:
        """Put what `fn` makes of the value of a key; no change is lost.

        Updates of one key by tasks of one loop are applied one after another and committed
        together. `fn` runs in the loop, and must not wait; where others changed the key meanwhile,
        it is called again with their value.

        Returns:
            The new value.

        Raises:
            KeyError: The key is not there, and no `default` was given; nothing was written.
            Exception: What `fn` raised, and as `update`; nothing of this update was written.
        """
        key_bytes(key)
        self._transactions.refuse_task()
        if self._updates is None:
            from holdfast.state.store_async_updates import AsyncUpdates

            self._updates = AsyncUpdates(self._machine, self._values, self._transactions)
        return await self._updates.update(key, fn, default)

    def atransaction(self) -> AbstractAsyncContextManager[Transaction[V]]:
        """`transaction` for asyncio: `async with store.atransaction() as tx: tx["a"] += 1`.

        Nobody else commits from the beginning of the block to its end, in any process: do not
        await in it what takes long. Within the block nothing waits.

        Raises:
            RuntimeError: This task has one open; or, inside, it wrote by another way than `tx`.
            Exception: As when a value is put; nothing of the transaction was committed.
        """
        return AsyncTransaction(self._machine, self._values, self._transactions)

    async def aitems(self, prefix: str = "") -> ItemsView[str, V]:
        """`items` for asyncio: what begins so, with its values, as it was at one moment.

        Raises:
            Exception: As `get`.
        """

        def look() -> Range[V]:
            listing = listed(self._machine, self._values)[0].part(prefix)
            listing.keys()
            return Range(listing)

        return (await run(look)).items()
