"""A draft: a value changed over any time and merged into whatever the document is by then."""

from __future__ import annotations

from holdfast.primitives.asyncio_bridge import run
from holdfast.state.committing import Change

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager, AbstractContextManager
    from typing import Any, Generic, NamedTuple, TypeVar

    from holdfast.formats.keypath import KeyPath
    from holdfast.state.committing import Committed, Committer, OnConflict
    from holdfast.state.loading import Loaded
    from holdfast.state.register import Held, Register
else:
    from holdfast.light_typing import Generic, NamedTuple, TypeVar

__all__ = ["AsyncEdit", "Draft", "Edit", "HeldDraft", "MergeReport"]

T = TypeVar("T")


class MergeReport(NamedTuple):
    """What a commit did.

    `written`: whether the file was replaced; `version`: of what it holds now; `mine`: key paths
    that the draft changed; `theirs`: key paths that others had changed since the checkout;
    `conflicts`: those that both had changed differently, decided by `on_conflict`.
    """

    written: bool
    version: str
    mine: tuple[KeyPath, ...]
    theirs: tuple[KeyPath, ...]
    conflicts: tuple[KeyPath, ...]


class Draft(Generic[T]):
    """`value` is the caller's own, to change or replace; nothing is on disk before `commit`.

    Made by `Document.checkout`. After a commit the draft goes on from what the file holds now.
    """

    value: T

    def __init__(
        self, committer: Committer, register: Register, *, held: Held | None = None
    ) -> None:
        self._committer = committer
        self._register = register
        self._loaded = committer.load(held)
        self._base: Any = committer.seen(self._loaded)
        self.value: T = committer.schema.value(self._loaded)
        self._places = committer.schema.places(self.value)

    def commit(
        self, *, on_conflict: OnConflict = "mine", timeout_s: float | None = None
    ) -> MergeReport:
        """Merge the draft into the document as it is now; durable on return.

        What others changed since the checkout stays, key by key. A crash leaves the file as it was
        or with the whole merge.

        Args:
            on_conflict: For a key that both changed differently: `"mine"`, `"theirs"`, `"raise"`,
                or a function of (key path, base, mine, theirs) that returns the value.
            timeout_s: How long to wait for the lock.

        Raises:
            Conflict: with `"raise"`: `conflicts` names the key paths. The file is untouched, the
                draft stays.
            LockTimeout: somebody else holds the lock; nothing was changed, the draft stays.
            DecodeError: the present contents do not decode; they are untouched, the draft stays.
            UnknownFormat: a newer program wrote it; it is untouched, the draft stays.
            ValueError: `on_conflict` has no meaning; nothing was changed, the draft stays.
        """
        with self._register.exclusive(timeout_s) as held:
            return self._commit(held, on_conflict)

    async def acommit(
        self, *, on_conflict: OnConflict = "mine", timeout_s: float | None = None
    ) -> MergeReport:
        """`commit` for asyncio."""
        async with self._register.aexclusive(timeout_s) as held:
            return await run(lambda: self._commit(held, on_conflict))

    def _commit(self, held: Held, on_conflict: OnConflict) -> MergeReport:
        if on_conflict not in {"mine", "theirs", "raise"} and not callable(on_conflict):
            raise ValueError(
                f'on_conflict={on_conflict!r}: "mine", "theirs", "raise" or a function'
            )
        from holdfast.formats.diff import changed_paths, diff

        base = self._base
        mine, done = self._settle(held, on_conflict)
        return MergeReport(
            written=done.written,
            version=self._committer.version_of(done.loaded.content),
            mine=tuple(changed_paths(diff(base, mine))),
            theirs=tuple(changed_paths(diff(base, done.theirs))),
            conflicts=done.conflicts,
        )

    def _settle(
        self, held: Held, on_conflict: OnConflict, *, current: Loaded | None = None
    ) -> tuple[Any, Committed]:
        schema = self._committer.schema
        mine = schema.dump(self.value)
        origins = schema.origins(self.value, self._places)
        change = Change(self.value, mine, self._loaded, origins)
        done = self._committer.commit(
            held, self._base, change, on_conflict=on_conflict, current=current
        )
        self._loaded, self._base = done.loaded, done.seen
        if done.seen is not mine:
            self.value = schema.value(done.loaded)
        self._places = schema.places(self.value)
        return mine, done


class HeldDraft(Draft[T]):
    """The draft of one change made under the lock."""

    def finish(self, held: Held) -> None:
        """Commit without taking the lock, which is held; what others did without it is merged."""
        if not self._committer.commit_sole(held, self.value, self._loaded):
            self._settle(held, "mine", current=self._loaded)


# The next two are classes, since `contextlib` takes longer to load than the rest of this floor.
class Edit(Generic[T]):
    """Holds a register and its draft for the length of a `with` block."""

    def __init__(
        self, exclusive: AbstractContextManager[Any], make: Callable[[Any], HeldDraft[T]]
    ) -> None:
        self._exclusive = exclusive
        self._make = make

    def __enter__(self) -> T:
        self._held: Any = self._exclusive.__enter__()
        try:
            self._draft = self._make(self._held)
        except BaseException:
            self._exclusive.__exit__(None, None, None)
            raise
        return self._draft.value

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._draft.finish(self._held)
        finally:
            self._exclusive.__exit__(None, None, None)


class AsyncEdit(Generic[T]):
    """The same for `async with`; never blocks the event loop."""

    def __init__(
        self, exclusive: AbstractAsyncContextManager[Any], make: Callable[[Any], HeldDraft[T]]
    ) -> None:
        self._exclusive = exclusive
        self._make = make

    async def __aenter__(self) -> T:
        self._held: Any = await self._exclusive.__aenter__()
        try:
            self._draft = await run(lambda: self._make(self._held))
        except BaseException:
            await self._exclusive.__aexit__(None, None, None)
            raise
        return self._draft.value

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                await run(lambda: self._draft.finish(self._held))
        finally:
            await self._exclusive.__aexit__(None, None, None)
