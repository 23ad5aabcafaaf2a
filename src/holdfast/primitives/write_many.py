"""Write many files at once: each whole, all durable on return, their syncs shared.

Guarantee: each file has its old contents or its new ones at any moment and after any crash, and on
return all have the new ones, durably. Not guaranteed: that all change together. A crash, or a
failure after the first rename, leaves some new and some old.

I1  Every temp is written, synced and closed before the first rename. A failure until then changes
    nothing.
I2  A temp is synced through the descriptor that wrote it, so at most `_OPEN_MAX` are open at once.
    Beside them: a folder and its guard for each distinct folder.
I3  The guard is a locked temporary file whose token the batch's temps carry. While it is locked
    none of them is swept, although they are closed and hold no lock.
I4  After the renames each folder is synced once.
"""

from __future__ import annotations

import os

from holdfast.errors import PartlyCommitted
from holdfast.primitives import temp
from holdfast.primitives.asyncio_bridge import twin
from holdfast.primitives.folders import close_quietly, forget
from holdfast.primitives.replace import encode_text
from holdfast.primitives.replacement import give_attributes, rename_over
from holdfast.primitives.target import explain, find, how, not_durable
from holdfast.vfs import SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import NamedTuple, Protocol, TypeVar

    from typing_extensions import Buffer

    from holdfast.primitives.target import How, Target
    from holdfast.vfs import VFS, File, Folder, Sync

    class Files(Protocol):
        """Any mapping of paths to contents: `Mapping` itself would take one exact type of key."""

        def items(self) -> Iterable[tuple[str | os.PathLike[str], bytes | str]]:
            """Each path with its contents."""
            ...

    _T = TypeVar("_T")
else:
    from holdfast.light_typing import NamedTuple

__all__ = ["awrite_many", "write_many"]

_OPEN_MAX = 256
_SYNCING_MAX = 16


class _Place(NamedTuple):
    """A folder of the batch with its guard, which is called `guard` and locked by `lock`."""

    folder: Folder
    guard: str
    lock: File


class _Item(NamedTuple):
    """One file of the batch: what the caller called it, where it goes, and its temporary name."""

    key: str
    target: Target
    data: Buffer
    temp: str


def write_many(
    files: Files,
    *,
    sync: Sync = "always",
    permissions: int | None = None,
    vfs: VFS = SYSTEM,
) -> None:
    """Replace many files, each whole, all durable on return, several times faster than one by one.

    Each file is treated as by `write_bytes`. A failure before the first rename changes nothing; a
    later one says which files are in place. It is not all-or-nothing: a crash may leave some new
    and some old.

    Args:
        files: path to contents; a `str` is encoded as UTF-8, with the system's line ends.
        sync: see `write_bytes`.
        permissions: see `write_bytes`; for all of them.
        vfs: the filesystem.

    Raises:
        PartlyCommitted: some are in place; `committed` and `failed` say which.
        PromiseUnavailable: one cannot be replaced; all are untouched.
        OSError: all have their old contents, and no temporary file is left.
        ValueError: two paths lead to the same file, or an option has no meaning; nothing was done.
    """
    batch = _Batch(how(sync, permissions, None, vfs=vfs))
    try:
        for path, data in files.items():
            batch.aim(os.fsdecode(path), data)
        batch.prepare()
        batch.publish()
    finally:
        batch.close()


awrite_many = twin(write_many)


class _Batch:
    """The files of one call, from aiming to publishing."""

    def __init__(self, chosen: How) -> None:
        self._chosen = chosen
        self._places: dict[tuple[int, int], _Place] = {}
        self._items: dict[tuple[int, int, str], _Item] = {}
        self._made: dict[str, _Item] = {}
        self._committed: list[str] = []
        self._failed: dict[str, Exception] = {}

    def aim(self, key: str, data: bytes | str) -> None:
        """Take up one file; refuse what cannot be replaced, before anything is written."""
        content = encode_text(data, "utf-8", None) if isinstance(data, str) else memoryview(data)
        target = find(key, self._chosen)
        try:
            where = target.folder.stat(os.curdir)
            place = self._places.get((where.st_dev, where.st_ino))
            twice = self._items.get((where.st_dev, where.st_ino, target.name))
            if twice is not None:
                raise ValueError(f"{twice.key} and {key} are the same file: give it once")
            if place is None:
                place = self._guard(target)
                self._places[where.st_dev, where.st_ino] = place
        except BaseException:
            target.close()
            raise
        if place.folder is not target.folder:
            target.close()
        found = temp.recognise(place.guard)
        token = f"{found.token if found else ''}-{len(self._items):x}"
        self._items[where.st_dev, where.st_ino, target.name] = _Item(
            key,
            target._replace(folder=place.folder),
            content,
            temp.temp_name(target.name, token),
        )

    def _guard(self, target: Target) -> _Place:
        """Make and lock the guard of a folder (I3)."""
        try:
            made = temp.create(target.folder, temp.GUARD, permissions=0o600, vfs=self._chosen.vfs)
        except OSError as error:
            explain(error, target.path, existed=target.old is not None)
            raise
        return _Place(target.folder, *made[:2])

    def prepare(self) -> None:
        """Write and sync all temps; nothing is in place yet (I1, I2)."""
        items = list(self._items.values())
        chunks = [items[at : at + _OPEN_MAX] for at in range(0, len(items), _OPEN_MAX)]
        if self._chosen.sync == "never" or len(items) < 2:
            for chunk in chunks:
                self._write(chunk, _one_by_one)
            return
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(_SYNCING_MAX, thread_name_prefix="holdfast-sync") as pool:
            for chunk in chunks:
                self._write(chunk, pool.map)

    def _write(self, chunk: list[_Item], spread: Callable[..., Iterable[None]]) -> None:
        """Write one chunk, start the write-back of all, then sync and close them."""
        opened: list[tuple[_Item, File]] = []
        try:
            for item in chunk:
                opened.append((item, self._begin(item)))
                self._fill(*opened[-1])
            if self._chosen.sync == "always":
                # A stripe a thread: a future for each file would cost as much as its sync.
                for _ in spread(_sync, [opened[at::_SYNCING_MAX] for at in range(_SYNCING_MAX)]):
                    pass
            while opened:
                item, file = opened.pop()
                _explained(item, file.close)
        finally:
            for _, file in opened:
                close_quietly(file)

    def _begin(self, item: _Item) -> File:
        new = item.target.old is None and self._chosen.permissions is None
        self._made[item.temp] = (
            item  # before it is made, so that an interrupt leaves nothing behind
        )
        permissions = 0o666 if new else 0o600
        return _explained(
            item,
            lambda: item.target.folder.open(item.temp, "new", permissions=permissions),
        )

    def _fill(self, item: _Item, file: File) -> None:
        def fill() -> None:
            temp.write_all(file, item.data)
            if self._chosen.sync == "always":
                file.start_writeback()
            give_attributes(file, item.target, self._chosen, info=file.stat())

        _explained(item, fill)

    def publish(self) -> None:
        """Rename all, then sync each folder once (I4).

        Raises:
            PartlyCommitted: it failed after the first rename.
            OSError: it failed at the first rename; all have their old contents.
        """
        waiting = list(self._items.values())
        try:
            for item in waiting:
                rename_over(item.target, item.temp)
                del self._made[item.temp]
                self._committed.append(item.key)
        except Exception as error:
            if not self._committed:
                explain(error, waiting[0].key, existed=waiting[0].target.old is not None)
                raise
            self._failed = {item.key: error for item in waiting[len(self._committed) :]}
        self._clean()
        if self._chosen.sync == "always":
            self._sync_folders()
        if self._failed:
            raise self._partly() from next(iter(self._failed.values()))

    def _sync_folders(self) -> None:
        done = set(self._committed)
        for place in self._places.values():
            try:
                place.folder.sync()
            except OSError as error:
                here = [item for item in self._items.values() if item.target.folder is place.folder]
                for item in here:
                    if item.key in done:
                        self._failed[item.key] = not_durable(item.key, error)

    def _partly(self) -> PartlyCommitted:
        count = len(self._items)
        lost = set(self._failed) - set(self._committed)
        first, error = next(iter(self._failed.items()))
        return PartlyCommitted(
            f"{first}: the batch of {count} files failed here ({error})."
            f" {len(self._committed)} have their new contents, {len(lost)} the old ones."
            " Write those in `failed` again when the cause is mended.",
            committed=tuple(self._committed),
            failed=self._failed,
        )

    def _clean(self) -> None:
        """Remove the temps that are left, and then the guards (I3)."""
        for item in self._made.values():
            forget(item.target.folder, item.temp)
        self._made = {}
        for place in self._places.values():
            forget(place.folder, place.guard)

    def close(self) -> None:
        """Leave nothing open and nothing temporary behind."""
        self._clean()
        for place in self._places.values():
            close_quietly(place.lock)
            close_quietly(place.folder)
        self._places = {}


def _one_by_one(
    function: Callable[[list[tuple[_Item, File]]], None],
    stripes: Iterable[list[tuple[_Item, File]]],
) -> Iterable[None]:
    return map(function, stripes)


def _sync(opened: list[tuple[_Item, File]]) -> None:
    for item, file in opened:
        _explained(item, file.sync)


def _explained(item: _Item, function: Callable[[], _T]) -> _T:
    """Call, and note on an error which file it was, and that nothing is changed."""
    try:
        return function()
    except OSError as error:
        explain(error, item.key, existed=item.target.old is not None)
        error.add_note("None of the files of this batch was changed.")
        raise
