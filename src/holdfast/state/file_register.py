"""A file as a register: read without a lock, replaced under the lock beside it.

Invariants:
    I1  The lock is `<name>.lock` beside the file that symlinks lead to, and they are followed again
        once it is held; what is read and written then is looked up in one folder descriptor.
"""

from __future__ import annotations

import errno
from stat import S_ISLNK

from holdfast.errors import HoldfastError
from holdfast.primitives.asyncio_bridge import run
from holdfast.primitives.folders import open_folder
from holdfast.primitives.lock import FileLock
from holdfast.primitives.target import look, split
from holdfast.state.file_place import FilePlace, nothing
from holdfast.state.stamps import Stamps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.state.file_place import FileOptions
    from holdfast.state.register import Content
    from holdfast.vfs import Folder, Stat

__all__ = ["FileRegister"]

_MOVES = 100
_REFUSED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_REMEDY = " Its folder must be writable, or the lock file be there already."


class Exclusive:
    """Holds a register for the length of a `with` block: a generator would cost three times it."""

    __slots__ = ("_lock", "_place", "_register", "_timeout_s")

    def __init__(self, register: FileRegister, timeout_s: float | None) -> None:
        self._register = register
        self._timeout_s = timeout_s

    def __enter__(self) -> FilePlace:
        self._place, self._lock = self._register.take(self._timeout_s)
        return self._place

    def __exit__(self, *_: object) -> None:
        # As `_leave` does; after a sync each function more costs as much as a system call.
        try:
            self._place.folder.close()
        finally:
            if self._lock is not None:
                self._lock.release()


class AsyncExclusive:
    """The same for `async with`."""

    __slots__ = ("_lock", "_place", "_register", "_timeout_s")

    def __init__(self, register: FileRegister, timeout_s: float | None) -> None:
        self._register = register
        self._timeout_s = timeout_s

    async def __aenter__(self) -> FilePlace:
        self._place, self._lock = await self._register.atake(self._timeout_s)
        return self._place

    async def __aexit__(self, *_: object) -> None:
        _leave(self._place, self._lock)


class FileRegister:
    """The file at `path`; see the module."""

    def __init__(self, path: str, options: FileOptions) -> None:
        self.name = path
        self._parts = split(path)
        self._options = options
        self._stamps = Stamps(path, vfs=options.vfs, clock=options.clock)
        self._lock: FileLock | None = None
        self._last_lock_path = ("", "", "")  # of the folder and the name that come first

    def read(self, known: Content | None = None) -> Content:
        """Return the contents, following symlinks; `known` itself when that is still so."""
        folder_path, name = self._parts
        vfs = self._options.vfs
        try:
            if known is not None and known.proof is not None:
                seen = vfs.stat(self.name)
                if self._stamps.proves(known, seen):
                    return known
            folder = vfs.folder(folder_path)
        except FileNotFoundError:
            return nothing(known)
        place = self._place_of(folder, name, None)
        try:
            return place.read(known)
        finally:
            place.close()

    def _place_of(self, folder: Folder, name: str, seen: Stat | None) -> FilePlace:
        return FilePlace(
            folder, name, path=self.name, options=self._options, stamps=self._stamps, seen=seen
        )

    def place(self) -> FilePlace:
        """Return the place of the file that the path leads to, without a lock, to be closed.

        Raises:
            FileNotFoundError: its folder is missing.
        """
        return self._find(create=False)

    @property
    def lock(self) -> FileLock:
        """The lock of the file that the path leads to now."""
        return self._lock_now(create=False)

    def close(self) -> None:
        """Close the lock's descriptor; the next use opens it again."""
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.close()

    def exclusive(self, timeout_s: float | None = None) -> Exclusive:
        """Hold the lock and yield the place; its folder is made when missing."""
        return Exclusive(self, timeout_s)

    def take(self, timeout_s: float | None) -> tuple[FilePlace, FileLock | None]:
        """Take the lock and find the place."""
        for _ in range(_MOVES):
            lock = self._lock if self._options.lock else None
            try:
                if lock is None:
                    lock = self._first_lock()
                if lock is not None:
                    lock.acquire(timeout_s=timeout_s)
            except FileNotFoundError:
                self._lock_now(create=True)
                continue
            except OSError as error:
                self._explain(error, lock)
                raise
            if (place := self._enter(lock)) is not None:
                return place, lock
        raise self._moving()

    def aexclusive(self, timeout_s: float | None = None) -> AsyncExclusive:
        """Hold the lock and yield the place; the event loop goes on meanwhile."""
        return AsyncExclusive(self, timeout_s)

    async def atake(self, timeout_s: float | None) -> tuple[FilePlace, FileLock | None]:
        """Take the lock and find the place; the event loop goes on meanwhile."""
        lock = None
        for _ in range(_MOVES):
            try:
                lock = await run(self._first_lock)
                if lock is not None:
                    await lock.aacquire(timeout_s=timeout_s)
            except FileNotFoundError:
                await run(lambda: self._lock_now(create=True))
                continue
            except OSError as error:
                self._explain(error, lock)
                raise
            if (place := self._enter(lock)) is not None:
                return place, lock
        raise self._moving()

    def _explain(self, error: OSError, lock: FileLock | None) -> None:
        """Say on what the system refused that nothing was changed, and why there is a lock file."""
        if lock is not None and not isinstance(error, HoldfastError):
            error.filename = lock.path
            remedy = _REMEDY if error.errno in _REFUSED else ""
            error.add_note(
                f"{self.name}: not changed. Changes are made under the lock file "
                f"{lock.path}.{remedy}"
            )

    def _first_lock(self) -> FileLock | None:
        """The lock that is probably the right one; `_enter` finds out."""
        if not self._options.lock:
            return None
        return self._lock or self._lock_now(create=True)

    def _enter(self, lock: FileLock | None) -> FilePlace | None:
        """The place, if the lock just taken is the right one (I1); else the lock is given back."""
        place = None
        try:
            place = self._find(create=True)
            if lock is None or self._lock_path_of(place) == lock.path:
                lock = None
                return place
        finally:
            if lock is not None:
                _leave(place, lock)
        self._lock_now(create=True)
        return None

    def _lock_path_of(self, place: FilePlace) -> str:
        last, folder_path, name = self._last_lock_path, place.folder.path, place.name
        if last[1] != name or last[0] != folder_path:
            last = self._last_lock_path = (folder_path, name, place.lock_path)
        return last[2]

    def _lock_now(self, *, create: bool) -> FileLock:
        place = self._find(create=create)
        place.close()
        lock = self._lock
        if lock is None or lock.path != place.lock_path:
            options = self._options
            lock = FileLock(place.lock_path, vfs=options.vfs, clock=options.clock)
            self._lock = lock
        return lock

    def _find(self, *, create: bool) -> FilePlace:
        """Open the folder of the file that the path leads to."""
        folder_path, name = self._parts
        for _ in range(_MOVES):
            folder = self._open_folder(folder_path, create=create)
            try:
                seen = look(folder, name)
            except BaseException:
                folder.close()
                raise
            if seen is None or not S_ISLNK(seen.st_mode):
                return self._place_of(folder, name, seen)
            folder.close()
            folder_path, name = split(self._options.vfs.resolve(self.name))
        raise self._moving()

    def _open_folder(self, path: str, *, create: bool) -> Folder:
        options = self._options
        try:
            if create:
                return open_folder(path, sync=options.sync, vfs=options.vfs)
            return options.vfs.folder(path)
        except OSError as error:
            error.add_note(f"{self.name}: not changed. Its folder cannot be opened or made.")
            raise

    def _moving(self) -> OSError:
        reason = "the symlink is changed faster than it can be followed"
        return OSError(errno.ELOOP, reason, self.name)


def _leave(place: FilePlace | None, lock: FileLock | None) -> None:
    try:
        if place is not None:
            place.close()
    finally:
        if lock is not None:
            lock.release()
