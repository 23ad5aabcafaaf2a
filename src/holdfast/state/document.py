"""State files that threads, processes and people edit: nobody's change is lost, none is torn.

Guarantee: a reader, and a crash, finds the old document or the new, never a mix. Any number of
threads, processes and coroutines change one document, and every acknowledged change is in it. What
a change does not touch (comments, order of keys, unknown fields, numbers too big for others) stays
as it was.

Not guaranteed: an editor that saves without the lock in the instant between the last look and the
rename is overwritten. Its change is merged when it comes earlier, however long an `edit` lasts.

Invariants:
    I1  Nothing is written unless the new text, decoded again, is the value that was meant.
    I2  Nothing is written when nothing changed.
    I3  Every write replaces exactly the contents that its change was computed from.
    I4  Contents that do not decode, or that a newer program wrote, are never overwritten; only
        `restore` and `quarantine` take them away, to another name.
    I5  A default is used only when the file is missing.
"""

from __future__ import annotations

from holdfast.formats.codec import codec_for
from holdfast.formats.plain import MISSING
from holdfast.primitives.asyncio_bridge import run
from holdfast.primitives.folders import absolute_path
from holdfast.state.committing import Committer
from holdfast.state.draft import AsyncEdit, Draft, Edit, HeldDraft
from holdfast.state.file_place import FileOptions
from holdfast.state.file_register import FileRegister
from holdfast.state.loading import Migrations, Schema
from holdfast.state.results import parts_of, refuse_result
from holdfast.vfs import CLOCK, SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping
    from contextlib import AbstractAsyncContextManager, AbstractContextManager
    from pathlib import Path
    from typing import Any, Generic, NamedTuple, TypeVar, cast, overload

    from holdfast.formats.codec import Codec
    from holdfast.primitives.lock import FileLock
    from holdfast.state.file_place import FilePlace
    from holdfast.state.kept import KeptVersion
    from holdfast.state.register import Held
    from holdfast.vfs import VFS, Clock, Sync
else:
    from holdfast.light_typing import Generic, NamedTuple, TypeVar, cast, overload

__all__ = ["Document", "Snapshot"]

T = TypeVar("T")


class Snapshot(NamedTuple, Generic[T]):
    """A value, and the version of the contents that it was read from."""

    value: T
    version: str


class Document(Generic[T]):
    """A state file whose changes are never torn and never lost.

    After any return, and after a crash at any point, the file holds the whole of one acknowledged
    version or of the one that was being written. Changes are made under `<name>.lock` beside the
    file (never deleted; flock(1) excludes it too), and are encoded onto the text that is
    there, so that comments, order, layout and unknown fields survive.

    One object serves all threads and tasks. It holds no file open, but its lock until `close`.

    Args:
        path: The file; `.json`, `.toml`, `.yaml`, `.yml` choose the codec. Symlinks are followed.
        type: What `read` gives: `dict` (default), a dataclass, a `TypedDict`, a `msgspec.Struct`, a
            pydantic model; `list` or `object` for other plain data. Fields that it does not know
            stay in the file.
        default: What a missing file reads as; a value, or a callable that makes one. Never used for
            a file that is unreadable or damaged.
        codec: A name or an object with `name`, `decode` and `encode`, instead of the suffix.
        migrations: `{1: to_2, 2: to_3}`: steps for plain data (change in place or return new). A
            file of an older version reads as the latest and is written as such with the next
            change; one of a newer version can be read and not written.
        version_field: Where the version stands.
        keep: How many replaced versions stay as `<name>.~<number>~`; see `versions`.
        lock: False where locks cannot be trusted (some network filesystems): every write is then
            checked against what was read, merged and repeated, which leaves an instant before the
            rename open.
        sync: `"always"`: durable on return. `"never"`: a power cut may damage the last changes.
        permissions: Of a file that is made; default 0o666 less the umask.
        max_size_bytes: A larger file is not read.
    """

    @overload
    def __init__(
        self: Document[dict[str, Any]],
        path: str | os.PathLike[str],
        type: None = None,
        *,
        default: Mapping[str, Any] | Callable[[], Mapping[str, Any]] = ...,
        codec: str | Codec | None = ...,
        migrations: Mapping[int, Callable[[Any], Any]] | None = ...,
        version_field: str = ...,
        keep: int = ...,
        lock: bool = ...,
        sync: Sync = ...,
        permissions: int | None = ...,
        max_size_bytes: int = ...,
        vfs: VFS = ...,
        clock: Clock = ...,
    ) -> None: ...

    @overload
    def __init__(
        self,
        path: str | os.PathLike[str],
        type: type[T],
        *,
        default: T | Callable[[], T] = ...,
        codec: str | Codec | None = ...,
        migrations: Mapping[int, Callable[[Any], Any]] | None = ...,
        version_field: str = ...,
        keep: int = ...,
        lock: bool = ...,
        sync: Sync = ...,
        permissions: int | None = ...,
        max_size_bytes: int = ...,
        vfs: VFS = ...,
        clock: Clock = ...,
    ) -> None: ...

    def __init__(
        self,
        path: str | os.PathLike[str],
        type: Any = None,
        *,
        default: Any = MISSING,
        codec: str | Codec | None = None,
        migrations: Mapping[int, Callable[[Any], Any]] | None = None,
        version_field: str = "version",
        keep: int = 0,
        lock: bool = True,
        sync: Sync = "always",
        permissions: int | None = None,
        max_size_bytes: int = 64 << 20,
        vfs: VFS = SYSTEM,
        clock: Clock = CLOCK,
    ) -> None:
        if keep < 0:
            raise ValueError(f"keep={keep}: the number of old versions cannot be negative")
        if sync not in ("always", "never"):
            raise ValueError(f'sync={sync!r}: a document takes "always" or "never"')
        self.path = absolute_path(path)
        steps = None if migrations is None else Migrations(migrations, field=version_field)
        chosen = codec_for(self.path, codec)
        options = FileOptions(lock, sync, permissions, keep, max_size_bytes, vfs, clock)
        self._register = FileRegister(self.path, options)
        self._schema = Schema(
            self.path,
            chosen,
            dict if type is None else type,
            default=default,
            migrations=steps,
        )
        self._committer = Committer(self._register, self._schema)

    def __repr__(self) -> str:
        return f"Document({self.path!r})"

    @property
    def lock(self) -> FileLock:
        """The lock that changes are made under, for those who need it around something larger."""
        return self._register.lock

    # reading

    def read(self) -> T:
        """Return the value of one whole version; it is the caller's own.

        Takes no lock. Decodes only when the file has changed since the last look.

        Raises:
            FileNotFoundError: missing, and no `default` was given.
            DecodeError: it does not parse or fit the type; names the place; the file is untouched.
        """
        return cast("T", self._schema.value(self._committer.load()))

    def snapshot(self) -> Snapshot[T]:
        """Return the value and its version, for `write(if_version=)`.

        Raises:
            FileNotFoundError: missing, and no `default` was given.
            DecodeError: as `read`.
        """
        loaded = self._committer.load()
        return Snapshot(self._schema.value(loaded), self._committer.version_of(loaded.content))

    # changing

    def update(self, fn: Callable[[T], T | None], *, timeout_s: float | None = None) -> T:
        """Change the document by `fn` under the lock; every acknowledged change is kept.

        On return the change is durable. If `fn` raises, or anything fails before the rename, the
        file is untouched. What an editor saved without the lock while `fn` ran is merged; where
        both changed one key, `fn` wins.

        Args:
            fn: Changes the value in place and returns None, or returns a new one. Called once.
            timeout_s: How long to wait for the lock.

        Returns:
            The value that the file holds now.

        Raises:
            LockTimeout: somebody else holds the lock; nothing was changed.
            TypeError: `fn` returned another type, or what the format has not; file untouched.
            ValueError: the format cannot hold the value; the file is untouched.
            DecodeError: the present contents do not decode; they are untouched.
            UnknownFormat: a newer program wrote it; it is untouched.
            CommittedNotDurable: the file is new, but a power cut may bring the old one back.
        """
        with self._register.exclusive(timeout_s) as held:
            return self._update(held, fn)

    async def aupdate(self, fn: Callable[[T], T | None], *, timeout_s: float | None = None) -> T:
        """`update` for asyncio: never blocks the event loop; `fn` runs in a thread."""
        async with self._register.aexclusive(timeout_s) as held:
            return await run(lambda: self._update(held, fn))

    def _update(self, held: Held, fn: Callable[[T], T | None]) -> T:
        draft = self._draft(held)
        parts = parts_of(draft.value)
        result = fn(draft.value)
        if result is not None:
            refuse_result(result, draft.value, parts)
            draft.value = result
        draft.finish(held)
        return draft.value

    def edit(self, *, timeout_s: float | None = None) -> AbstractContextManager[T]:
        """Hold the lock and give the value to change in place; a clean exit writes it durably.

        An exception inside writes nothing. For the rest as `update`.

        Raises:
            LockTimeout: somebody else holds the lock; nothing was changed.
        """
        return Edit(self._register.exclusive(timeout_s), self._draft)

    def aedit(self, *, timeout_s: float | None = None) -> AbstractAsyncContextManager[T]:
        """`edit` for asyncio; the body may await; others wait without blocking the event loop."""
        return AsyncEdit(self._register.aexclusive(timeout_s), self._draft)

    def write(
        self, value: T, *, if_version: str | None = None, timeout_s: float | None = None
    ) -> str:
        """Make `value` the whole of the document, whatever its fields were; return the new version.

        Fields that the type does not know, comments and layout stay.

        Args:
            if_version: Write only if the document still is of this version (of `snapshot`).

        Raises:
            Conflict: somebody was faster; the file holds their contents.
            LockTimeout: somebody else holds the lock; nothing was changed.
            TypeError: of another type, or not for this format; the file is untouched.
            DecodeError: the present contents do not decode; they are untouched (see `quarantine`).
            UnknownFormat: a newer program wrote it; it is untouched.
        """
        with self._register.exclusive(timeout_s) as held:
            return self._committer.overwrite(held, value, if_version=if_version)

    async def awrite(
        self, value: T, *, if_version: str | None = None, timeout_s: float | None = None
    ) -> str:
        """`write` for asyncio."""
        async with self._register.aexclusive(timeout_s) as held:
            return await run(lambda: self._committer.overwrite(held, value, if_version=if_version))

    # drafts

    def checkout(self) -> Draft[T]:
        """Return a draft to change over any time, without a lock; `Draft.commit` merges it.

        Raises:
            FileNotFoundError: missing, and no `default` was given.
            DecodeError: as `read`.
        """
        return Draft(self._committer, self._register)

    def _draft(self, held: Held) -> HeldDraft[T]:
        return HeldDraft(self._committer, self._register, held=held)

    # old versions and damaged ones

    def versions(self) -> list[KeptVersion]:
        """Return the old versions that `keep` left beside the file, the oldest first."""
        try:
            with self._register.place() as place:
                return place.versions()
        except FileNotFoundError:
            return []

    def restore(self, number: int, *, timeout_s: float | None = None) -> T:
        """Make the bytes of an old version the document again, durably.

        What is replaced is kept as the youngest version, even if it does not decode, and even
        without `keep`.

        Raises:
            FileNotFoundError: there is no such version; the file is untouched.
            DecodeError: the old version does not decode or fit the type; the file is untouched.
            Conflict: without `lock`, somebody was faster; the file holds their contents.
            LockTimeout: somebody else holds the lock; nothing was changed.
        """
        with self._register.exclusive(timeout_s) as held:
            return self._restore(held, number)

    def _restore(self, held: FilePlace, number: int) -> T:
        from holdfast.state.recovery import restore

        restore(self._schema, held, number)
        return cast("T", self._schema.value(self._committer.load(held)))

    def quarantine(self, *, timeout_s: float | None = None) -> Path | None:
        """Move contents that do not decode out of the way, to `<name>.corrupt-<n>` beside the file.

        Durable on return: the document is missing then, and its bytes are under the new name; a
        crash may leave them under both. A document that decodes stays, and so does a missing one.

        Returns:
            The new path, or None when there was nothing to move.

        Raises:
            LockTimeout: somebody else holds the lock; nothing was changed.
        """
        with self._register.exclusive(timeout_s) as held:
            return self._quarantine(held)

    def _quarantine(self, held: FilePlace) -> Path | None:
        from holdfast.state.recovery import quarantine

        return quarantine(self._schema, held)

    # asyncio twins of what waits for the disk alone

    async def aread(self) -> T:
        """`read` for asyncio."""
        return await run(self.read)

    async def asnapshot(self) -> Snapshot[T]:
        """`snapshot` for asyncio."""
        return await run(self.snapshot)

    async def acheckout(self) -> Draft[T]:
        """`checkout` for asyncio."""
        return await run(self.checkout)

    async def aversions(self) -> list[KeptVersion]:
        """`versions` for asyncio."""
        return await run(self.versions)

    async def arestore(self, number: int, *, timeout_s: float | None = None) -> T:
        """`restore` for asyncio."""
        async with self._register.aexclusive(timeout_s) as held:
            return await run(lambda: self._restore(held, number))

    async def aquarantine(self, *, timeout_s: float | None = None) -> Path | None:
        """`quarantine` for asyncio."""
        async with self._register.aexclusive(timeout_s) as held:
            return await run(lambda: self._quarantine(held))

    def close(self) -> None:
        """Give back the lock's descriptor; the document can still be used."""
        self._register.close()

    def __enter__(self) -> Document[T]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
