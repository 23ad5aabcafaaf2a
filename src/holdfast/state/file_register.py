"""A file as a register: read with a cheap proof of being unchanged, replaced under a sidecar lock.

Invariants:
    I1  The lock is `<name>.lock` beside the file that symlinks lead to, and they are followed again once it
        is held.
    I2  A stat signature proves that a file is unchanged only when it was old enough when it was taken:
        20 ms, or 2 s where times have whole seconds (FAT). Else the bytes are compared.
    I3  What is read is the whole of a regular file, never more than `max_size_bytes`.
"""

from __future__ import annotations

import errno
import os
from contextlib import asynccontextmanager, contextmanager
from stat import S_ISLNK, S_ISREG
from typing import TYPE_CHECKING, NamedTuple

from holdfast.errors import Conflict, DecodeError, PromiseUnavailable
from holdfast.primitives.asyncio_bridge import run
from holdfast.primitives.folders import open_folder
from holdfast.primitives.lock import FileLock
from holdfast.primitives.replace import replace_bytes
from holdfast.state.beside import beside
from holdfast.state.kept import next_kept_name, prune_kept
from holdfast.state.register import Content

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from holdfast.vfs import VFS, Clock, File, Folder, Stat, Sync

__all__ = ["FileRegister"]

_FINE_NS = 20_000_000
_COARSE_NS = 2_000_000_000
_PIECE_BYTES = 1 << 20
_MOVES = 100


class _Signature(NamedTuple):
    """When equal and trusted, the file is the same."""

    stat: tuple[int, int, int, int, int]
    trusted: bool


class FileRegister:
    """The file at `path`; see the module."""

    def __init__(
        self,
        path: str,
        *,
        lock: bool,
        sync: Sync,
        permissions: int | None,
        keep: int,
        max_size_bytes: int,
        vfs: VFS,
        clock: Clock,
    ) -> None:
        self.name = path
        self._uses_lock = lock
        self._sync: Sync = sync
        self._permissions = permissions
        self._keep = keep
        self._max_size_bytes = max_size_bytes
        self._vfs = vfs
        self._clock = clock
        self._lock: FileLock | None = None

    # reading

    def read(self, known: Content | None = None) -> Content:
        """Return the contents; `known` itself when its proof still holds, its `data` when its bytes do."""
        folder_path, name = os.path.split(self.name)
        try:
            folder = self._vfs.folder(folder_path)
        except FileNotFoundError:
            return _nothing(known)
        try:
            return self._read_in(folder, name, known)
        finally:
            folder.close()

    def _read_in(self, folder: Folder, name: str, known: Content | None) -> Content:
        try:
            file = folder.open(name, "read")
        except FileNotFoundError:
            return _nothing(known)
        try:
            before = file.stat()
            self._refuse(before)
            if known is not None and self._proves(known, before):
                return known
            data = self.read_all(file)
            if known is not None and data == known.data:
                data = known.data or data
            return Content(data, self._sign(before, same=_key(before) == _key(file.stat())))
        finally:
            file.close()

    def _refuse(self, stat: Stat) -> None:
        if not S_ISREG(stat.st_mode):
            raise PromiseUnavailable(
                f"{self.name}: not a regular file. It is untouched. Give the path of a file.",
                errno=errno.EINVAL,
                path=self.name,
            )
        if stat.st_size > self._max_size_bytes:
            raise self._too_large()

    def _too_large(self) -> DecodeError:
        return DecodeError(
            f"{self.name}: larger than {self._max_size_bytes} bytes. The file is untouched. "
            f"Pass a larger max_size_bytes if it is meant to be read whole.",
            path=self.name,
        )

    def read_all(self, file: File) -> bytes:
        """Read the rest of a file, within `max_size_bytes`.

        Raises:
            DecodeError: it is larger; nothing was changed.
        """
        pieces: list[bytes] = []
        left = self._max_size_bytes + 1
        while piece := file.read(min(_PIECE_BYTES, left)):
            pieces.append(piece)
            left -= len(piece)
            if left == 0:
                raise self._too_large()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _sign(self, stat: Stat, *, same: bool = True) -> _Signature:
        newest = max(stat.st_mtime_ns, stat.st_ctime_ns)
        coarse = stat.st_mtime_ns % 1_000_000_000 == 0
        age = self._clock.now_ns() - newest
        return _Signature(_key(stat), same and age > (_COARSE_NS if coarse else _FINE_NS))

    def _proves(self, known: Content, stat: Stat) -> bool:
        proof = known.proof
        return isinstance(proof, _Signature) and proof.trusted and proof.stat == _key(stat)

    # writing

    def write(self, data: bytes, *, replacing: Content) -> Content:
        """Replace the file; see `holdfast.write_bytes` for what is on disk after a failure or a crash.

        Raises:
            Conflict: the file no longer holds `replacing`; it is untouched.
        """
        with self.opened(create=True) as (folder, name):
            self._check(self._read_in(folder, name, replacing), replacing)
            keeps = self._keep and replacing.data is not None
            stat = replace_bytes(
                folder,
                name,
                data,
                sync=self._sync,
                permissions=self._permissions,
                backup=next_kept_name(folder, name) if keeps else None,
                vfs=self._vfs,
            )
            if keeps:
                prune_kept(folder, name, keep=self._keep)
            return Content(data, self._sign(stat))

    @contextmanager
    def opened(self, *, create: bool = False) -> Iterator[tuple[Folder, str]]:
        """Open the folder of the file that the path leads to, made durably if asked; yield it and the name."""
        folder, name = self._target(create=create)
        try:
            yield folder, name
        finally:
            folder.close()

    def _check(self, now: Content, replacing: Content) -> None:
        if now.data != replacing.data:
            raise Conflict(
                f"{self.name}: changed by somebody else. It holds their contents. Read it again and redo.",
                path=self.name,
            )

    def set_aside(self) -> str:
        """Move the file to a free name `<name>.corrupt-<n>` beside it, durably; return that path."""
        with self.opened() as (folder, name):
            new = _first_free(folder, name)
            folder.sync()  # else a power cut may keep the removal and lose the new name
            folder.unlink(name)
            folder.sync()
            return os.path.join(folder.path, new)

    # locking

    @property
    def lock(self) -> FileLock:
        """The lock of the file that the path leads to now."""
        return self._lock_now(create=False)

    def _lock_now(self, *, create: bool) -> FileLock:
        folder, name = self._target(create=create)
        folder.close()
        path = os.path.join(folder.path, beside(name, ".lock"))
        lock = self._lock
        if lock is None or lock.path != path:
            lock = self._lock = FileLock(path, vfs=self._vfs, clock=self._clock)
        return lock

    def close(self) -> None:
        """Close the lock's descriptor; the next use opens it again."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @contextmanager
    def exclusive(self, timeout_s: float | None = None) -> Iterator[None]:
        """Hold the lock; its folder is made when missing."""
        if not self._uses_lock:
            yield
            return
        for _ in range(_MOVES):
            lock = self._lock_now(create=True)
            lock.acquire(timeout_s=timeout_s)
            if self._still(lock):
                break
        else:
            raise self._moving()
        try:
            yield
        finally:
            lock.release()

    @asynccontextmanager
    async def aexclusive(self, timeout_s: float | None = None) -> AsyncIterator[None]:
        """Hold the lock; the event loop goes on meanwhile."""
        if not self._uses_lock:
            yield
            return
        for _ in range(_MOVES):
            lock = await run(lambda: self._lock_now(create=True))
            await lock.aacquire(timeout_s=timeout_s)
            if self._still(lock):
                break
        else:
            raise self._moving()
        try:
            yield
        finally:
            lock.release()

    def _still(self, lock: FileLock) -> bool:
        """Whether the lock just taken is (still) the right one; else it is given back."""
        right = False
        try:
            right = self.lock.path == lock.path
        finally:
            if not right:
                lock.release()
        return right

    def _moving(self) -> OSError:
        return OSError(
            errno.ELOOP, "the symlink is changed faster than it can be followed", self.name
        )

    def _target(self, *, create: bool = False) -> tuple[Folder, str]:
        """Open the folder of the file that the path leads to, and name the file in it."""
        place = self.name
        for _ in range(_MOVES):
            folder_path, name = os.path.split(place)
            if create:
                folder = open_folder(folder_path, sync=self._sync, vfs=self._vfs)
            else:
                folder = self._vfs.folder(folder_path)
            if not _is_link(folder, name):
                return folder, name
            folder.close()
            place = self._vfs.resolve(self.name)
        raise self._moving()


def _nothing(known: Content | None) -> Content:
    return known if known is not None and known.data is None else Content(None, None)


def _is_link(folder: Folder, name: str) -> bool:
    try:
        return S_ISLNK(folder.stat(name).st_mode)
    except FileNotFoundError:
        return False
    except BaseException:
        folder.close()
        raise


def _key(stat: Stat) -> tuple[int, int, int, int, int]:
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


def _first_free(folder: Folder, name: str) -> str:
    number = 1
    while True:
        new = beside(name, f".corrupt-{number}")
        try:
            folder.link(name, new)
        except FileExistsError:
            number += 1
        else:
            return new
