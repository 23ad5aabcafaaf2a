"""Write many files at once: each whole, all durable on return, their syncs shared.

Guarantee: each file has its old contents or its new ones at any moment and after any crash, and on
return all have the new ones, durably. Not guaranteed: that all change together. A crash, or a
failure after the first rename, leaves some new and some old.

I1  Every temp is written, synced and closed before the first rename. A failure until then changes
    nothing.
I2  A temp is synced through the descriptor that wrote it, so at most `_OPEN_MAX` are open at once,
    and none is closed while a thread may still sync it. Beside them: a folder and its guard for
    each distinct folder.
I3  The guard is a locked temporary file whose token the batch's temps carry. While it is locked
    none of them is swept, although they are closed and hold no lock.
I4  After the renames each folder is synced once.
"""

from __future__ import annotations

import os
import stat

from holdfast.errors import PartlyCommitted
from holdfast.primitives import temp
from holdfast.primitives.asyncio_bridge import twin
from holdfast.primitives.folders import close_quietly, forget
from holdfast.primitives.replace import encode_text
from holdfast.primitives.replacement import give_attributes, rename_over
from holdfast.primitives.target import Target, explain, find, how, look, not_durable, split
from holdfast.vfs import CLOCK, SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from concurrent.futures import ThreadPoolExecutor
    from typing import Protocol

    from typing_extensions import Buffer

    from holdfast.primitives.target import How
    from holdfast.vfs import VFS, File, Folder, Sync

    class Files(Protocol):
        """Any mapping of paths to contents: `Mapping` itself would take one exact type of key."""

        def items(self) -> Iterable[tuple[str | os.PathLike[str], bytes | str]]:
            """Each path with its contents."""
            ...


__all__ = ["awrite_many", "write_many"]

_OPEN_MAX = 256
_SYNCING_MAX = 16
_QUICK_S = 0.00005  # a sync that takes less, as in memory, costs less than handing it to a thread


class _Place(temp.Made):
    """A folder of the batch with its guard, a locked temporary file."""

    __slots__ = ("folder", "token")

    def __init__(self, folder: Folder) -> None:
        super().__init__()
        self.folder = folder
        self.token = ""

    def close(self) -> None:
        """Remove the guard, if it is still there, and close both."""
        self.end(self.folder)
        close_quietly(self.folder)


class _Item:
    """One file of the batch: what the caller called it, where it goes, and its temporary name."""

    __slots__ = ("data", "key", "target", "temp")

    def __init__(self, key: str, target: Target, data: Buffer, *, temp: str) -> None:
        self.key = key
        self.target = target
        self.data = data
        self.temp = temp


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
        self._by_path: dict[str, _Place] = {}
        self._items: dict[tuple[_Place, str], _Item] = {}
        self._made: dict[str, _Item] = {}
        self._committed: list[str] = []
        self._failed: dict[str, Exception] = {}

    def aim(self, key: str, data: bytes | str) -> None:
        """Take up one file; refuse what cannot be replaced, before anything is written."""
        if isinstance(data, str):
            content: Buffer = encode_text(data, "utf-8", None)
        else:
            content = data if type(data) is bytes else _view(key, data)
        place, target = self._known(key) or self._find(key)
        twice = self._items.get((place, target.name))
        if twice is not None:
            raise ValueError(f"{twice.key} and {key} are the same file: give it once")
        name = temp.temp_name(target.name, f"{place.token}-{len(self._items):x}")
        self._items[place, target.name] = _Item(key, target, content, temp=name)

    def _known(self, key: str) -> tuple[_Place, Target] | None:
        """Aim at a name in a folder that is open already; None if it is not, or not that simple."""
        where, name = split(key)
        place = self._by_path.get(where or os.curdir)
        if place is not None and name and not name.endswith(temp.SUFFIX):
            old = look(place.folder, name)
            if old is None or stat.S_ISREG(old.st_mode):
                return place, Target(place.folder, name, key, old=old)
        return None

    def _find(self, key: str) -> tuple[_Place, Target]:
        """Aim behind every symlink; a folder that is new to the batch stays open."""
        target = find(key, self._chosen)
        folder = target.folder
        try:
            info = folder.stat(os.curdir)
            place = self._places.get((info.st_dev, info.st_ino))
        except BaseException:
            target.close()
            raise
        if place is None:
            # Closed by `close`, whatever happens to it now.
            place = self._places[info.st_dev, info.st_ino] = _Place(folder)
            self._guard(place, target)
        self._by_path[folder.path] = place
        if place.folder is not folder:
            target.close()
            target.folder = place.folder
        return place, target

    def _guard(self, place: _Place, target: Target) -> None:
        """Make and lock the guard of a folder (I3)."""
        try:
            temp.create(place, place.folder, temp.GUARD, permissions=0o600, vfs=self._chosen.vfs)
        except OSError as error:
            explain(error, target)
            raise
        found = temp.recognise(place.temp or "")
        place.token = found.token if found else ""

    def prepare(self) -> None:
        """Write and sync all temps; nothing is in place yet (I1, I2)."""
        items = list(self._items.values())
        syncer = _Syncer()
        try:
            for at in range(0, len(items), _OPEN_MAX):
                self._write(items[at : at + _OPEN_MAX], syncer)
        finally:
            syncer.close()

    def _write(self, chunk: list[_Item], syncer: _Syncer) -> None:
        """Write one chunk, start the write-back of all, then sync and close them."""
        opened: list[tuple[_Item, File]] = []
        try:
            self._fill(chunk, opened)
            if self._chosen.sync == "always":
                syncer.sync(opened)
            _close(opened)
        finally:
            for _, file in opened:
                close_quietly(file)

    def _fill(self, chunk: list[_Item], opened: list[tuple[_Item, File]]) -> None:
        """Make and write the temps of a chunk; `opened` has those that are open."""
        chosen, durable = self._chosen, self._chosen.sync == "always"
        for item in chunk:
            target = item.target
            new = target.old is None and chosen.permissions is None
            # Noted before it is made, so that an interrupt leaves nothing behind.
            self._made[item.temp] = item
            try:
                permissions = 0o666 if new else 0o600
                file = target.folder.open(item.temp, "new", permissions=permissions)
                opened.append((item, file))
                temp.write_all(file, item.data)
                if durable:
                    file.start_writeback()
                if not new:
                    give_attributes(file, target, chosen, info=file.stat())
            except OSError as error:
                _explain(item, error)
                raise

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
                explain(error, waiting[0].target)
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
            if place.temp is not None and forget(place.folder, place.temp):
                place.temp = None

    def close(self) -> None:
        """Leave nothing open and nothing temporary behind."""
        self._clean()
        for place in self._places.values():
            place.close()
        self._places = {}


class _Syncer:
    """Syncs many files: side by side where a sync takes long, else one after the other."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None

    def sync(self, opened: list[tuple[_Item, File]]) -> None:
        """Sync all; on an error as well, no file is in use by a thread afterwards."""
        start = CLOCK.monotonic()
        _sync(opened[:1])
        rest = opened[1:]
        if CLOCK.monotonic() - start < _QUICK_S or len(rest) < 2:
            _sync(rest)
            return
        if self._pool is None:
            from concurrent.futures import ThreadPoolExecutor

            self._pool = ThreadPoolExecutor(_SYNCING_MAX, thread_name_prefix="holdfast-sync")
        try:
            # A stripe a thread: a future for each file would cost as much as its sync.
            for _ in self._pool.map(_sync, [rest[at::_SYNCING_MAX] for at in range(_SYNCING_MAX)]):
                pass
        except BaseException:
            self.close()  # the caller closes the files, and their numbers may be given to others
            raise

    def close(self) -> None:
        """Wait for the threads, and end them."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


def _sync(opened: list[tuple[_Item, File]]) -> None:
    for item, file in opened:
        try:
            file.sync()
        except OSError as error:
            _explain(item, error)
            raise


def _close(opened: list[tuple[_Item, File]]) -> None:
    """Close all; those that are left in `opened` after an error may be open."""
    while opened:
        item, file = opened.pop()
        try:
            file.close()
        except OSError as error:
            _explain(item, error)
            raise


def _explain(item: _Item, error: OSError) -> None:
    """Note which file it was, and that nothing is changed."""
    explain(error, item.target)
    error.add_note("None of the files of this batch was changed.")


def _view(key: str, data: Buffer) -> memoryview:
    try:
        return memoryview(data)
    except TypeError as error:
        error.add_note(f"{key}: the contents are bytes or str. Nothing was written.")
        raise
