"""The commits of a store as they come, with the keys that they change."""

from __future__ import annotations

from holdfast.formats.store_format import decode_changes
from holdfast.primitives.log_reading import LogReading
from holdfast.primitives.log_view import View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Mapping
    from typing import Any, Generic, NamedTuple, TypeVar, cast

    from holdfast.formats.log_format import Record
    from holdfast.state.store_values import StoreValues
    from holdfast.vfs import VFS
else:
    from holdfast.light_typing import Generic, NamedTuple, TypeVar, cast

__all__ = ["Commit", "StoreFollowing"]

V = TypeVar("V")


class Commit(NamedTuple, Generic[V]):
    """What one commit changed: the new value of each key that it put, and the deleted keys.

    One transaction is one commit. Commits are numbered without a gap, in the one order that all
    processes agree on.
    """

    sequence: int
    changed: Mapping[str, V]
    deleted: tuple[str, ...]


class StoreFollowing(LogReading, Generic[V]):
    """Reads the log of a store.

    Args:
        path: of the log.
        values: of the store.
        vfs: the filesystem.
    """

    def __init__(self, path: str, values: StoreValues[V], *, vfs: VFS) -> None:
        super().__init__(path, only_durable=True, vfs=vfs)
        self._values = values

    def _view(self) -> View:
        # Whose writer waits for no sync is shown at once.
        return View(self._path, durable=True, asked=True, vfs=self._vfs)

    def commits(self, start: int, *, timeout_s: float | None = None) -> Iterator[Commit[V]]:
        """Iterate over the commits from `start` on, and wait for more; see `Store.follow`.

        Raises:
            Exception: as `Store.follow`.
        """
        return self._commits(self.follow(start, timeout_s=timeout_s))

    def _commits(self, records: Iterator[Record]) -> Iterator[Commit[V]]:
        for record in records:
            yield self._commit(record)

    async def acommits(
        self, start: int, *, timeout_s: float | None = None
    ) -> AsyncGenerator[Commit[V]]:
        """`commits` for asyncio.

        Raises:
            Exception: as `Store.follow`.
        """
        from contextlib import aclosing

        records = cast("AsyncGenerator[Record]", self.afollow(start, timeout_s=timeout_s))
        async with aclosing(records):
            async for record in records:
                yield self._commit(record)

    def _commit(self, record: Record) -> Commit[V]:
        values = self._values
        changes = decode_changes(record.data, where=values.path)
        put = [(key, data) for key, data in changes if data is not None]
        kept = values.keeper.keep([data for _, data in put])
        changed: dict[str, Any] = {
            key: values.give(key, one) for (key, _), one in zip(put, kept, strict=True)
        }
        deleted = tuple([key for key, data in changes if data is None])
        return Commit(record.sequence, changed, deleted)
